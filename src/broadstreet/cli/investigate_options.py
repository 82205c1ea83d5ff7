"""The options of `investigate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from broadstreet.model.pathogens import NAMES

File = Annotated[Path, typer.Argument(help="CSV: a line list, one row a case.")]


def _beside(what: str) -> Any:
    return typer.Option(help=f"CSV: {what}", show_default=False)


Contacts = Annotated[Path | None, _beside("declared contacts, infector and case, or two ids.")]
Visits = Annotated[Path | None, _beside("visits, id, place and day.")]
Controls = Annotated[Path | None, _beside("people without the disease, to rank places by visits.")]
Sites = Annotated[Path | None, _beside("sites on the map that may be the source.")]
Streets = Annotated[Path | None, _beside("streets, for walking distances.")]
Population = Annotated[Path | None, _beside("how many people live where.")]
Counts = Annotated[Path | None, _beside("cases by day, where the line list has no onsets.")]
Disease = Annotated[
    str | None, typer.Option(help=f"Whose intervals are taken: {', '.join(NAMES)}.", show_default=False)
]
Serial = Annotated[
    str | None,
    typer.Option(
        "--serial-interval", metavar="MEAN,SD", help="Days from onset to onset.", show_default=False
    ),
]
Incubation = Annotated[
    str | None, typer.Option(metavar="MEAN,SD", help="Days from infection to onset.", show_default=False)
]
Window = Annotated[
    str | None,
    typer.Option(metavar="FEWEST,MOST", help="Days before onset in which visits count.", show_default=False),
]
Reported = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE[,WEIGHT]",
        help="Share of the cases that is in the list, held: the list cannot tell it. 1: all were seen.",
        show_default="0.75",
    ),
]
Importation = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE[,WEIGHT]",
        help="Share infected from outside: held, or with a weight in cases and learned. 0: none.",
        show_default="0.05,10",
    ),
]
ColumnOf = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=NAME", help="A column that is not recognised: onset=Datum."),
]
Order = Annotated[
    Literal["day-first", "month-first"] | None,
    typer.Option("--dates", help="How 03/04/2026 is meant.", show_default=False),
]
Encoding = Annotated[str, typer.Option(help="Of the text in the files.")]
Seed = Annotated[int, typer.Option(help="Of random numbers.")]
Out = Annotated[Path, typer.Option(help="Folder for the page and the tables.")]
