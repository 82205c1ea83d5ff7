"""Contacts that people declared: who met whom, or who infected whom."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Column, Table, read
from broadstreet.analysis.transmission.contradiction import against_dates
from broadstreet.analysis.transmission.dates import is_missing
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList, SetAside, key_of

DIRECTED = ("infector", "case")
EITHER_WAY = ("id", "contact")
_MOST_NAMED = 6
_Told = tuple[int, Any, Any]
"""A row of the table, and the two ids that it names."""


@dataclass
class Declared:
    """Declared pairs (`source` may have infected `target`); a contact that is not directed stands both ways.

    `directed` says of each pair whether its row named the infector; `row` is the row of the table; `cyclic`
    are the pairs that were set aside as part of a cycle, with row and reason.
    """

    source: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    target: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    directed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    row: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    set_aside: list[SetAside] = field(default_factory=list)
    cyclic: list[tuple[int, int, int, str]] = field(default_factory=list)


def read_contacts(table: Table | None, cases: LineList, serial: Interval) -> Declared:
    """Read contacts, each row `infector, case` or `id, contact`; rows that cannot be are set aside, each with
    its reason.

    Contacts that contradict the dates, for this serial interval, make no cycle: they are what is wrong in it.
    Who infected whom says more than that they met, so that of the same pair the former is kept.

    Raises
    ------
    ValueError
        If the columns are neither pair.
    """
    if table is None:
        return Declared()
    named, met = _by_shape(read(table, "contacts", (), (*DIRECTED, *EITHER_WAY)))
    position = cases.position()
    found = Declared()
    links: dict[tuple[int, int], int] = {}
    for told in named:
        _take(told, position, links, found)
    _take_cycles_out(links, cases, serial, found)
    pairs = dict(links)
    for told in met:
        _take(told, position, pairs, found, either_way=True)
    turned = {(other, one): row for (one, other), row in pairs.items() if (one, other) not in links}
    pairs |= turned
    found.source = np.array([one for one, _ in pairs], np.int64)
    found.target = np.array([other for _, other in pairs], np.int64)
    found.directed = np.array([pair in links for pair in pairs], bool)
    found.row = np.array(list(pairs.values()), np.int64)
    return found


def _by_shape(held: dict[str, Column]) -> tuple[list[_Told], list[_Told]]:
    """Return the rows that name an infector, and those that name two who met: each by the pair of its
    columns in which less is missing.
    """
    shapes = [pair for pair in (DIRECTED, EITHER_WAY) if all(name in held for name in pair)]
    if not shapes:
        raise ValueError(
            f"contacts needs the columns infector, case or id, contact; it has {', '.join(held) or 'none'}"
        )
    rows: dict[tuple[str, str], list[_Told]] = {DIRECTED: [], EITHER_WAY: []}
    columns = [zip(*(held[name].tolist() for name in shape), strict=True) for shape in shapes]
    for row, pairs in enumerate(zip(*columns, strict=True)):
        at = min(range(len(shapes)), key=lambda at: sum(map(is_missing, pairs[at])))
        rows[shapes[at]].append((row, *pairs[at]))
    return rows[DIRECTED], rows[EITHER_WAY]


def _take(
    told: _Told,
    position: dict[str, int],
    pairs: dict[tuple[int, int], int],
    found: Declared,
    *,
    either_way: bool = False,
) -> None:
    """Add a row to the pairs, or set it aside."""
    row, one, other = told
    why = _wrong(one, other, position, pairs, either_way)
    if why:
        found.set_aside.append(SetAside("contacts", row, f"{_name(one)} -> {_name(other)}", why))
    else:
        pairs[position[key_of(one)], position[key_of(other)]] = row


def _name(value: object) -> str:
    return "?" if is_missing(value) else key_of(value)


def _wrong(
    one: object, other: object, position: dict[str, int], pairs: dict[tuple[int, int], int], either_way: bool
) -> str | None:
    if is_missing(one) or is_missing(other):
        return "an id is missing"
    unknown = [key_of(value) for value in (one, other) if key_of(value) not in position]
    if unknown:
        return f"no case has the id {unknown[0]}"
    pair = position[key_of(one)], position[key_of(other)]
    if pair[0] == pair[1]:
        return "a case cannot infect itself"
    if pair in pairs or (either_way and pair[::-1] in pairs):
        return f"the same pair as row {pairs.get(pair, pairs.get(pair[::-1]))}"
    return None


def _take_cycles_out(
    pairs: dict[tuple[int, int], int], cases: LineList, serial: Interval, found: Declared
) -> None:
    """Set aside the directed contacts that form a cycle: not all of them can be true."""
    following: dict[int, list[int]] = {}
    for one, other in pairs:
        if not against_dates(cases, one, other, serial):
            following.setdefault(one, []).append(other)
    component = _components([(one, other) for one, some in following.items() for other in some], cases.size)
    for (one, other), row in list(pairs.items()):
        if component[one] != component[other] or other not in following.get(one, []):
            continue
        names = [key_of(cases.ids[at]) for at in (one, *_way(following, component, other, one))]
        why = f"part of a cycle of declared contacts: {_in_words(names)}"
        found.set_aside.append(SetAside("contacts", row, f"{names[0]} -> {names[1]}", why))
        found.cyclic.append((one, other, row, why))
        del pairs[one, other]


def _components(links: list[tuple[int, int]], size: int) -> NDArray[np.int64]:
    """Return the number of the strongly connected set of each case."""
    from scipy.sparse import coo_array  # noqa: PLC0415  a heavy part of scipy, seldom needed
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not links:
        return np.arange(size)
    one, other = np.array(links).T
    graph = coo_array((np.ones(len(links)), (one, other)), shape=(size, size))
    component: NDArray[np.int64] = connected_components(graph, connection="strong")[1]
    return component


def _way(following: dict[int, list[int]], component: NDArray[np.int64], first: int, last: int) -> list[int]:
    """Return the shortest way from one case to another of the same strongly connected set, both included."""
    before = {first: first}
    waiting = deque([first])
    while last not in before:
        at = waiting.popleft()
        for to in following.get(at, []):
            if to not in before and component[to] == component[first]:
                before[to] = at
                waiting.append(to)
    way = [last]
    while way[-1] != first:
        way.append(before[way[-1]])
    return way[::-1]


def _in_words(names: list[str]) -> str:
    some = names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], "...", names[-1]]
    return " -> ".join(some)
