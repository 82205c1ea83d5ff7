"""The program that every command belongs to: shared options, and errors as one sentence."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from ssl import SSLError
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from broadstreet import __version__
from broadstreet.app import logs
from broadstreet.app.control import ControlError
from broadstreet.app.load import SettingsError, load
from broadstreet.app.settings import Settings
from broadstreet.store.protocol import StoreError

DONE, REFUSED, NOT_DONE = 0, 1, 2
"""Exit codes: done; done, but something was refused; not done, the sentence on standard error says why."""

PIPE_WIDTH = 110
"""Columns where the output is no terminal."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
errors = Console(stderr=True, highlight=False)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings file (default: broadstreet.toml in --data, or here).",
        show_default=False,
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the store (setting: data).", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


WIDEST = 2_000
"""Columns of a table where the output is no terminal: a row is one line, whatever reads it."""


def show_table(table: Table) -> None:
    """Print a table: folded to a terminal's width, one line a row into a pipe or a file."""
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(highlight=False, width=WIDEST)
    with wide.capture() as captured:
        wide.print(table)
    for line in captured.get().splitlines():
        console.out(line.rstrip(), highlight=False)


class Mistake(Exception):
    """A command cannot do what it was asked; the text is one sentence for whoever asked."""


def said(option: typer.CallbackParam, text: str) -> str:
    """Return the text of an option that says why, once it is known to say anything."""
    if not text.strip():
        raise Mistake(
            f"--{option.name}: expected a few words, got {'only spaces' if text else 'an empty text'}"
        )
    return text


class _Sentences(TyperGroup):
    """Tells what people can mend in one sentence, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Mistake, SettingsError, StoreError, ControlError, OSError) as error:
            errors.print(f"broadstreet: {_sentence(error)}", markup=False, soft_wrap=True)
            raise typer.Exit(NOT_DONE) from error


def _sentence(error: Exception) -> str:
    """Return what went wrong; of the system's errors its words and the file, not its number."""
    if not isinstance(error, OSError) or isinstance(error, SSLError) or error.errno is None:
        return str(error)
    reason = os.strerror(error.errno)
    return f"{error.filename}: {reason}" if error.filename else reason


app = typer.Typer(
    cls=_Sentences,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"broadstreet {__version__}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Broad Street: a health hub for a city.

    Messages of clinics come in through a door, become durable records, counts and signals.
    Exit codes: 0 done; 1 done, but something was refused; 2 not done, and one sentence says why.
    """


def settings_of(config: Path | None, data: Path | None, **given: object) -> Settings:
    """Return the settings of a command: what its options say goes before file and environment."""
    given = {name.replace("__", "."): value for name, value in given.items()}
    if data is not None:
        given["data"] = str(data)
    return load(config, given=given)


def log_to_stderr(settings: Settings) -> None:
    """Tell on standard error what the settings' level lets through."""
    logs.begin(settings.log_level, settings.log_form)
