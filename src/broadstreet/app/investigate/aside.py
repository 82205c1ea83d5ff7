"""Rows that could not be used, as the file numbers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from broadstreet.app.reading.table import Table, shown

_OTHER_ROW = re.compile(r"(the id is that of row |the same pair as row )(\d+)")


@dataclass(frozen=True, slots=True)
class Aside:
    """A row that was set aside: of which file, which row (the names are row 1), whose, and why.

    The id is "" where it is missing.
    """

    file: str
    row: int
    id: str
    why: str

    @property
    def place(self) -> str:
        """Say where the row is, and whose."""
        return f"{self.file}, row {self.row:,}{f' ({self.id})' if self.id else ''}"


def from_analysis(found: Iterable[Any], file: str, numbers: Sequence[int]) -> list[Aside]:
    """Return what a method set aside, with the rows of the file instead of those of its table.

    Parameters
    ----------
    found
        With the attributes row, id and why.
    numbers
        Row of the file of each row of the table.
    """
    return [Aside(file, numbers[one.row], shown(one.id), _in_file(one.why, numbers)) for one in found]


def ragged_rows(table: Table, file: str, name: str | None) -> list[Aside]:
    """Return the rows that do not have as many cells as the first, by what their column of names holds."""
    at = None if name is None else table.names.index(name)
    return [
        Aside(file, number, shown(cells[at].strip()) if at is not None and at < len(cells) else "", why)
        for number, (cells, why) in table.ragged.items()
    ]


def _in_file(why: str, numbers: Sequence[int]) -> str:
    """Let the row that a reason ends with be that of the file as well; never a row that is somebody's id."""
    match = _OTHER_ROW.fullmatch(why)
    return f"{match[1]}{numbers[int(match[2])]}" if match and int(match[2]) < len(numbers) else why
