"""Where the districts are: a table of a deployment, for the scan and for maps."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 100_000
_PLANE, _GLOBE = ("x", "y"), ("lat", "lon")


class Place(NamedTuple):
    """A district: its code, its name, and where it is: x and y in kilometres, or longitude and latitude."""

    code: str
    name: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Places:
    """The districts that have coordinates; on the globe, `x` is the longitude and `y` the latitude."""

    by_code: Mapping[str, Place] = field(default_factory=dict)
    on_globe: bool = False

    def name_of(self, code: str) -> str:
        """Return what a district is called; empty where it is not known."""
        return self.by_code[code].name if code in self.by_code else ""

    def columns(self, codes: Sequence[str]) -> dict[str, list[str] | list[float]]:
        """Return the table of places that a scan takes."""
        found = [self.by_code[code] for code in codes]
        x, y = [each.x for each in found], [each.y for each in found]
        where: dict[str, list[float]] = {"lat": y, "lon": x} if self.on_globe else {"x": x, "y": y}
        return {"place": list(codes), **where}

    @lru_cache(maxsize=64)  # noqa: B019 - there is one table of places for the life of a hub
    def neighbours(self, codes: tuple[str, ...]) -> NDArray[np.intp]:
        """Return of each of these places all of them, the nearest first: shape (places, places)."""
        x = np.array([self.by_code[code].x for code in codes])
        y = np.array([self.by_code[code].y for code in codes])
        if self.on_globe:  # near enough within a city, for an order
            x = x * np.cos(np.radians(y.mean()))
        apart = np.hypot(x[:, np.newaxis] - x, y[:, np.newaxis] - y)
        return np.argsort(apart, axis=1, kind="stable")


NOWHERE = Places()


def read_places(text: str, origin: str) -> Places:
    """Return the places of a table with a header: code, name (may be missing), and x and y, or lat and lon.

    Commas, semicolons or tabs part the columns; `origin` is named in errors.

    Raises
    ------
    ValueError
        If columns are missing, a number is none, or a code comes twice; the text names the line.
    """
    whole = io.StringIO(text, newline=None).read().split("\n")  # no other sign ends a line of a table
    lines = [line for line in whole if line.strip() and not line.startswith("#")]
    if not lines:
        raise ValueError(
            f"{origin}: expected a header with code, name, and lat and lon (or x and y), got nothing"
        )
    parts = max(",;\t", key=lines[0].count)
    rows = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=parts)
    header = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = header
    axes = next((axes for axes in (_GLOBE, _PLANE) if set(axes) <= set(header)), None)
    if axes is None or "code" not in header:
        raise ValueError(
            f"{origin}: expected a header with code, name, and lat and lon (or x and y),"
            f" got {lines[0][:80]!r}"
        )
    found: dict[str, Place] = {}
    for number, row in enumerate(rows, start=2):
        place = _place(row, axes, f"{origin}, line {number}")
        if place.code in found:
            raise ValueError(f"{origin}, line {number}: the code {place.code!r} came before")
        found[place.code] = place
        if len(found) > MOST:
            raise ValueError(f"{origin}: expected at most {MOST:,} places")
    return Places(found, axes == _GLOBE)


def _place(row: Mapping[str, str | None], axes: tuple[str, str], where: str) -> Place:
    code = (row["code"] or "").strip()
    if not code:
        raise ValueError(f"{where}: expected a code, got none")
    numbers = [_number(row[axis], f"{where}, {axis}") for axis in axes]
    y, x = numbers if axes == _GLOBE else reversed(numbers)
    if axes == _GLOBE and not (-90 <= y <= 90 and -180 <= x <= 180):
        raise ValueError(f"{where}: expected a latitude and a longitude in degrees, got {y:g}, {x:g}")
    return Place(code, (row.get("name") or code).strip(), x, y)


def _number(text: str | None, where: str) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: expected a number, got {text!r}")
    return number
