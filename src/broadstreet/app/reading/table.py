"""Read a table from a text file: separators and encodings as people have them, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from broadstreet.app.reading.records import QUOTES, Record, records

MOST_BYTES = 100_000_000
MOST_ROWS = 2_000_000
MOST_COLUMNS = 2_000
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_BROKEN = 1_000
"""Rows whose quotation marks do not match: each is looked for its end far below."""
_BEGIN = 100_000
"""So many signs show what separates cells."""
_MOST_TITLES = 10
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SAID = re.compile(r'"?sep=([^\w\s"]|\t)"?\r?\n', re.IGNORECASE)
"""The line in which Excel is told the separator; it shows it as no row."""
SEPARATORS = ",;\t|"
MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none", "-", ".", "?", "unknown"})


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
        Rows that cannot be read, by their number: the cells, and why.
    notes
        How the file was read, in sentences, where that is not as usual.
    """

    names: list[str]
    rows: list[list[str]]
    numbers: list[int]
    ragged: dict[int, tuple[list[str], str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

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
        Whether rows that cannot be read are kept apart, and there may be none below the names.

    Raises
    ------
    Unusable
        If it is empty, too large, not text in this encoding, or a row cannot be read.
    """
    text, separator = _text(path, encoding), ""
    if match := _SAID.match(text):
        text, separator = text[match.end() :], match[1]
    rows, notes = _below_titles(text, separator)
    first = next(rows, None)
    if first is None:
        raise Unusable(f"expected a table with names in its first row, {path.name} is empty")
    if first.why:
        raise Unusable(f"row {first.number}: {first.why}")
    names = [name.strip() for name in first.cells]
    _check_names(names, first.number)
    table = Table(names, [], [], notes=notes)
    broken = 0
    for row in rows:
        _add(table, row)
        broken += row.why == QUOTES
        if broken > _MOST_BROKEN:
            raise Unusable(f"row {row.number}: {row.why}")
        if len(table.rows) + len(table.ragged) > MOST_ROWS:
            raise Unusable(f"expected at most {MOST_ROWS:,} rows; count them first, or split the file")
    if tolerant:
        return table
    for number, (_, why) in table.ragged.items():
        raise Unusable(f"row {number}: {why}")
    if not table.rows:
        raise Unusable(f"expected rows below the names, {path.name} has none")
    return table


def _below_titles(text: str, said: str) -> tuple[Iterator[Record], list[str]]:
    """Return the records from that of the names on, and what to say of titles above it."""
    first, *_ = lines = [line for line in _QUOTED.sub("", text[:_BEGIN]).splitlines() if line.strip()] or [""]
    separator = said or max(SEPARATORS, key=first.count)
    likely = separator if separator in first else max(SEPARATORS, key="".join(lines[:_MOST_TITLES]).count)
    titles: list[Record] = []
    for row in islice(records(text[:_BEGIN], likely), _MOST_TITLES):
        if titles and _may_be_names(row.cells, titles):
            told = f"The names of the columns are in row {row.number}; those above it were taken as titles."
            return islice(records(text, likely), len(titles), None), [told]
        titles.append(row)
    return records(text, separator), []


def _may_be_names(cells: list[str], above: list[Record]) -> bool:
    """Tell whether a row is full, of words alone, and all above it are at most half full."""
    full = {cell.strip() for cell in cells}
    return (
        len(full) == len(cells) > 1
        and all(any(sign.isalpha() for sign in cell) and not cell[0].isdecimal() for cell in full)
        and all(2 * sum(bool(cell.strip()) for cell in one.cells) <= len(cells) for one in above)
    )


def _add(table: Table, row: Record) -> None:
    cells = row.cells if len(row.cells) == len(table.names) else _evened(row.cells, table.names)
    why = row.why or _wrong_length(cells, len(table.names), row.separator)
    if why:
        table.ragged[row.number] = row.cells, why
        return
    table.rows.append(cells)
    table.numbers.append(row.number)


def _evened(cells: list[str], names: list[str]) -> list[str]:
    """Return a row without empty cells beyond the names, and with those that it lacks below no name."""
    if not any(cell.strip() for cell in cells[len(names) :]):
        cells = cells[: len(names)]
    if not any(names[len(cells) :]):
        cells = cells + [""] * (len(names) - len(cells))
    return cells


def _wrong_length(cells: list[str], width: int, separator: str) -> str | None:
    if len(cells) == width:
        return None
    more = f"a text with {_NAMES_OF_SEPARATORS.get(separator, separator)} in it must stand in quotation marks"
    remedy = more if len(cells) > width else "the row breaks off"
    return f"expected {width} cells as in the first row, found {len(cells)}; {remedy}"


_NAMES_OF_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tabulator", "|": "a bar"}


def _text(path: Path, encoding: str) -> str:
    """Return the text of a file; the encoding does not matter where its first bytes are the mark of UTF-16.

    Raises
    ------
    Unusable
        If it is too large, no text, or not in this encoding.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Unusable(f"expected at most {MOST_BYTES // 10**6} MB, {path.name} has {size / 10**6:.0f}")
    raw = path.read_bytes()
    if raw.startswith(_WORKBOOKS):
        raise Unusable(f"{path.name} is a workbook, not text: save its sheet as CSV (UTF-8)")
    if raw.startswith(_UTF_16):
        encoding = "utf-16"
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


def _check_names(names: list[str], row: int) -> None:
    if len(names) > MOST_COLUMNS:
        raise Unusable(f"expected at most {MOST_COLUMNS:,} columns, found {len(names):,}")
    for at, name in enumerate(names, 1):
        if name and name in names[: at - 1]:
            raise Unusable(f'row {row}: expected different names, "{shown(name)}" is there twice')
