"""A network of streets: where a point stands on it, and how far it is to walk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from broadstreet.analysis.columns import Table, keys, read
from broadstreet.analysis.exposure.plane import Plane, Points

_JOINED_WITHIN = 1e-4  # of the network's extent: ends closer than this are one crossing (20 cm in 2 km)
_BLOCK = 4_000_000  # pairs of points and sections looked at together
_MOST_PAIRS = 4_000_000_000
_MOST_SECTIONS = 500_000


@dataclass(frozen=True)
class Standing:
    """Points on a network.

    Attributes
    ----------
    section : ndarray of int, shape (points,)
    along : ndarray, shape (points,)
        Distance from the start of the section.
    away : ndarray, shape (points,)
        Distance of the point itself from where it stands on the network.
    """

    section: NDArray[np.int64]
    along: NDArray[np.float64]
    away: NDArray[np.float64]


@dataclass(frozen=True)
class Streets:
    """Straight sections of street between nodes.

    Attributes
    ----------
    nodes : ndarray, shape (nodes, 2)
    ends : ndarray of int, shape (sections, 2)
        Nodes at the start and at the end of each section.
    """

    nodes: Points
    ends: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Length of each section."""
        start, end = self.nodes[self.ends[:, 0]], self.nodes[self.ends[:, 1]]
        lengths: NDArray[np.float64] = np.hypot(*(end - start).T)
        return lengths

    def stand(self, points: Points) -> Standing:
        """Return where each point stands: the nearest spot of any section.

        Raises
        ------
        ValueError
            If there are too many pairs of points and sections.
        """
        if len(points) * len(self.ends) > _MOST_PAIRS:
            raise ValueError(
                f"points x sections of street must be at most {_MOST_PAIRS:,} (are {len(points):,} x "
                f"{len(self.ends):,}); cut the streets to the area of the cases"
            )
        section = np.zeros(len(points), np.int64)
        along, away = np.zeros(len(points)), np.zeros(len(points))
        block = max(1, _BLOCK // len(self.ends))
        for first in range(0, len(points), block):
            some = slice(first, first + block)
            offset, gap = self._project(points[some])
            section[some] = gap.argmin(axis=1)
            rows = np.arange(len(gap))
            along[some], away[some] = offset[rows, section[some]], np.sqrt(gap[rows, section[some]])
        return Standing(section, along, away)

    def _project(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return, for each point and section, the offset of the nearest spot and its squared distance."""
        start = self.nodes[self.ends[:, 0]]
        length = self.lengths
        way = (self.nodes[self.ends[:, 1]] - start) / length[:, np.newaxis]
        x = points[:, :1] - start[:, 0]
        y = points[:, 1:] - start[:, 1]
        along = np.clip(x * way[:, 0] + y * way[:, 1], 0.0, length)
        return along, (x - along * way[:, 0]) ** 2 + (y - along * way[:, 1]) ** 2

    def split(self, standing: Standing) -> tuple[Streets, NDArray[np.int64]]:
        """Return the streets with a node where each point stands, and the number of that node."""
        nodes = [self.nodes]
        node_of = np.zeros(len(standing.section), np.int64)
        kept = np.ones(len(self.ends), bool)
        added: list[tuple[int, int]] = []
        lengths, count = self.lengths, len(self.nodes)
        tolerance = _tolerance(self.nodes)
        for section in np.unique(standing.section):
            here = np.flatnonzero(standing.section == section)
            here = here[np.argsort(standing.along[here], kind="stable")].tolist()
            start, end = self.ends[section]
            chain = [(0.0, int(start))]
            for point in here:
                along = float(standing.along[point])
                if along - chain[-1][0] <= tolerance:
                    node_of[point] = chain[-1][1]
                elif lengths[section] - along <= tolerance:
                    node_of[point] = end
                else:
                    nodes.append(self.spots(standing, slice(point, point + 1)))
                    node_of[point] = count
                    chain.append((along, count))
                    count += 1
            chain.append((float(lengths[section]), int(end)))
            kept[section] = False
            added.extend((first, second) for (_, first), (_, second) in pairwise(chain))
        ends = np.concatenate([self.ends[kept], np.array(added, np.int64).reshape(-1, 2)])
        return Streets(np.concatenate(nodes), ends), node_of

    def spots(self, standing: Standing, which: slice = slice(None)) -> Points:
        """Return the coordinates of where points stand."""
        section, along = standing.section[which], standing.along[which]
        start, end = self.nodes[self.ends[section, 0]], self.nodes[self.ends[section, 1]]
        share = along / self.lengths[section]
        spots: Points = start + (end - start) * share[:, np.newaxis]
        return spots

    def from_nodes(self, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the walking distance from some nodes to all, shape (some, nodes); infinite without a way."""
        count = len(self.nodes)
        pairs = np.sort(self.ends, axis=1)
        order = np.lexsort((self.lengths, *pairs.T))  # of two ways between the same nodes the shorter one
        (low, high), first = _first_of_each(pairs[order])
        ways = coo_array((self.lengths[order[first]], (low, high)), shape=(count, count)).tocsr()
        distances: NDArray[np.float64] = dijkstra(ways, directed=False, indices=nodes)
        return distances

    def to_points(self, from_nodes: NDArray[np.float64], standing: Standing) -> NDArray[np.float64]:
        """Return the distance from what `from_nodes` began at to points, shape (some, points)."""
        start, end = self.ends[standing.section].T
        rest = self.lengths[standing.section] - standing.along
        walked: NDArray[np.float64] = np.minimum(
            from_nodes[:, start] + standing.along, from_nodes[:, end] + rest
        )
        return walked

    def every(self, step: float) -> tuple[Standing, NDArray[np.float64]]:
        """Return spots evenly along every section, at most a step apart, and the length each stands for."""
        lengths = self.lengths
        pieces = np.maximum(1, np.ceil(lengths / step)).astype(np.int64)
        section = np.repeat(np.arange(len(lengths)), pieces)
        within = np.arange(len(section)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        size = (lengths / pieces)[section]
        return Standing(section, (within + 0.5) * size, np.zeros(len(section))), size


def read_streets(table: Table, plane: Plane) -> Streets:
    """Return the network of a table: rows in a row with the same `street` are one line of points.

    Ends that touch are joined, and so is an end that touches the middle of another section. Lines that cross
    without a common point stay apart, as a bridge does.

    Raises
    ------
    ValueError
        If there is no line of two different points, or too many.
    """
    columns = read(table, "streets", ("street",))
    points = plane.points(table, "streets")
    street = keys(columns["street"], "streets", "street")
    joined = [row for row, (one, next_) in enumerate(pairwise(street)) if one == next_]
    if len(joined) > _MOST_SECTIONS:
        raise ValueError(f"streets must have at most {_MOST_SECTIONS:,} sections (has {len(joined):,})")
    nodes, node = _merged(points)
    ends = node[np.column_stack([joined, np.add(joined, 1)]).reshape(-1, 2).astype(np.int64)]
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    if not len(ends):
        raise ValueError(
            "streets needs two different points in a row with the same street (has no such rows)"
        )
    return _with_touching_ends(Streets(nodes, ends))


def _first_of_each(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different pairs, shape (2, different), and the first row of each."""
    different, first = np.unique(pairs, axis=0, return_index=True)
    return different.T, first


def _tolerance(points: Points) -> float:
    return float(np.ptp(points, axis=0).max() * _JOINED_WITHIN)


def _merged(points: Points) -> tuple[Points, NDArray[np.int64]]:
    """Return the points with those that are nearly the same taken as one, and the number of each."""
    if not len(points):
        return points, np.zeros(0, np.int64)
    pairs = cKDTree(points).query_pairs(_tolerance(points), output_type="ndarray")
    first = np.arange(len(points))
    for low, high in sorted(pairs.tolist()):
        first[high] = min(first[high], first[low])
    kept, number = np.unique(first, return_inverse=True)
    return points[kept], number.astype(np.int64)


def _with_touching_ends(streets: Streets) -> Streets:
    """Join dead ends to the section that they touch."""
    degree = np.bincount(streets.ends.ravel(), minlength=len(streets.nodes))
    loose = np.flatnonzero(degree == 1)
    tolerance = _tolerance(streets.nodes)
    own = {int(node): at for at, pair in enumerate(streets.ends) for node in pair if degree[node] == 1}
    touching: list[tuple[int, int, float]] = []
    for block in np.array_split(loose, max(1, len(loose) * len(streets.ends) // _BLOCK)):
        along, gap = streets._project(streets.nodes[block])
        gap[np.arange(len(block)), [own[int(node)] for node in block]] = np.inf
        nearest = gap.argmin(axis=1)
        for row, (node, section) in enumerate(zip(block.tolist(), nearest.tolist(), strict=True)):
            if gap[row, section] <= tolerance**2:
                touching.append((node, section, float(along[row, section])))
    if not touching:
        return streets
    node, section, offset = zip(*touching, strict=True)
    standing = Standing(np.array(section), np.array(offset), np.zeros(len(node)))
    split, new = streets.split(standing)
    replaced = np.arange(len(split.nodes))
    replaced[new] = node
    ends = replaced[split.ends]
    return Streets(split.nodes, ends[ends[:, 0] != ends[:, 1]])
