"""Read the rows of a text file; one that cannot be read costs no other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

MOST_SIGNS = 10_000
"""In one cell."""
_LONGEST = 1_000_000
"""So many signs of a cell are read before it is given up."""
QUOTES = (
    "quotation marks do not match: a text that begins with one must end with one, and one inside of it must "
    'be written twice ("")'
)
_TOO_LONG = f"expected at most {MOST_SIGNS:,} signs in a cell, found "


class Record(NamedTuple):
    """A row: its number as a spreadsheet counts, its cells, and why it cannot be read (None where it can)."""

    number: int
    cells: list[str]
    separator: str
    why: str | None = None


class _Lines:
    """Lines that a reader can be set back on."""

    def __init__(self, text: str) -> None:
        self.held = list(io.StringIO(text, newline=""))  # ends of lines alone: a text may hold U+2028
        self.at = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.held):
            raise StopIteration
        self.at += 1
        return self.held[self.at - 1]


def records(text: str, separator: str) -> Iterator[Record]:
    """Yield the rows that are not blank."""
    csv.field_size_limit(_LONGEST)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 0
    while lines.at < len(lines.held):
        number, start = number + 1, lines.at
        try:
            cells, why = next(reader), None
        except csv.Error as error:
            # What begins with a quotation mark may have swallowed the rows below it.
            lines.at = start + 1
            cells = lines.held[start][:MOST_SIGNS].rstrip("\r\n").split(separator)
            why = f"{_TOO_LONG}more" if "limit" in str(error) else QUOTES
        if any(cell.strip() for cell in cells):
            yield Record(number, cells, separator, why or _too_long(cells))


def _too_long(cells: list[str]) -> str | None:
    longest = max(map(len, cells))
    return f"{_TOO_LONG}{longest:,}" if longest > MOST_SIGNS else None
