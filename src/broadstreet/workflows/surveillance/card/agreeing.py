"""Which of a signal's series count different visits, and which count the same ones again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from broadstreet.model.records import Evidence, Stratum
from broadstreet.workflows.surveillance.tables import ALL, CITY

Key = tuple[str, str, str]


def series_of(evidence: Iterable[Evidence]) -> list[tuple[Stratum, frozenset[str]]]:
    """Return the series of tests, the strongest first, each with the visits that are named of it."""
    visits: defaultdict[Key, set[str]] = defaultdict(set)
    best: dict[Key, tuple[float, Stratum]] = {}
    for each in evidence:
        where, chance = each.where, 1.0 if each.chance is None else each.chance
        key = where.stream, where.place, where.stratum
        visits[key].update(each.visits)
        best[key] = min(best.get(key, (chance, where)), (chance, where), key=lambda found: found[0])
    order = sorted(best, key=lambda key: (best[key][0], key))
    return [(best[key][1], frozenset(visits[key])) for key in order]


def distinct(evidence: Iterable[Evidence]) -> int:
    """Return how many series, taken from the strongest on, count no visit of one taken before."""
    taken: list[tuple[Stratum, frozenset[str]]] = []
    for where, visits in series_of(evidence):
        if not any(_meet(where, other) or visits & seen for other, seen in taken):
            taken.append((where, visits))
    return len(taken)


def _meet(one: Stratum, other: Stratum) -> bool:
    """Return whether one visit may count in both: a district is in the city, a band of ages in everybody."""
    place = one.place == other.place or CITY in (one.place, other.place)
    stratum = one.stratum == other.stratum or ALL in (one.stratum, other.stratum)
    return one.stream == other.stream and place and stratum
