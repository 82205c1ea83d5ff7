"""`access`: who looked at a resident, and what for."""

from __future__ import annotations

import json
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.cli.program import AsJson, Config, Data, app, console, settings_of, show_table
from broadstreet.cli.signing_in import token_of
from broadstreet.model.clock import instant


@app.command()
def access(
    of: Annotated[str, typer.Option("--of", help="Id of the resident's Patient.", show_default=False)],
    config: Config = None,
    data: Data = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List who looked at a resident, when and for which purpose, newest first."""
    settings, of = settings_of(config, data), of.removeprefix("Patient/")
    with reached(settings) as ask:
        looked = ask(requests.Looked(token=token_of(settings), of=of, limit=limit))["looked"]
    for one in looked:
        one["at"] = instant(int(one["at"])).astimezone(ZoneInfo(settings.zone)).isoformat(timespec="seconds")
    if as_json:
        console.print_json(json.dumps(looked))
        return
    if not looked:
        said = f"No reading is recorded for the id {of}; expected the full id of a Patient."
        console.print(said, markup=False, soft_wrap=True)
        return
    table = Table("when", "who", "purpose", "about", "did", "entry", box=SIMPLE_HEAD)
    for one in looked:
        did = f"{one['action']} {one['what']}"
        table.add_row(
            str(one["at"]), str(one["who"]), str(one["purpose"]), str(one["about"]), did, str(one["seq"])
        )
    show_table(table)
