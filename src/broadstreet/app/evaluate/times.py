"""The times of a labelled history: dates, weeks or numbers, put in order whatever the order of the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from broadstreet.app.reading.dates import Written, looks_like_a_date, written
from broadstreet.app.reading.table import Table, Unusable, shown

_NUMBERED = re.compile(r"(\D*)(\d{1,15})")
_HOW = "write dates as 2026-12-31, weeks as 2026-W05, or number the times"
_MOST_TOLD = 3


def times_of(table: Table, name: str) -> list[int]:
    """Return each row's time as a number that grows with it.

    Raises
    ------
    Unusable
        If a cell is not written as the first one is, or dates and weeks have a gap.
    """
    cells = [cell.strip() for cell in table.column(name)]
    dates = _dates(cells, name) if looks_like_a_date(cells[0]) else None
    number = dates.number if dates else _numbers(cells[0])
    found = [_number(table, at, name, cell, number) for at, cell in enumerate(cells)]
    if dates is not None:
        _check_gaps(sorted(set(found)), dates, name)
    return found


def _dates(cells: Sequence[str], name: str) -> Written:
    try:
        return written([cell for cell in cells if looks_like_a_date(cell)])
    except (Unusable, ValueError):
        raise Unusable(
            f'column "{shown(name)}": expected dates that can be read in one way only, got such as'
            f" {shown(cells[0])!r}; {_HOW}"
        ) from None


def _numbers(first: str) -> Callable[[str], int]:
    """Return how to read numbers that all have the words of the first one before them."""
    match = _NUMBERED.fullmatch(first)
    words = match[1] if match else ""

    def number(cell: str) -> int:
        found = _NUMBERED.fullmatch(cell)
        if found is None or found[1] != words:
            raise ValueError
        return int(found[2])

    return number


def _number(table: Table, at: int, name: str, cell: str, number: Callable[[str], int]) -> int:
    try:
        return number(cell)
    except ValueError:
        first = table.column(name)[0].strip()
        expected = "a date, a week or a number" if at == 0 else f"a time written as {shown(first)!r} is"
        place = table.place(at, name)
        raise Unusable(f"{place}: expected {expected}, got {shown(cell)!r}; {_HOW}") from None


def _check_gaps(times: Sequence[int], dates: Written, name: str) -> None:
    """Refuse dates and weeks some of which are left out: what comes after would count as too early."""
    pairs = list(pairwise(times))
    step = min((after - before for before, after in pairs), default=1)
    gaps = [before + step for before, after in pairs if after - before != step]
    if gaps:
        some = ", ".join(map(dates.label, gaps[:_MOST_TOLD]))
        more = f" and {len(gaps) - _MOST_TOLD} more gaps" if len(gaps) > _MOST_TOLD else ""
        raise Unusable(
            f'column "{shown(name)}": expected every time from {dates.label(times[0])} to'
            f" {dates.label(times[-1])}, got none for {some}{more}; add a row for each, with 0 where there"
            " was nobody"
        )
