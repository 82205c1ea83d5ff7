"""`backup` and `restore`: copies of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.app import requests
from broadstreet.app.backups import backed_up
from broadstreet.app.reach import has_store, hub_of, read
from broadstreet.app.restoring import restored_to
from broadstreet.app.words import counted
from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist yet.", show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Copy the log to a file, while the hub runs or not; index and projections are made again from it.

    The copy appears under its name only when it is whole and on the disk.
    """
    settings = settings_of(config, data)
    target = target.absolute()
    client = hub_of(settings)
    if client is not None:
        with client:
            head = client.ask(requests.Backup(to=str(target)))["head"]
    else:
        with read(settings) as store:
            head = backed_up(store, settings, target)
    console.print(
        f"Copied {counted(head, 'entry', 'entries')} to {target} ({target.stat().st_size / 1e6:,.1f} MB)."
    )


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote.", show_default=False)],
    config: Config = None,
    data: Data = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="The last position, or instant such as 2026-01-05T08:00, that is kept.", show_default=False
        ),
    ] = None,
) -> None:
    """Put a backup in the place of the store; refused while a hub runs on it.

    The backup is checked from the first page to the last. The store that was there is kept beside it. With
    --to the log is cut after that position. What is lost is told.
    """
    settings = settings_of(config, data)
    if not source.is_file():
        raise Mistake(f"expected a file that `broadstreet backup` wrote, found none at {source}")
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replaced = has_store(settings)
    where = settings.database or settings.file
    try:
        restored = restored_to(settings, source, to)
    except ValueError as error:
        raise Mistake(str(error)) from error
    console.print(f"Restored {counted(restored.head, 'entry', 'entries')} to {where}.")
    if replaced:
        name = "<schema>_before_restore" if settings.database else f"{settings.file.name}.before-restore"
        console.print(f"What was there is kept as {name}.", markup=False)
    for what, lost in restored.lost.items():
        for sentence in lost:
            console.print(f"{what}: {sentence}", markup=False, soft_wrap=True)
    if restored.rewound:
        console.print(
            "Projections are built again when the hub starts. The counts of each sender in `status` are as of"
            " the backup."
        )
