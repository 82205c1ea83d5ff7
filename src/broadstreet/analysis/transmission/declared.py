"""Contacts that people declared: who met whom, or who infected whom."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.dates import is_missing
from broadstreet.analysis.transmission.linelist import LineList, SetAside, key_of

DIRECTED = ("infector", "case")
EITHER_WAY = ("id", "contact")


@dataclass
class Declared:
    """Declared pairs (`source` may have infected `target`); a contact that is not directed stands both ways.

    `directed` says whether a row named the infector; `row` is the row of the table.
    """

    source: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    target: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    directed: bool = False
    row: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    set_aside: list[SetAside] = field(default_factory=list)
    cyclic: list[tuple[int, int, int]] = field(default_factory=list)


def read_contacts(table: Table | None, cases: LineList) -> Declared:
    """Read contacts, `infector, case` or `id, contact`; rows that cannot be are set aside, each with its
    reason.

    Raises
    ------
    ValueError
        If the columns are neither pair.
    """
    if table is None:
        return Declared()
    held = read(table, "contacts", (), (*DIRECTED, *EITHER_WAY))
    names = next((pair for pair in (DIRECTED, EITHER_WAY) if all(name in held for name in pair)), None)
    if names is None:
        raise ValueError(
            f"contacts needs the columns infector, case or id, contact; it has {', '.join(held) or 'none'}"
        )
    position = cases.position()
    found = Declared(directed=names == DIRECTED)
    pairs: dict[tuple[int, int], int] = {}
    for row, (one, other) in enumerate(zip(held[names[0]].tolist(), held[names[1]].tolist(), strict=True)):
        why = _wrong(one, other, position, pairs, found.directed)
        if why:
            found.set_aside.append(SetAside("contacts", row, f"{_name(one)} -> {_name(other)}", why))
        else:
            pairs[position[key_of(one)], position[key_of(other)]] = row
    if found.directed:
        _take_cycles_out(pairs, cases, found)
    else:
        pairs |= {(other, one): row for (one, other), row in pairs.items()}
    found.source = np.array([one for one, _ in pairs], np.int64)
    found.target = np.array([other for _, other in pairs], np.int64)
    found.row = np.array(list(pairs.values()), np.int64)
    return found


def _name(value: object) -> str:
    return "?" if is_missing(value) else key_of(value)


def _wrong(
    one: object, other: object, position: dict[str, int], pairs: dict[tuple[int, int], int], directed: bool
) -> str | None:
    if is_missing(one) or is_missing(other):
        return "an id is missing"
    unknown = [key_of(value) for value in (one, other) if key_of(value) not in position]
    if unknown:
        return f"no case has the id {unknown[0]}"
    pair = position[key_of(one)], position[key_of(other)]
    if pair[0] == pair[1]:
        return "a case cannot infect itself"
    if pair in pairs or (not directed and pair[::-1] in pairs):
        return f"the same pair as row {pairs.get(pair, pairs.get(pair[::-1]))}"
    return None


def _take_cycles_out(pairs: dict[tuple[int, int], int], cases: LineList, found: Declared) -> None:
    """Set aside the directed contacts that form a cycle: not all of them can be true."""
    from scipy.sparse import coo_array  # noqa: PLC0415  a heavy part of scipy, seldom needed
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not pairs:
        return
    one, other = np.array(list(pairs)).T
    graph = coo_array((np.ones(len(pairs)), (one, other)), shape=(cases.size, cases.size))
    _, component = connected_components(graph, connection="strong")
    for (source, target), row in list(pairs.items()):
        if component[source] == component[target]:
            label = f"{key_of(cases.ids[source])} -> {key_of(cases.ids[target])}"
            found.set_aside.append(SetAside("contacts", row, label, "part of a cycle of declared contacts"))
            found.cyclic.append((source, target, row))
            del pairs[source, target]
