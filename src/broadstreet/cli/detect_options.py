"""The options of `detect`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

METHODS = (
    "detect",
    "farrington_flexible",
    "farrington",
    "ears",
    "bayes",
    "rki",
    "cusum",
    "ewma",
)
"""Told here, so that the help of every command need not load the methods themselves."""

File = Annotated[Path, typer.Argument(help="CSV: a line list, or counts by day or week.")]
Method = Annotated[str, typer.Option(help=f"How counts are tested: auto, {', '.join(METHODS)}.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method, such as alpha=0.005."),
]
First = Annotated[str | None, typer.Option("--from", help="First day or week tested.", show_default=False)]
Last = Annotated[str | None, typer.Option("--to", help="Last day or week tested.", show_default=False)]
Newest = Annotated[
    int | None,
    typer.Option("--last", min=1, help="Test so many last days (60) or weeks (52).", show_default=False),
]
DateColumn = Annotated[str | None, typer.Option("--date", help="Column of the dates.", show_default=False)]
CountColumn = Annotated[str | None, typer.Option("--count", help="Column of the counts.", show_default=False)]
By = Annotated[list[str] | None, typer.Option(help="A series for each value of this column.")]
LineList = Annotated[bool, typer.Option("--line-list", help="Each row is a case.")]
Every = Annotated[
    Literal["day", "week"] | None, typer.Option(help="Count a line list by this.", show_default=False)
]
Order = Annotated[
    Literal["day-first", "month-first"] | None,
    typer.Option("--dates", help="How 03/04/2026 is meant.", show_default=False),
]
Gaps = Annotated[Literal["refuse", "zero"], typer.Option(help="A day or week without a row.")]
AddUp = Annotated[bool, typer.Option("--add-up", help="Add up several counts of one time.")]
Until = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="All is known until this day.", show_default=False),
]
Encoding = Annotated[str, typer.Option(help="Of the text in the file.")]
Out = Annotated[Path, typer.Option(help="Folder for table, picture and page.")]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Leave with 3 if the newest day or week has an alarm.")
]
