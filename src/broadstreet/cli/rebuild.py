"""`rebuild`: make a projection's tables again from the log."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from broadstreet.app.core import Core
from broadstreet.app.followers import projections_of
from broadstreet.app.indexing import rebuild_index
from broadstreet.app.reach import require_store
from broadstreet.app.stores import place_of
from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of
from broadstreet.store import followers


@app.command()
def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Projections to rebuild; all of them by default.", show_default=False),
    ] = None,
    index: Annotated[bool, typer.Option("--index", help="The search index as well, or alone.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Empty tables and build them again from the log; refused while a hub runs.

    Only projections are rebuilt. Nothing that was emitted is emitted again.
    """
    settings = settings_of(config, data)
    require_store(settings)
    known = projections_of(settings)
    if unknown := [name for name in names or () if name not in known]:
        raise Mistake(f"expected projections among {', '.join(known)}, got {', '.join(unknown)}")
    core = Core(settings, followers=())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            if index:
                task = progress.add_task("index", total=core.committer.head)
                rebuild_index(
                    core.store,
                    core.committer,
                    place_of(settings),
                    lambda done, goal, task=task: progress.update(task, completed=done, total=goal),  # type: ignore[misc]
                )
            for name in names or ([] if index else known):
                task = progress.add_task(name, total=core.committer.head)
                reached = followers.rebuild(
                    core.store,
                    core.committer,
                    known[name],
                    lambda done, goal, task=task: progress.update(task, completed=done, total=goal),  # type: ignore[misc]
                )
                progress.update(task, completed=reached, total=reached)
    finally:
        core.close()
