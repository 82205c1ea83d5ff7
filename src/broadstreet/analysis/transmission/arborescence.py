"""The most probable tree: the arborescence of greatest weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def most_probable(source: Ints, target: Ints, weight: Floats, size: int) -> Ints:
    """Return, for each node but the root, which edge leads to it in the arborescence of greatest weight.

    Parameters
    ----------
    source, target : ndarray of int, shape (edges,)
        Nodes from 0 to `size`; node `size` is the root, and has an edge to each other node.
    weight : ndarray of float, shape (edges,)
        Logarithms of probabilities: their sum is made as great as can be.
    size : int
        Nodes without the root.

    Returns
    -------
    ndarray of int, shape (size,)
        Numbers of edges.

    Source
    ------
    Chu and Liu 1965, Sci Sinica 14:1396; Edmonds 1967, J Res Nat Bur Stand 71B:233.
    """
    best = _best_edges(target, weight, size)
    cycle = _cycles(source[best], size)
    if (cycle < 0).all():
        return best
    # Each cycle becomes one node; an edge into it costs what it displaces there.
    count = int(cycle.max()) + 1
    outside = np.flatnonzero(cycle < 0)
    node = np.empty(size + 1, np.int64)
    node[:size][outside] = np.arange(len(outside))
    node[:size][cycle >= 0] = len(outside) + cycle[cycle >= 0]
    smaller = len(outside) + count
    node[size] = smaller
    displaced = np.where(cycle[target] >= 0, weight[best[target]], 0.0)
    keep = np.flatnonzero(node[source] != node[target])
    chosen = keep[most_probable(node[source[keep]], node[target[keep]], (weight - displaced)[keep], smaller)]
    best[target[chosen]] = chosen
    return best


def _best_edges(target: Ints, weight: Floats, size: int) -> Ints:
    order = np.lexsort((-weight, target))
    first = np.searchsorted(target[order], np.arange(size))
    return order[first]


def _cycles(parent: Ints, size: int) -> Ints:
    """Return the number of the cycle that each node lies on, -1 for none."""
    cycle = np.full(size, -1, np.int64)
    seen = np.full(size + 1, -1, np.int64)
    seen[size] = size
    found = 0
    above = parent.tolist()
    for start in range(size):
        at = start
        while seen[at] < 0:
            seen[at] = start
            at = above[at]
        if seen[at] == start and at != size and cycle[at] < 0:
            while cycle[at] < 0:
                cycle[at] = found
                at = above[at]
            found += 1
    return cycle
