"""Rows of a table that have a point; the others are set aside, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from broadstreet.analysis.columns import Column, Table, finite_or_why, read
from broadstreet.analysis.transmission.linelist import SetAside, key_of


@dataclass(frozen=True)
class Placed:
    """Columns of the rows that have a point.

    Attributes
    ----------
    columns : dict of Column
    rows : list of int
        Which rows of the table they are.
    size : int
        How many rows the table has.
    set_aside : list of SetAside
    """

    columns: dict[str, Column]
    rows: list[int]
    size: int
    set_aside: list[SetAside] = field(default_factory=list)

    def for_every_row(self, values: Sequence[Any]) -> list[Any]:
        """Return values of the rows that have a point as one a row of the table, None for the others."""
        spread: list[Any] = [None] * self.size
        for row, value in zip(self.rows, values, strict=True):
            spread[row] = value
        return spread


def placed(table: Table, name: str, axes: tuple[str, str], others: Sequence[str] = ()) -> Placed:
    """Return the rows that have a point, with their coordinates as numbers.

    Raises
    ------
    ValueError
        If a column of coordinates is missing.
    """
    held = read(table, name, axes, others)
    cells = [held[axis].tolist() for axis in axes]
    labels = [key_of(value) for one in others[:1] if one in held for value in held[one].tolist()]
    labels = labels or [""] * len(cells[0])
    aside: list[SetAside] = []
    points: list[tuple[float, float]] = []
    rows: list[int] = []
    for row, pair in enumerate(zip(*cells, strict=True)):
        found = [finite_or_why(axis, value) for axis, value in zip(axes, pair, strict=True)]
        why = next((one for one in found if isinstance(one, str)), None)
        if why:
            aside.append(SetAside(name, row, labels[row], why))
            continue
        rows.append(row)
        points.append((float(found[0]), float(found[1])))
    columns = {column: values[rows] for column, values in held.items()}
    columns |= dict(zip(axes, np.array(points, np.float64).reshape(-1, 2).T, strict=True))
    return Placed(columns, rows, len(cells[0]), aside)
