"""The most probable tree: the arborescence of greatest weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.compiled import compiled

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
    Chu and Liu 1965, Sci Sinica 14:1396; Edmonds 1967, J Res Nat Bur Stand 71B:233. With heaps that are
    melded when a cycle becomes one node: Gabow et al. 1986, Combinatorica 6:109.
    """
    order = np.lexsort((-weight, target))
    first = np.searchsorted(target[order], np.arange(size + 1))
    best = order[first[:size]]
    if not _has_cycle(source[best], size):
        return best
    return order[_contract(source[order], target[order], -weight[order], first, size)]


@compiled
def _has_cycle(parent: Ints, size: int) -> bool:
    seen = np.full(size + 1, -1, np.int64)
    seen[size] = size
    for start in range(size):
        at = start
        while seen[at] < 0:
            seen[at] = start
            at = parent[at]
        if seen[at] == start:
            return True
    return False


@compiled
def _contract(source: Ints, target: Ints, cost: Floats, first: Ints, size: int) -> Ints:
    """Return the cheapest edge into each node; edges come by target, the cheapest of each first.

    From each node the way is followed back along the cheapest edges. A cycle becomes one node, whose edges
    cost what is saved within it less; when all lead to the root, cycles are opened again, the last first,
    where the edge into them arrives.
    """
    left, right, owed = _chains(first, len(cost), size)
    heap = np.append(first[:size], -1)
    part, members, joined = np.arange(size + 1), np.ones(size + 1, np.int64), np.empty(size + 1, np.int64)
    seen = np.full(size + 1, -1, np.int64)
    seen[size] = size
    into = np.full(size + 1, -1, np.int64)
    taken, way = np.empty(size + 1, np.int64), np.empty(size + 1, np.int64)
    # a cycle of k edges leaves k - 1 nodes fewer
    edges, cycles, joins, noted = np.empty(2 * size, np.int64), np.empty((size, 3), np.int64), 0, 0
    opened = 0
    for start in range(size):
        at, length = start, 0
        while seen[at] < 0:
            edge = heap[at]
            _settle(edge, left, right, owed, cost)
            if left[edge] >= 0:
                owed[left[edge]] -= cost[edge]
            if right[edge] >= 0:
                owed[right[edge]] -= cost[edge]
            heap[at] = _meld(left[edge], right[edge], left, right, owed, cost)
            if _find(part, source[edge]) == at:
                continue
            taken[length], way[length], seen[at] = edge, at, start
            length += 1
            at = _find(part, source[edge])
            if seen[at] == start:
                end, before, melded, other = length, joins, -1, True
                while other:
                    length -= 1
                    node = way[length]
                    melded = _meld(melded, heap[node], left, right, owed, cost)
                    other = _join(part, members, joined, joins, at, node)
                    joins += other
                at = _find(part, at)
                heap[at], seen[at] = melded, -1
                cycles[opened] = at, before, noted
                edges[noted : noted + end - length] = taken[length:end]
                opened, noted = opened + 1, noted + end - length
        for k in range(length):
            into[_find(part, target[taken[k]])] = taken[k]
    _open(part, members, joined, joins, into, target, edges[:noted], cycles[:opened])
    return into[:size]


@compiled
def _chains(first: Ints, count: int, size: int) -> tuple[Ints, Ints, Floats]:
    """Return heaps of edges that are sorted already: each edge has the next one of its target below it."""
    left = np.arange(1, count + 1)
    for node in range(size):
        left[(first[node + 1] if node + 1 < size else count) - 1] = -1
    return left, np.full(count, -1, np.int64), np.zeros(count)


@compiled
def _settle(edge: int, left: Ints, right: Ints, owed: Floats, cost: Floats) -> None:
    """Add what an edge's heap owes to it, and pass it on to the heaps below."""
    if owed[edge] != 0.0:
        cost[edge] += owed[edge]
        if left[edge] >= 0:
            owed[left[edge]] += owed[edge]
        if right[edge] >= 0:
            owed[right[edge]] += owed[edge]
        owed[edge] = 0.0


@compiled
def _meld(one: int, other: int, left: Ints, right: Ints, owed: Floats, cost: Floats) -> int:
    """Return the first edge of two skew heaps made one (Sleator and Tarjan 1986, SIAM J Comput 15:52)."""
    top, above = -1, -1
    while one >= 0 and other >= 0:
        _settle(one, left, right, owed, cost)
        _settle(other, left, right, owed, cost)
        if cost[one] > cost[other]:
            one, other = other, one
        if above < 0:
            top = one
        else:
            left[above] = one
        above, below = one, right[one]
        right[one] = left[one]
        one = below
    rest = one if one >= 0 else other
    if above < 0:
        return rest
    left[above] = rest
    return top


@compiled
def _find(part: Ints, node: int) -> int:
    while part[node] != node:
        node = part[node]
    return node


@compiled
def _join(part: Ints, members: Ints, joined: Ints, joins: int, one: int, other: int) -> bool:
    """Make two parts one, the smaller below the larger; note which, for the way back."""
    one, other = _find(part, one), _find(part, other)
    if one == other:
        return False
    if members[one] < members[other]:
        one, other = other, one
    part[other] = one
    members[one] += members[other]
    joined[joins] = other
    return True


@compiled
def _open(
    part: Ints,
    members: Ints,
    joined: Ints,
    joins: int,
    into: Ints,
    target: Ints,
    edges: Ints,
    cycles: Ints,
) -> None:
    last = len(edges)
    for number in range(len(cycles) - 1, -1, -1):
        node, before, begin = cycles[number, 0], cycles[number, 1], cycles[number, 2]
        arriving = into[node]
        while joins > before:
            joins -= 1
            members[part[joined[joins]]] -= members[joined[joins]]
            part[joined[joins]] = joined[joins]
        for k in range(begin, last):
            into[_find(part, target[edges[k]])] = edges[k]
        into[_find(part, target[arriving])] = arriving
        last = begin
