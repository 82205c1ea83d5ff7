"""What `investigate` does; loaded by it alone, since its methods take long to load."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import typer

from broadstreet.analysis.transmission.settings import IMPORTATION, REPORTED, Share
from broadstreet.app.investigate import story
from broadstreet.app.investigate.belief import Moments, believe
from broadstreet.app.investigate.investigation import Files, Investigation, Wishes, investigate
from broadstreet.app.investigate.report import write_report
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.table import Unusable
from broadstreet.cli.program import REFUSED, Mistake, console
from broadstreet.model.clock import SystemClock

_ORDERS: dict[str, Order] = {"day-first": "day", "month-first": "month"}
_MOST_TOLD = 10


def look_into(  # noqa: PLR0913  each is an option
    file: Path,
    beside: tuple[Path | None, ...],
    *,
    disease: str | None,
    serial_interval: str | None,
    incubation: str | None,
    window: str | None,
    reported: str | None,
    importation: str | None,
    column: list[str],
    dates: str | None,
    encoding: str,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Read the files, write the page and the tables, and tell what was found.

    Raises
    ------
    Mistake
        If a file or an option cannot be used.
    """
    try:
        belief = believe(
            disease, _two("--serial-interval", serial_interval), _two("--incubation", incubation)
        )
        order = _ORDERS[dates] if dates else None
        wishes = Wishes(
            belief, _named(column), order, encoding, _days(window), _share("--reported", reported, REPORTED),
            _share("--importation", importation, IMPORTATION), _whole("--seed", seed),
            SystemClock().now().astimezone().date(),
        )  # fmt: skip
        found = investigate(file, Files(*beside), wishes)
    except (Unusable, ValueError) as error:
        raise Mistake(str(error)) from error
    written, notes = write_report(out, found)
    _tell_json(found, written, notes) if as_json else _tell(found, written, notes)
    if not found.cases.ids:
        raise typer.Exit(REFUSED)


def _two(name: str, given: str | None) -> Moments | None:
    if given is None:
        return None
    try:
        first, second = map(float, given.split(","))
    except ValueError:
        raise Unusable(f"{name}: expected two numbers as 12.6,3.8, found {given!r}") from None
    return first, second


def _days(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    fewest, sign, most = given.partition(",")
    if sign and fewest.strip().isdecimal() and most.strip().isdecimal() and int(fewest) <= int(most):
        return int(fewest), int(most)
    raise Unusable(f"--window: expected two whole numbers, the fewest days first, as 1,14, found {given!r}")


# All cases seen, or none imported, may be said.
_ENDS = {"--reported": 1.0, "--importation": 0.0}


def _share(name: str, given: str | None, usual: Share) -> Share:
    if given is None:
        return usual
    try:
        share, *weight = map(float, given.split(","))
    except ValueError:
        share, weight = math.nan, []
    if (
        not (0.0 < share < 1.0 or share == _ENDS[name])
        or len(weight) > 1
        or not all(0.0 < one < math.inf for one in weight)
    ):
        raise Unusable(
            f"{name}: expected a share between 0 and 1 as 0.5, or with its weight in cases as 0.5,10, found "
            f"{given!r}"
        )
    return (share, weight[0]) if weight else share


def _whole(name: str, given: int) -> int:
    if given < 0:
        raise Unusable(f"{name}: expected a whole number from 0 on, found {given}")
    return given


def _named(given: list[str]) -> dict[str, str]:
    named = {}
    for one in given:
        role, sign, name = one.partition("=")
        if not sign:
            raise Unusable(f"--column: expected ROLE=NAME, as onset=Datum, found {one!r}")
        named[role.strip()] = name.strip()
    return named


def _tell(found: Investigation, written: list[Path], notes: list[str]) -> None:
    for note in found.notes:
        console.print(note, markup=False)
    console.print()
    for said in story.lead(found):
        console.print(said, style="bold", markup=False)
    for one in found.aside[:_MOST_TOLD]:
        console.print(f"  {one.place}: {one.why}", markup=False)
    if len(found.aside) > _MOST_TOLD:
        console.print(f"  and {len(found.aside) - _MOST_TOLD:,} more; all are in the table set_aside")
    for note in notes:
        console.print(note, markup=False)
    console.print(f"Page:   {written[0]}", soft_wrap=True, markup=False)
    console.print(f"Tables: {', '.join(path.name for path in written[1:])}", markup=False)


def _tell_json(found: Investigation, written: list[Path], notes: list[str]) -> None:
    told: dict[str, Any] = {
        "file": found.cases.file,
        "cases": len(found.cases.ids),
        "set_aside": found.aside,
        "found": story.lead(found),
        "notes": [*found.notes, *notes],
        "page": str(written[0]),
        "tables": [str(path) for path in written[1:]],
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
