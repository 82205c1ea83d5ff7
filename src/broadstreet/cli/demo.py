"""`demo`: a simulated city, an outbreak that the hub is not told of, and how soon it is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadstreet.cli.program import app


@app.command()
def demo(
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the city; drawn at random by default.", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=14, max=730, help="How many days pass.")] = 120,
    clinics: Annotated[int, typer.Option(min=1, max=48, help="How many clinics send.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder for the picture and the page.")] = Path(
        "broadstreet-demo"
    ),
    keep: Annotated[
        Path | None, typer.Option(help="Folder to keep the store in; it must be empty.", show_default=False)
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Plain lines instead of a live screen.")
    ] = False,
) -> None:
    """Let a simulated city send its messages, and see whether the hub finds what was hidden in them.

    Each clinic is a process that sends HL7 v2 through the real door. One outbreak is hidden in the
    messages; the hub's process knows nothing of it. At the end what was hidden is compared with what
    was signalled, in a picture (PNG) and on a page (HTML).
    """
    from broadstreet.cli.demonstration import show  # noqa: PLC0415 - the city is heavy, and no other command's

    show(seed, days, clinics, out, keep, headless)
