"""`followers`: see, resume and promote what follows the log."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.app.reach import hub_of
from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of, show_table
from broadstreet.cli.status import gathered

group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="followers", help="See, resume and promote what follows the log.")

Name = Annotated[str, typer.Argument(help="Name of a follower.", show_default=False)]


@group.command("list")
def list_followers(config: Config = None, data: Data = None) -> None:
    """Show how far each follower has come."""
    table = Table("follower", "version", "position", "behind", "mode", "stopped because", box=SIMPLE_HEAD)
    for one in gathered(settings_of(config, data)).followers:
        table.add_row(
            one.name, str(one.version), f"{one.seq:,}", f"{one.behind:,}", one.mode, one.fault or ""
        )
    show_table(table)


@group.command()
def resume(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a follower that stopped try again; the hub must run."""
    client = hub_of(settings_of(config, data))
    if client is None:
        raise Mistake("no hub runs on this store: its followers try again when it starts")
    with client:
        client.ask(requests.Resume(follower=name))
    console.print(f"{name} tries again.")


@group.command()
def promote(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a reactor that runs in shadow emit from now on."""
    with reached(settings_of(config, data)) as ask:
        now = ask(requests.Promote(follower=name))
    console.print(f"{name} version {now['version']} emits from position {now['seq']:,} on.")
