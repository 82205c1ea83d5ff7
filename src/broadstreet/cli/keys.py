"""`keys`: care for the keys that bodies about residents are sealed with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.app.words import counted
from broadstreet.cli.program import Config, Data, app, console, settings_of
from broadstreet.model.clock import SystemClock, instant, microseconds
from broadstreet.store.seal.keyring import Keyring
from broadstreet.store.seal.masters import DAY

group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="keys", help="Care for the keys that bodies about residents are sealed with.")


@group.command("status")
def status(config: Config = None, data: Data = None) -> None:
    """Tell how many keys there are, and how old the master key is."""
    keyring = _keyring(config, data)
    numbers, made = keyring.numbers(), keyring.made()
    keyring.close()
    console.print(
        f"{numbers['used']:,} keys in use, {numbers['unused']:,} unused, {numbers['destroyed']:,} destroyed."
    )
    if made:
        console.print(f"The master key is of {instant(made).date()}.")


@group.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist.", show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Copy the residents' keys, wrapped; keep the file master.key as well, in another place."""
    keyring = _keyring(config, data)
    keyring.backup(target)
    keyring.close()
    days = settings_of(config, data).keys_days
    console.print(f"Of use for at most {days} days (setting: keys_days), together with master.key.")


@group.command("rotate")
def rotate(config: Config = None, data: Data = None) -> None:
    """Make a new master key and wrap all keys with it; older backups of keys end with their master keys."""
    keyring = _keyring(config, data)
    days = settings_of(config, data).keys_days
    number = keyring.rotate(microseconds(SystemClock().now()), days * DAY // 2)
    keyring.close()
    console.print(f"{counted(number, 'key')} wrapped anew. Keep a copy of the new master.key.")


def _keyring(config: Config, data: Data) -> Keyring:
    return Keyring(settings_of(config, data).keys_folder, create=False)
