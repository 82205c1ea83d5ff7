"""Put people into households: the ages of a pyramid, the sizes of a census, parents beside children.

Children are dealt to families in order of age, so that siblings are close in age; parents are dealt to
families in order of age too, so that older parents have older children; couples are neighbours in a list
sorted by age. Noise in the order gives the spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.configuration import Configuration

ADULT = 18
# Office for National Statistics, Families and households in the UK: 2021: of the families with dependent
# children 23 % have one parent.
_LONE_PARENTS = 0.23
# Chance of a household of so many people to be a family with children, relative to others; an assumption.
_FAMILY = np.array([0.0, 0.0, 0.10, 0.60, 0.85, 0.90])
_PARENT_AGE, _PARENT_SPREAD = 39.5, 8.5  # weights for the ages of parents with a child at home; an assumption
_YOUNG = 31  # young adults who live with older ones, or share
_NOISE_CHILD, _NOISE_PARENT, _NOISE_COUPLE = 2.5, 3.0, 2.5  # years
_CARE_HOME = 30  # residents of one unit


@dataclass(frozen=True, eq=False)
class Households:
    """Who lives together: people are numbered household by household.

    `age` has shape (people,); `home` counts the households from 0; those from `care_homes` on are units of
    care homes.
    """

    age: NDArray[np.uint8]
    home: NDArray[np.uint32]
    homes: int
    care_homes: int


def make_households(configuration: Configuration, draw: np.random.Generator) -> Households:
    """Draw ages and share them out to households and care homes."""
    age = _ages(configuration, draw)
    old = np.flatnonzero(age >= 80)
    care = draw.permutation(old)[: round(configuration.care_home_share * len(old))]
    at_home = np.ones(len(age), np.bool_)
    at_home[care] = False
    children, adults = age[at_home & (age < ADULT)], age[at_home & (age >= ADULT)]
    sizes = _sizes(configuration, len(children) + len(adults), draw)
    kids = _kids(sizes, len(children), draw)
    ages, home = _fill(sizes, kids, children, adults, draw)
    units = max(1, round(len(care) / _CARE_HOME)) if len(care) else 0
    cared = np.arange(len(care)) * units // max(1, len(care))
    return Households(
        age=np.concatenate([ages, age[care]]),
        home=np.concatenate([home, len(sizes) + cared]).astype(np.uint32),
        homes=len(sizes) + units,
        care_homes=len(sizes),
    )


def _ages(configuration: Configuration, draw: np.random.Generator) -> NDArray[np.uint8]:
    shares = np.zeros(121)
    for band in configuration.ages:
        years = np.arange(band.first, band.last + 1)
        # Within the band of the oldest each year has fewer: mortality doubles about every eight years
        # (Gompertz).
        fewer = np.exp(-0.15 * (years - band.first)) if band.last >= 90 else np.ones(len(years))
        shares[years] = band.share * fewer / fewer.sum()
    exact = shares / shares.sum() * configuration.population
    counts = np.floor(exact).astype(np.int64)
    missing = configuration.population - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    age = np.repeat(np.arange(121, dtype=np.uint8), counts)
    draw.shuffle(age)
    return age


def _sizes(configuration: Configuration, people: int, draw: np.random.Generator) -> NDArray[np.int64]:
    shares = np.asarray(configuration.household_sizes) / sum(configuration.household_sizes)
    each = np.arange(1, len(shares) + 1)
    counts = np.floor(shares * people / float(shares @ each)).astype(np.int64)
    left = people - int(counts @ each)  # fewer than the sum of all sizes
    while left > 0:
        size = min(left, int(draw.choice(each, p=shares)))
        counts[size - 1] += 1
        left -= size
    sizes = np.repeat(each, counts)
    draw.shuffle(sizes)
    return sizes


def _kids(sizes: NDArray[np.int64], children: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Return how many children each household has; they sum to `children`, and an adult is in each."""
    weight = _FAMILY[np.minimum(sizes, len(_FAMILY) - 1)]
    order = np.argsort(-(draw.random(len(sizes)) ** (1.0 / np.maximum(weight, 1e-3))), kind="stable")
    parents = np.where((draw.random(len(sizes)) < _LONE_PARENTS) | (sizes == 2), 1, 2)
    kids = np.maximum(sizes - parents, 0)
    missing = children - int(kids.sum())
    if missing > 0:  # more children than two parents can have beside them: more parents are alone
        second = order[(kids[order] < sizes[order] - 1)][:missing]
        kids[second] += 1
    before = np.cumsum(kids[order]) - kids[order]
    kids[order] = np.clip(children - before, 0, kids[order])
    return kids


def _fill(
    sizes: NDArray[np.int64],
    kids: NDArray[np.int64],
    children: NDArray[np.uint8],
    adults: NDArray[np.uint8],
    draw: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return ages and households of the people, household by household."""
    families, others = np.flatnonzero(kids), np.flatnonzero(kids == 0)
    parents = sizes - kids
    chosen = _weighted(adults, int(parents[families].sum()), draw)
    younger = np.maximum(sizes[others] - 2, 0)
    rest = adults[~chosen]
    young = _youngest(rest, int(younger.sum()), draw)
    child_homes, parent_homes = np.repeat(families, kids[families]), np.repeat(families, parents[families])
    young_homes = np.repeat(others, younger)
    alone, couples = others[sizes[others] == 1], others[sizes[others] >= 2]
    remaining = draw.permutation(rest[~young])
    singles, pairs = remaining[: len(alone)], _in_order(remaining[len(alone) :], _NOISE_COUPLE, draw)
    homes = np.concatenate([parent_homes, child_homes, alone, np.repeat(couples, 2), young_homes])
    ages = np.concatenate(
        [
            _in_order(adults[chosen], _NOISE_PARENT, draw),
            _in_order(children, _NOISE_CHILD, draw),
            singles,
            pairs,
            draw.permutation(rest[young]),
        ]
    )
    order = np.argsort(homes, kind="stable")
    return ages[order], homes[order]


def _weighted(adults: NDArray[np.uint8], count: int, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Choose parents: each with the weight of their age, without replacement."""
    weight = np.exp(-0.5 * ((adults.astype(np.float64) - _PARENT_AGE) / _PARENT_SPREAD) ** 2) + 1e-9
    return _first(np.log(1.0 - draw.random(len(adults))) / weight * -1.0, count)


def _youngest(adults: NDArray[np.uint8], count: int, draw: np.random.Generator) -> NDArray[np.bool_]:
    return _first(np.maximum(adults.astype(np.float64), _YOUNG) + draw.random(len(adults)), count)


def _first(key: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(key), np.bool_)
    if count > 0:
        chosen[np.argpartition(key, count - 1)[:count]] = True
    return chosen


def _in_order(ages: NDArray[np.uint8], noise: float, draw: np.random.Generator) -> NDArray[np.uint8]:
    return ages[np.argsort(ages + noise * draw.standard_normal(len(ages)))]
