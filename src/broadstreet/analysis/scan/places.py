"""Places and the distances between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, finite_numbers, keys, read

Distance = Literal["great_circle", "euclidean"]

EARTH_RADIUS_KM = 6371.0088  # mean radius R1, IUGG; Moritz 2000, J Geod 74(1):128-133
_MOST_PLACES = 20_000


@dataclass(frozen=True)
class Places:
    """Names and points: (lat, lon) in degrees, or (x, y) on a plane."""

    names: tuple[Hashable, ...]
    points: NDArray[np.float64]
    on_sphere: bool
    index: dict[Hashable, int] = field(repr=False)

    def locate(self, names: list[Hashable], table: str) -> NDArray[np.int64]:
        """Return the index of each named place."""
        unknown = list(dict.fromkeys(name for name in names if name not in self.index))
        if unknown:
            shown = ", ".join(repr(name) for name in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            kinds = {type(name).__name__ for name in unknown[:1]} | {
                type(name).__name__ for name in self.names[:1]
            }
            hint = f" (they are {' and '.join(sorted(kinds))} there and here)" if len(kinds) > 1 else ""
            raise ValueError(
                f"{table} names {len(unknown):,} place(s) that places does not have: {shown}{hint}; "
                "add them to places or leave out their rows"
            )
        return np.array([self.index[name] for name in names], np.int64)

    def distinct(self) -> Iterator[int]:
        """Yield the first place at each point."""
        _, first = np.unique(self.points, axis=0, return_index=True)
        yield from np.sort(first).tolist()

    def distance_from(self, centre: int) -> NDArray[np.float64]:
        """Return the distance of every place from one: kilometres, or the unit of x and y."""
        if not self.on_sphere:
            away: NDArray[np.float64] = np.hypot(*(self.points - self.points[centre]).T)
            return away
        lat, lon = np.radians(self.points).T
        half_chord = (
            np.sin((lat - lat[centre]) / 2) ** 2
            + np.cos(lat) * np.cos(lat[centre]) * np.sin((lon - lon[centre]) / 2) ** 2
        )
        arc: NDArray[np.float64] = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half_chord, 1.0)))
        return arc


def read_places(table: Table, distance: Distance) -> Places:
    """Read places with their coordinates; at least two points."""
    if distance not in ("great_circle", "euclidean"):
        raise ValueError(f"distance must be 'great_circle' or 'euclidean' (is {distance!r})")
    columns = read(table, "places", ("place",), ("lat", "lon", "x", "y"))
    on_plane = "x" in columns and "y" in columns
    on_sphere = "lat" in columns and "lon" in columns and not (on_plane and distance == "euclidean")
    if distance == "euclidean" and not on_plane:
        raise ValueError(
            "distance='euclidean' needs columns x and y in places; project lat and lon to a plane first"
        )
    if not on_plane and not on_sphere:
        raise ValueError(
            f"places needs columns lat and lon (degrees) or x and y; it has {', '.join(columns)}"
        )
    names = keys(columns["place"], "places", "place")
    if len(names) > _MOST_PLACES:
        raise ValueError(
            f"places has {len(names):,} rows; at most {_MOST_PLACES:,} can be scanned: use larger areas"
        )
    index = {name: position for position, name in enumerate(names)}
    if len(index) < len(names):
        twice = next(name for position, name in enumerate(names) if index[name] != position)
        raise ValueError(f"places names {twice!r} more than once; each place has one row")
    axes = ("lat", "lon") if on_sphere else ("x", "y")
    points = np.column_stack([finite_numbers(columns[axis], "places", axis) for axis in axes])
    if on_sphere and points.size and (np.abs(points) > (90.0, 360.0)).any():
        row = int(np.flatnonzero((np.abs(points) > (90.0, 360.0)).any(axis=1))[0])
        raise ValueError(
            f"places row {row}: lat and lon must be degrees within 90 and 360 (are {points[row].tolist()})"
        )
    if len(np.unique(points, axis=0)) < 2:
        raise ValueError(
            f"places must lie at two or more points ({len(names)} place(s) at one point or none); "
            "for one place use scan.temporal"
        )
    return Places(tuple(names), points, on_sphere, index)
