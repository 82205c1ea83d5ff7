"""`card`: one signal explained, as text, data, or one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from broadstreet.app import requests
from broadstreet.app.card.text import text_of
from broadstreet.app.errands import reached
from broadstreet.cli.marked import visible
from broadstreet.cli.program import AsJson, Config, Data, app, console, settings_of
from broadstreet.cli.signals import Id, one_signal
from broadstreet.cli.signing_in import token_of
from broadstreet.workflows.surveillance.card import Card


@app.command()
def card(
    id: Id,
    config: Config = None,
    data: Data = None,
    html: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write one page that needs no network.", show_default=False),
    ] = None,
    investigation: Annotated[
        str, typer.Option(help="Id of the investigation that it is read for; by default for public health.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Explain one signal: what, where, since when, how sure, and what the data cannot say.

    The visits behind it are read under your name and for a purpose; that you looked is kept in the log.
    """
    settings = settings_of(config, data)
    signal = one_signal(settings, id)
    with reached(settings) as ask:
        asked = requests.SignalCard(token=token_of(settings), id=signal.id, investigation=investigation)
        answer = ask(asked)
    found = msgspec.convert(answer, Card)
    if html is not None:
        from broadstreet.app.card.page import page  # noqa: PLC0415 - heavy

        html.write_text(page(found), encoding="utf-8")
        console.print(f"Page: {html}", soft_wrap=True)
    elif as_json:
        console.print_json(json.dumps(msgspec.to_builtins(found)))
    else:
        for line in text_of(found).splitlines():
            console.print(visible(line), markup=False, soft_wrap=True)
