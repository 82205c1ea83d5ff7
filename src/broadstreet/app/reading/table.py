"""Read a table from a text file: separators and encodings as people have them, within limits."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MOST_BYTES = 100_000_000
MOST_ROWS = 2_000_000
MOST_COLUMNS = 2_000
MOST_SIGNS = 10_000
"""In one cell."""
SEPARATORS = ",;\t|"
MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none", "-", ".", "unknown"})


class Unusable(Exception):
    """A file or an option that nothing can be detected with; the text is one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Table:
    """Hold the cells of a file.

    Attributes
    ----------
    names
        Of the columns, as the first row has them.
    rows
        The other rows, as long as the names.
    numbers
        Row of the file of each, the names' being 1.
    ragged
        Rows that do not have as many cells as the first, by their number: the cells, and why they cannot be
        read.
    """

    names: list[str]
    rows: list[list[str]]
    numbers: list[int]
    ragged: dict[int, tuple[list[str], str]] = field(default_factory=dict)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]

    def place(self, index: int, name: str) -> str:
        """Say where a cell is, for people."""
        return f'row {self.numbers[index]}, column "{shown(name)}"'


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def shown(text: str, most: int = 60) -> str:
    """Return a text of a file so that a terminal shows it and does not obey it."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in cut)


def read_table(path: Path, encoding: str = "utf-8-sig", *, tolerant: bool = False) -> Table:
    """Return the table in a file.

    Parameters
    ----------
    path : Path
    encoding : str
    tolerant : bool
        Whether rows that do not have as many cells as the first are kept apart, and there may be none below.

    Raises
    ------
    Unusable
        If it is empty, too large, not text in this encoding, or a row does not have as many cells as the
        first.
    """
    text = _text(path, encoding)
    head = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=head.count)
    rows = _records(text, separator, path.name)
    try:
        _, names = next(rows)
    except StopIteration:
        raise Unusable(f"expected a table with names in its first row, {path.name} is empty") from None
    names = [name.strip() for name in names]
    _check_names(names)
    table = Table(names, [], [])
    for number, row in rows:
        _add(table, number, row, separator)
        if len(table.rows) + len(table.ragged) > MOST_ROWS:
            raise Unusable(f"expected at most {MOST_ROWS:,} rows; count them first, or split the file")
    if tolerant:
        return table
    for number, (_, why) in table.ragged.items():
        raise Unusable(f"row {number}: {why}")
    if not table.rows:
        raise Unusable(f"expected rows below the names, {path.name} has none")
    return table


def _add(table: Table, number: int, row: list[str], separator: str) -> None:
    if len(row) != len(table.names):
        why = (
            f"expected {len(table.names)} cells as in the first row, found {len(row)}; a text with "
            f"{_NAMES_OF_SEPARATORS[separator]} in it must stand in quotation marks"
        )
        table.ragged[number] = row, why
        return
    table.rows.append(row)
    table.numbers.append(number)


_NAMES_OF_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tabulator", "|": "a bar"}


def _text(path: Path, encoding: str) -> str:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Unusable(f"expected at most {MOST_BYTES // 10**6} MB, {path.name} has {size / 10**6:.0f}")
    raw = path.read_bytes()
    try:
        return raw.decode(encoding)
    except LookupError:
        raise Unusable(f"expected the name of an encoding, such as cp1252, not {encoding!r}") from None
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        name = encoding.removesuffix("-sig").upper()
        raise Unusable(
            f"row {row}: expected text in {name}, found byte 0x{raw[error.start]:02x}; name the encoding "
            "with --encoding (often cp1252 in Western Europe, cp949 in Korea, gb18030 in China)"
        ) from error


def _records(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield rows that are not blank, each with its number as a spreadsheet counts."""
    csv.field_size_limit(MOST_SIGNS)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unusable(f"row {number}: cannot be read as a table ({error}); see {name}") from error
        if any(cell.strip() for cell in row):
            yield number, row


def _check_names(names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise Unusable(f"expected at most {MOST_COLUMNS:,} columns, found {len(names):,}")
    for at, name in enumerate(names, 1):
        if name and name in names[: at - 1]:
            raise Unusable(f'row 1: expected different names, "{shown(name)}" is there twice')
