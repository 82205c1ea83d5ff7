"""Cases expected from the population at risk, of the same age, sex or whatever else is adjusted for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, finite_numbers, keys, read
from broadstreet.analysis.scan.places import Places
from broadstreet.analysis.scan.steps import Steps, read_times

Stratum = tuple[Hashable, ...]
_MOST_CELLS = 50_000_000


def person_time(
    population: Table, places: Places | None, steps: Steps, covariates: Sequence[str]
) -> tuple[NDArray[np.float64], dict[Stratum, int]]:
    """Return person-time by place, step and stratum, and the number of each stratum.

    Between the times of a population it is interpolated on a straight line; before the first and after the
    last it is constant. `places` None adds all places up.
    """
    columns = read(population, "population", ("population", *covariates), ("time", "place"))
    people = finite_numbers(columns["population"], "population", "population")
    if (people < 0).any():
        row = int(np.flatnonzero(people < 0)[0])
        raise ValueError(f"population row {row}: population must be 0 or more (is {people[row]})")
    place = np.zeros(people.size, np.int64)
    if places is not None:
        if "place" not in columns:
            raise ValueError("population needs the column place")
        place = places.locate(keys(columns["place"], "population", "place"), "population")
    given = np.zeros(people.size)
    if "time" in columns:
        given = steps.middles(read_times(columns["time"], "population"), "population")
    moments, moment = np.unique(given, return_inverse=True)
    strata: dict[Stratum, int] = {}
    stratum = number_strata(
        [keys(columns[name], "population", name) for name in covariates], people.size, strata
    )
    place_count = 1 if places is None else len(places.names)
    if place_count * steps.count * max(len(strata), 1) > _MOST_CELLS:
        raise ValueError(
            f"places x steps x covariate categories must be at most {_MOST_CELLS:,} "
            f"(are {place_count:,} x {steps.count:,} x {len(strata):,})"
        )
    known = np.zeros((place_count, moments.size), bool)
    known[place, moment] = True
    if not known.all():
        lacking = int(np.flatnonzero(~known.all(axis=1))[0])
        name = "the total" if places is None else repr(places.names[lacking])
        raise ValueError(
            f"population has no row for {name} at one of its {moments.size} time(s) "
            f"({int((~known.all(axis=1)).sum()):,} such place(s)); "
            "give each place its population, 0 where nobody lives"
        )
    table = np.zeros((place_count, moments.size, len(strata)))
    np.add.at(table, (place, moment, stratum), people)
    return np.einsum("tm,pmk->ptk", _interpolation(moments, steps.edges()), table), strata


def number_strata(
    columns: Sequence[list[Hashable]], rows: int, strata: dict[Stratum, int]
) -> NDArray[np.int64]:
    """Return the stratum of each row; add those that are new to `strata`."""
    combinations = zip(*columns, strict=True) if columns else iter([()] * rows)
    return np.array([strata.setdefault(combination, len(strata)) for combination in combinations], np.int64)


def expected_cases(
    person_time: NDArray[np.float64], cases: NDArray[np.int64], strata: dict[Stratum, int]
) -> NDArray[np.float64]:
    """Return expected cases by place and step: each stratum's overall rate times its person-time."""
    total = person_time.sum(axis=(0, 1))
    for stratum, number in strata.items():
        if cases[number] and not total[number]:
            raise ValueError(
                f"{cases[number]} case(s) of the category {stratum} have no population; add it to population"
            )
    rate = np.divide(cases, total, out=np.zeros(len(total)), where=total > 0)
    expected: NDArray[np.float64] = person_time @ rate
    return expected


def _interpolation(moments: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each step and moment, how much of the moment's population the step's person-time holds."""
    knots = np.union1d(moments, edges)
    share = np.column_stack([np.interp(knots, moments, row) for row in np.eye(moments.size)])
    areas = (share[1:] + share[:-1]) / 2.0 * np.diff(knots)[:, np.newaxis]
    cumulated = np.concatenate([np.zeros((1, moments.size)), np.cumsum(areas, axis=0)])
    return np.diff(cumulated[np.searchsorted(knots, edges)], axis=0)
