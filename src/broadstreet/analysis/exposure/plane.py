"""Points of several tables on one plane: x and y as given, degrees projected to metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, finite_numbers, read
from broadstreet.analysis.scan.places import EARTH_RADIUS_KM

Points = NDArray[np.float64]

_WIDEST_DEGREES = 3.0  # the projection errs by less than 0.1 % in a lower, by 0.2 % in a far northern country


@dataclass(frozen=True)
class Plane:
    """How coordinates become points.

    Attributes
    ----------
    axes : ("x", "y") or ("lon", "lat")
    centre : (float, float)
        Degrees (lon, lat) that become (0, 0); (0, 0) where x and y are given.
    """

    axes: tuple[str, str]
    centre: tuple[float, float]

    @property
    def unit(self) -> str:
        """The unit of distances: "m", or "" for that of x and y."""
        return "m" if self.axes == ("lon", "lat") else ""

    def points(self, table: Table, name: str) -> Points:
        """Return the points of a table, shape (rows, 2).

        Raises
        ------
        ValueError
            If a column is missing, a cell is no number, or degrees are out of range or too far apart.
        """
        columns = read(table, name, self.axes)
        given = np.column_stack([finite_numbers(columns[axis], name, axis) for axis in self.axes])
        if not self.unit:
            return given
        away = np.abs(given - self.centre)
        if away.size and (away > _WIDEST_DEGREES).any():
            row = int(np.flatnonzero((away > _WIDEST_DEGREES).any(axis=1))[0])
            raise ValueError(
                f"{name} row {row}: lon and lat must lie within {_WIDEST_DEGREES:g} degrees of the median of "
                f"the cases (are {given[row].tolist()}); leave out who lives elsewhere, or give x and y"
            )
        metres = np.radians(1.0) * EARTH_RADIUS_KM * 1_000.0
        scale = np.array([np.cos(np.radians(self.centre[1])), 1.0]) * metres
        projected: Points = (given - self.centre) * scale
        return projected


def axes_of(cases: Table) -> tuple[str, str]:
    """Return the columns of the cases' coordinates: x and y where they have them, else lon and lat.

    Raises
    ------
    ValueError
        If they have neither.
    """
    columns = read(cases, "cases", (), ("x", "y", "lon", "lat"))
    for axes in (("x", "y"), ("lon", "lat")):
        if set(axes) <= set(columns):
            return axes
    raise ValueError(
        "cases needs columns x and y, or lon and lat (degrees); "
        f"it has {', '.join(columns) or 'none of them'}"
    )


def plane_of(cases: Table) -> Plane:
    """Return the plane that cases lie on: x and y where they have them, else degrees around their median.

    Raises
    ------
    ValueError
        If they have neither, or no rows.
    """
    axes = axes_of(cases)
    columns = read(cases, "cases", axes)
    values = [finite_numbers(columns[axis], "cases", axis) for axis in axes]
    if not len(values[0]):
        raise ValueError("cases must have a row or more with coordinates (has none)")
    if axes == ("x", "y"):
        return Plane(("x", "y"), (0.0, 0.0))
    lon, lat = (float(np.median(value)) for value in values)
    if not (abs(lon) <= 360.0 and abs(lat) <= 90.0):
        raise ValueError(
            f"cases: lon and lat must be degrees within 360 and 90 (their median is {lon}, {lat})"
        )
    return Plane(("lon", "lat"), (lon, lat))
