"""Collect places while a city is built: each stands beside a resident, so places are where people are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import NOWHERE
from broadstreet.simulation.population.kinds import Kind

_ASIDE = 0.06  # kilometres from the resident's door


class Plots:
    """The map under construction; `x`, `y`, `district` are those of each person's home."""

    def __init__(self, x: NDArray[np.float32], y: NDArray[np.float32], district: NDArray[np.uint16]) -> None:
        self.x, self.y, self.district = x, y, district
        self.count = 0
        self._columns: list[
            tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]]
        ] = []
        self._parents: list[NDArray[np.uint32]] = []
        self._anchors: list[NDArray[np.int64]] = []
        self._staff: dict[int, int] = {}

    def add_homes(
        self,
        kind: NDArray[np.uint8],
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        district: NDArray[np.uint16],
    ) -> None:
        """Take the homes as the first places."""
        self._anchors.append(np.zeros(len(kind), np.int64))
        self._take(kind, district, x, y, np.full(len(kind), NOWHERE, np.uint32))

    def add(
        self, kind: Kind, residents: NDArray[np.int64], parent: NDArray[np.uint32] | None = None
    ) -> NDArray[np.uint32]:
        """Add a place beside the home of each resident; return the numbers of the places."""
        count = len(residents)
        numbers = np.arange(self.count, self.count + count, dtype=np.uint32)
        if parent is None:
            parent = np.full(count, NOWHERE, np.uint32)
        turn = numbers * np.float32(2.399963)  # the golden angle: no two places of one resident coincide
        x = self.x[residents] + np.float32(_ASIDE) * np.cos(turn)
        y = self.y[residents] + np.float32(_ASIDE) * np.sin(turn)
        self._anchors.append(residents)
        self._take(np.full(count, kind, np.uint8), self.district[residents], x, y, parent)
        return numbers

    def anchors(self) -> NDArray[np.int64]:
        """Return the resident beside whom each place stands (0 for homes)."""
        return np.concatenate(self._anchors)

    def serve(self, places: NDArray[np.uint32], teams: NDArray[np.uint32]) -> None:
        """Let a team serve each public place (the first, where it has several)."""
        self._staff.update(zip(places[::-1].tolist(), teams[::-1].tolist(), strict=True))

    def columns(
        self,
    ) -> tuple[
        NDArray[np.uint8],
        NDArray[np.uint16],
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.uint32],
        NDArray[np.uint32],
    ]:
        """Return kind, district, x, y, parent and staff of all places."""
        kind, district, x, y = (np.concatenate(column) for column in zip(*self._columns, strict=True))
        staff = np.full(self.count, NOWHERE, np.uint32)
        staff[list(self._staff)] = list(self._staff.values())
        return kind, district, x, y, np.concatenate(self._parents), staff

    def _take(
        self,
        kind: NDArray[np.uint8],
        district: NDArray[np.uint16],
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        parent: NDArray[np.uint32],
    ) -> None:
        self._columns.append((kind, district, x.astype(np.float32), y.astype(np.float32)))
        self._parents.append(parent)
        self.count += len(kind)
