"""Rows that could not be used, as the file numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from broadstreet.app.reading.table import Table, shown


@dataclass(frozen=True, slots=True)
class Aside:
    """A row that was set aside: of which file, which row (the names are row 1), whose, and why."""

    file: str
    row: int
    id: str
    why: str


def from_analysis(found: Iterable[Any], file: str, numbers: Sequence[int]) -> list[Aside]:
    """Return what a method set aside, with the rows of the file instead of those of its table.

    Parameters
    ----------
    found
        With the attributes row, id and why.
    numbers
        Row of the file of each row of the table.
    """
    return [Aside(file, numbers[one.row], shown(str(one.id)), _in_file(one.why, numbers)) for one in found]


def ragged_rows(table: Table, file: str, name: str | None) -> list[Aside]:
    """Return the rows that do not have as many cells as the first, by what their column of names holds."""
    at = None if name is None else table.names.index(name)
    return [
        Aside(file, number, shown(cells[at].strip()) if at is not None and at < len(cells) else "", why)
        for number, (cells, why) in table.ragged.items()
    ]


def _in_file(why: str, numbers: Sequence[int]) -> str:
    """Let "row 3" of a reason be the row of the file as well."""
    head, word, tail = why.rpartition(" row ")
    if word and tail.isdigit() and int(tail) < len(numbers):
        return f"{head}{word}{numbers[int(tail)]}"
    return why
