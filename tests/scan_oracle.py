"""A scan in plain Python: every cylinder, one by one, from the definition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

Table = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Best:
    statistic: float
    places: frozenset[int]
    window: tuple[int, int]
    observed: float
    expected: float


def poisson_ratio(inside: float, expected: float, cases: float) -> float:
    if inside <= expected:
        return 0.0
    outside = cases - inside
    return inside * math.log(inside / expected) + (
        outside * math.log(outside / (cases - expected)) if outside else 0.0
    )


def bernoulli_ratio(inside: float, people_inside: float, cases: float, people: float) -> float:
    """Return the ratio from the three binomial likelihoods: inside, outside, everywhere."""

    def likelihood(ill: float, all_people: float) -> float:
        return sum(n * math.log(n / all_people) for n in (ill, all_people - ill) if n)

    if inside * people <= cases * people_inside:
        return 0.0
    apart = likelihood(inside, people_inside) + likelihood(cases - inside, people - people_inside)
    return apart - likelihood(cases, people)


def discs(
    points: Sequence[tuple[float, float]], weight: Sequence[float], max_fraction: float
) -> set[frozenset[int]]:
    found = set()
    for a, b in product(points, points):
        radius = math.dist(a, b)
        inside = frozenset(i for i, point in enumerate(points) if math.dist(a, point) <= radius * (1 + 1e-9))
        if sum(weight[i] for i in inside) <= max_fraction * sum(weight) * (1 + 1e-9):
            found.add(inside)
    return found


def spans(steps: int, longest: int, *, prospective: bool) -> list[tuple[int, int]]:
    return [
        (start, end)
        for start in range(steps)
        for end in range(start + 1, steps + 1)
        if end - start <= longest and (end == steps or not prospective)
    ]


def most_likely(
    observed: Table,
    expected: Table,
    circles: set[frozenset[int]],
    windows: list[tuple[int, int]],
    min_cases: int,
    people: Table | None = None,
) -> Best | None:
    cases = sum(map(sum, observed))
    best = None
    for places, (start, end) in product(circles, windows):
        inside = sum(sum(observed[place][start:end]) for place in places)
        mean = sum(sum(expected[place][start:end]) for place in places)
        if inside < min_cases:
            continue
        if people is None:
            ratio = poisson_ratio(inside, mean, cases)
        else:
            count = sum(sum(people[place][start:end]) for place in places)
            ratio = bernoulli_ratio(inside, count, cases, sum(map(sum, people)))
        if ratio > 1e-9 and (best is None or ratio > best.statistic):
            best = Best(ratio, places, (start, end), inside, mean)
    return best
