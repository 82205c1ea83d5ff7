"""`quarantine`: what could not be taken, why, and how it is mended."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.app.settings import Settings
from broadstreet.cli.marked import marked, visible
from broadstreet.cli.program import (
    REFUSED,
    AsJson,
    Config,
    Data,
    Mistake,
    app,
    console,
    said,
    settings_of,
    show_table,
)
from broadstreet.cli.signing_in import token_of
from broadstreet.connectors.hl7v2.unread import UNREAD
from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Quarantined

group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="quarantine", help="See what could not be taken, mend it, send it again.")

MOST_ROWS = 10_000
SHORT = 12
"""So much of an id's end is shown: its random part."""

Id = Annotated[
    str, typer.Argument(help="Id of a message, as `list` shows it; its end is enough.", show_default=False)
]


@group.command("list")
def list_held(
    config: Config = None,
    data: Data = None,
    everything: Annotated[bool, typer.Option("--all", help="Those released and discarded as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the messages that are held, newest first."""
    settings = settings_of(config, data)
    held = _listed(settings, everything=everything, limit=limit)
    if as_json:
        console.print_json(json.dumps(held))
        return
    if not held:
        console.print("Nothing is held in quarantine.")
        return
    table = Table(box=SIMPLE_HEAD)
    table.add_column("id", no_wrap=True)
    for heading in ("sender", "kind", "told", "tries", "last", "reason"):
        table.add_column(heading, overflow="fold")
    for one in held:
        last = str(one["last"])[:16].replace("T", " ")
        cells = (str(one["id"])[-SHORT:], one["source"], one["kind"], one["verdict"], one["attempts"], last)
        state = "" if one["state"] == "held" else f" ({one['state']})"
        table.add_row(
            *(escape(visible(str(cell))) for cell in cells), escape(visible(f"{one['reason']}{state}"))
        )
    show_table(table)


@group.command()
def show(id: Id, config: Config = None, data: Data = None) -> None:
    """Print one message as it came, with the faulty field marked; this shows personal data."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        found = ask(requests.QuarantineShow(token=token_of(settings), id=id))
    raw, held = b64decode(found["raw"]), records.decode(found["held"])
    assert isinstance(held, Quarantined)
    zone = ZoneInfo(settings.zone)
    console.print(f"id       {held.id}\nstate    {held.state}, tried {held.attempts} times", markup=False)
    for name, value in (("sender", held.source), ("kind", held.kind), ("told", held.verdict)):
        console.print(f"{name:<8} {visible(value)}", markup=False)
    console.print(f"first    {held.first.astimezone(zone)}\nlast     {held.last.astimezone(zone)}")
    if held.note:
        console.print(f"note     {held.note}", markup=False)
    console.print()
    for line in marked(raw, held.faults, read=held.kind != UNREAD):
        console.print(line, soft_wrap=True)


@group.command()
def retry(
    id: Id,
    config: Config = None,
    data: Data = None,
    mended: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File with the message as it should have come.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Map one message again, as it came or as mended; it leaves the quarantine if that succeeds."""
    settings = settings_of(config, data)
    body = mended.read_bytes() if mended else None
    held = _whole(settings, id)
    with reached(settings) as ask:
        receipt = ask(requests.QuarantineRetry(token=token_of(settings), id=held, mended=body))
    if receipt["state"] == "refused":
        console.print(f"Refused again ({receipt['verdict']}): {_reasons(receipt)}", markup=False)
        raise typer.Exit(REFUSED)
    console.print(f"Accepted; {held} has left the quarantine.")


@group.command()
def discard(
    id: Id,
    note: Annotated[str, typer.Option(help="Why it is of no use.", callback=said, show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Take one message out of quarantine for good; it stays in the log."""
    settings = settings_of(config, data)
    held = _whole(settings, id)
    with reached(settings) as ask:
        ask(requests.QuarantineDiscard(token=token_of(settings), id=held, note=note))
    console.print(f"Discarded {held}.")


def _listed(settings: Settings, *, everything: bool, limit: int) -> list[dict[str, Any]]:
    asked = requests.QuarantineList(token=token_of(settings), everything=everything, limit=limit)
    with reached(settings) as ask:
        held: list[dict[str, Any]] = ask(asked)["messages"]
    for one in held:
        one["first"], one["last"] = (instant(int(one[k] or 0)).isoformat() for k in ("first", "last"))
    return held


def _whole(settings: Settings, id: str) -> str:
    """Return the whole id of which this is the end, where only one message has it."""
    held = _listed(settings, everything=True, limit=MOST_ROWS)
    ids = [str(one["id"]) for one in held if str(one["id"]).endswith(id)]
    if len(ids) != 1:
        came = "none" if not ids else f"{len(ids)} of them"
        raise Mistake(
            f"expected the id of one message in quarantine, got {id!r} ({came}); see `quarantine list`"
        )
    return ids[0]


def _reasons(receipt: dict[str, Any]) -> str:
    return "; ".join(fault["reason"] for fault in receipt["faults"])
