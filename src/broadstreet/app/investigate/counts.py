"""Cases by day from a table of their own: where the line list has places, but no days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from broadstreet.analysis.transmission.faraway import far_away
from broadstreet.app.investigate import roles
from broadstreet.app.investigate.aside import Aside, ragged_rows
from broadstreet.app.investigate.days import read_days
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.guessing import holds_numbers, listed
from broadstreet.app.reading.table import Unusable, is_missing, read_table, shown

_MOST = 1_000_000_000
_FAR = "the day is more than 5 years from the others"


@dataclass
class Counts:
    """Cases by day: `numbers` of each of `days` (ordinals, or numbers where not dated), by column.

    The first column is drawn.
    """

    file: str
    days: list[int]
    numbers: dict[str, list[int]]
    dated: bool
    aside: list[Aside] = field(default_factory=list)

    def label(self, day: int) -> str:
        """Return a day as people write it."""
        return date.fromordinal(day).isoformat() if self.dated else str(day)


def read_counts(path: Path, encoding: str, order: Order | None) -> Counts:
    """Read cases by day: a column of days, and one or more of numbers.

    Raises
    ------
    Unusable
        If there is no column of days or none of numbers, or no row can be used.
    """
    table = read_table(path, encoding, tolerant=True)
    day = roles.required(
        table, {"day": rf"{roles.DATES['onset']}|{roles.DATES['day']}"}, path.name, ("day",)
    )["day"]
    columns = [name for name in table.names if name and name != day and holds_numbers(table, name)]
    if not columns:
        raise Unusable(f"{path.name}: expected a column of numbers of cases, found {listed(table.names)}")
    days = read_days(table, day, order)
    cells = [table.column(name) for name in columns]
    far = far_away({day: days.numbers()})
    aside = ragged_rows(table, path.name, day)
    rows: list[tuple[int, list[int]]] = []
    seen: set[int] = set()
    for at, (when, *held) in enumerate(zip(days.values, *cells, strict=True)):
        why = days.wrong.get(at) or (_FAR if at in far else _wrong(when, held, seen))
        if why or when is None:
            aside.append(Aside(path.name, table.numbers[at], shown(table.column(day)[at], 40), why or ""))
            continue
        seen.add(when)
        rows.append((when, [0 if is_missing(cell) else round(float(cell)) for cell in held]))
    if not rows:
        raise Unusable(f"{path.name}: expected a row with a day and a number of cases, found none")
    rows.sort()
    numbers = {name: [held[k] for _, held in rows] for k, name in enumerate(columns)}
    return Counts(path.name, [when for when, _ in rows], numbers, days.dated, aside)


def _wrong(when: int | None, held: list[str], seen: set[int]) -> str | None:
    if when is None:
        return "the day is missing"
    if when in seen:
        return "the day is there twice"
    for cell in held:
        if is_missing(cell):
            continue
        try:
            number = float(cell)
        except ValueError:
            number = -1.0
        if not 0.0 <= number < _MOST:
            return f'expected a number of cases, found "{shown(cell, 40)}"'
    return None
