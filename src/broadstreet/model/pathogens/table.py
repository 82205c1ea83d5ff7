"""Read the table of a pathogen, and say in which line something is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields


class TableError(ValueError):
    """A line of a table cannot be used."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A row: a value beside who says so, in which version, for whom. `low`, `high`: None if not told."""

    place: str
    constant: str
    of: str
    value: float
    low: float | None
    high: float | None
    unit: str
    source: str
    version: str
    population: str

    def error(self, message: str) -> TableError:
        """Return an error that names the line of this row."""
        return TableError(f"{self.place}: {self.constant} {self.of}: {message}")


COLUMNS = tuple(field.name for field in fields(Constant) if field.name != "place")


def rows(text: str, table: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield place and cells of each line of a tab-separated table with these columns; `#` begins a comment.

    Raises
    ------
    TableError
        If the columns are others, or a line has more or fewer cells.
    """
    seen = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise TableError(f"{table}:{number}: expected {len(columns)} cells, found {len(cells)}")
        if not seen:
            if cells != list(columns):
                raise TableError(
                    f"{table}:{number}: expected the columns {', '.join(columns)}, found {', '.join(cells)}"
                )
            seen = True
            continue
        yield f"{table}:{number}", dict(zip(columns, cells, strict=True))


def constants(text: str, table: str) -> tuple[Constant, ...]:
    """Return the rows of a pathogen's table.

    Raises
    ------
    TableError
        If a number is none, is outside its range, or a row tells no source.
    """
    return tuple(_constant(place, cells) for place, cells in rows(text, table, COLUMNS))


def _constant(place: str, cells: dict[str, str]) -> Constant:
    value = _number(place, "value", cells["value"])
    low, high = (_number(place, name, cells[name]) if cells[name] else None for name in ("low", "high"))
    row = Constant(
        place, cells["constant"], cells["of"], value, low, high,
        cells["unit"], cells["source"], cells["version"], cells["population"],
    )  # fmt: skip
    for name in ("unit", "source", "version", "population"):
        if not cells[name]:
            raise row.error(f"{name} is empty; each constant stands beside its {name}")
    if (low is not None and low > value) or (high is not None and high < value):
        raise row.error(f"value {value} is outside its own range {low} to {high}")
    return row


def _number(place: str, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TableError(f"{place}: expected a number as {column}, found {text!r}")
    return number
