"""`erase`: forget a resident, and prove it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.app.settings import Settings
from broadstreet.app.words import counted
from broadstreet.cli.program import REFUSED, AsJson, Config, Data, Mistake, app, console, settings_of
from broadstreet.cli.signing_in import token_of


@app.command()
def erase(
    resident: Annotated[str, typer.Argument(help="Id of the resident's Patient.", show_default=False)],
    basis: Annotated[
        str,
        typer.Option(help="By which right, such as `GDPR article 17, request of 3 May`.", show_default=False),
    ],
    config: Config = None,
    data: Data = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a resident: keys, bodies, index rows, messages; this cannot be taken back.

    For a privacy officer. The store is then written anew, so that nothing is left in free pages, and searched
    for what told who they were; nothing is committed meanwhile. Exit code 1: something is left.
    """
    settings = settings_of(config, data)
    token = token_of(settings)
    if not yes and typer.prompt(f"This cannot be taken back. Type {resident} again") != resident:
        raise Mistake("nothing was erased: what was typed is another id")
    with reached(settings) as ask:
        answer = ask(requests.Erase(token=token, resident=resident, basis=basis))
    if as_json:
        console.print_json(json.dumps(answer))
    else:
        _tell(settings, answer)
    erasure = answer["erasure"]
    if erasure.get("readable") or erasure.get("traces"):
        raise typer.Exit(REFUSED)


def _tell(settings: Settings, answer: dict[str, Any]) -> None:
    erasure: dict[str, Any] = {"readable": 0, "traces": 0, "words": 0, "searched": (), **answer["erasure"]}
    keys, entries = (
        counted(erasure.get("keys", 0), "key"),
        counted(erasure.get("entries", 0), "entry", "entries"),
    )
    console.print(f"Erased {erasure['resident']}: {keys} destroyed, {entries} emptied", end="")
    console.print(f" ({counted(erasure.get('messages', 0), 'message')} as they came).")
    if erasure.get("also"):
        console.print(f"Merged with them, and erased as well: {', '.join(erasure['also'])}.")
    console.print(f"Can still be read: {counted(erasure['readable'], 'entry', 'entries')}.")
    if settings.database:
        console.print("The files of the server cannot be searched from here: see docs/trust/erasure.md.")
    if erasure["searched"]:
        words = counted(erasure["words"], "word")
        files = ", ".join(erasure["searched"])
        console.print(
            f"{words} that told who they were, looked for in {files}: found {erasure['traces']} times."
        )
    for name in answer["disabled"]:
        console.print(f"The account {name} was theirs, and is disabled.", markup=False)
    for id in answer["others"]:
        said = f"This may be the same person, by number and name; nothing of it was touched: Patient {id}"
        console.print(said, markup=False, soft_wrap=True)
    for id in answer["doubtful"]:
        console.print(f"This message may be about them, or about another: broadstreet quarantine show {id}")
