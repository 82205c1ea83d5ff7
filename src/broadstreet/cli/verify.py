"""`verify`: is what the store keeps what its log says?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from broadstreet.app.lag import unindexed
from broadstreet.app.reach import read, require_store
from broadstreet.app.settings import Settings
from broadstreet.app.verifying import PARTS, verified
from broadstreet.app.words import counted
from broadstreet.cli.program import REFUSED, Config, Data, app, console, settings_of


@app.command()
def verify(
    backup: Annotated[
        Path | None, typer.Argument(help="A backup to check instead of the store.", show_default=False)
    ] = None,
    config: Config = None,
    data: Data = None,
    log: Annotated[bool, typer.Option("--log", help="The log and the newest versions.")] = False,
    index: Annotated[bool, typer.Option("--index", help="The search index.")] = False,
    projections: Annotated[
        bool, typer.Option("--projections", help="The tables of every projection.")
    ] = False,
) -> None:
    """Check the file, then compare log, search index and projections with a rebuild aside.

    Without an option all of it. A hub may run meanwhile. Exit code 1: something is not as the log says.
    """
    settings = settings_of(config, data)
    if backup is None:
        require_store(settings)
    wanted = {"log": log, "index": index, "projections": projections}
    parts = ["file", *(name for name, asked in wanted.items() if asked)] if any(wanted.values()) else PARTS
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:

        def begin(what: str) -> Callable[[int, int], None]:
            task = bars.add_task(what, total=None)
            return lambda done, goal: bars.update(task, completed=done, total=goal)

        found = list(verified(settings, backup, parts, begin))
    for finding in found:
        console.print(str(finding), markup=False, soft_wrap=True)
    if found:
        console.print(f"{counted(len(found), 'difference')} found.")
        raise typer.Exit(REFUSED)
    lag = _index_lag(settings) if backup is None and "index" in parts else 0
    whole = [part for part in parts if part != "index" or not lag]
    console.print(f"All is as the log says ({', '.join(whole)}).")
    if lag:
        console.print(
            f"The search index is {counted(lag, 'entry', 'entries')} behind; what it has seen is as the log"
            " says. A running hub lets it catch up, or `broadstreet rebuild --index` without one.",
            soft_wrap=True,
        )


def _index_lag(settings: Settings) -> int:
    with read(settings) as store:
        return unindexed(store)
