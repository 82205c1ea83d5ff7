"""`backup` and `restore`: copies of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.app import requests
from broadstreet.app.reach import hub_of, read
from broadstreet.cli.program import Config, Data, app, console, settings_of
from broadstreet.store.sqlite.store import restore as put_back


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist yet.", show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Copy the store to a file, while the hub runs or not.

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
            head = store.backup(target)
    console.print(f"Copied {head:,} entries to {target} ({target.stat().st_size / 1e6:,.1f} MB).")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote.", show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Put a backup in the place of the store; refused while a hub runs on it.

    The backup is checked from the first page to the last. The store that was there is kept beside it.
    """
    settings = settings_of(config, data)
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replaced = settings.database.exists()
    head = put_back(source, settings.database)
    console.print(f"Restored {head:,} entries to {settings.database}.")
    if replaced:
        console.print(f"What was there is kept as {settings.database.name}.before-restore.")
