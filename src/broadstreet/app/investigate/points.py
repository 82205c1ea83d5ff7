"""Where cases live: the points of a line list, and what is said of cells that are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from broadstreet.app.investigate.sentences import counted
from broadstreet.app.reading.table import Table, is_missing, shown

Point = tuple[float, float]

_DEGREES = ("lon", "lat")
_FARTHEST = 1e9
"""Squares of coordinates up to it do not overflow."""
_HIGHEST = {_DEGREES: (360.0, 90.0), ("x", "y"): (_FARTHEST, _FARTHEST)}
_EXPECTED = {
    _DEGREES: "expected degrees, lon within 360 and lat within 90, as 13.401 and 52.52",
    ("x", "y"): f"expected numbers up to {_FARTHEST:,.0f}",
}
_MOST_ROWS = 5


@dataclass
class Points:
    """Points of the rows of a list.

    Attributes
    ----------
    values : list of (float, float) or None, or None
        None of a row without one; None in all where most cells of the columns are none.
    notes : list of str
        What was not used, in sentences.
    """

    values: list[Point | None] | None
    notes: list[str] = field(default_factory=list)


def read_points(table: Table, roles: Mapping[str, str], pair: tuple[str, str]) -> Points:
    """Return the points that a pair of columns holds; a cell that is no coordinate costs the point alone."""
    names = [roles[axis] for axis in pair]
    values: list[Point | None] = []
    wrong: dict[int, str] = {}
    nowhere: list[int] = []
    for row, cells in enumerate(zip(*(table.column(name) for name in names), strict=True)):
        point = None if any(is_missing(cell) for cell in cells) else _point(*cells)
        if point is not None and not _is_possible(point, pair):
            wrong[row], point = shown(" ".join(cells), 40), None
        if point == (0.0, 0.0) and pair == _DEGREES:
            nowhere.append(row)
            point = None
        values.append(point)
    if len(wrong) > len(values) - values.count(None) + len(nowhere):
        return Points(None, [_none(table, names, pair, wrong)])
    notes = [_wrong(table, pair, wrong)] if wrong else []
    return Points(values, notes + ([_nowhere(table, nowhere)] if nowhere else []))


def _point(first: str, second: str) -> Point:
    try:
        return float(first.replace(",", ".")), float(second.replace(",", "."))
    except ValueError:
        return float("nan"), float("nan")


def _is_possible(point: Point, pair: tuple[str, str]) -> bool:
    """Tell whether a point can be one: degrees in their range, or numbers that squares do not overflow."""
    return all(abs(value) <= most for value, most in zip(point, _HIGHEST[pair], strict=True))  # not of NaN


def _none(table: Table, names: list[str], pair: tuple[str, str], wrong: Mapping[int, str]) -> str:
    row, cells = next(iter(wrong.items()))
    columns = " and ".join(f'"{shown(name)}"' for name in names)
    metres = " Give metres of a map as x and y." if pair == _DEGREES else ""
    return (
        f'The columns {columns} hold no coordinates (row {table.numbers[row]:,}: "{cells}"), '
        f"{_EXPECTED[pair]}: they were not used.{metres}"
    )


def _wrong(table: Table, pair: tuple[str, str], wrong: Mapping[int, str]) -> str:
    some = _listed([f'row {table.numbers[row]:,}: "{cells}"' for row, cells in wrong.items()], "; ")
    return (
        f"{counted(len(wrong), 'case has', 'cases have')} coordinates that cannot be ({some}), "
        f"{_EXPECTED[pair]}: they are taken as missing."
    )


def _nowhere(table: Table, rows: list[int]) -> str:
    some = _listed([f"row {table.numbers[row]:,}" for row in rows], ", ")
    return (
        f"{counted(len(rows), 'case is', 'cases are')} at lon 0 and lat 0 ({some}), which says that the "
        "place is not known: it is taken as missing."
    )


def _listed(some: list[str], between: str) -> str:
    more = len(some) - _MOST_ROWS
    return between.join(some[:_MOST_ROWS]) + (f" and {more:,} more" if more > 0 else "")
