"""From a study to its clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.scan.circles import Circles
from broadstreet.analysis.scan.cluster import Cluster, Clusters, relative_risk
from broadstreet.analysis.scan.inference import NullDistribution, simulate
from broadstreet.analysis.scan.observed import Cylinder, most_likely
from broadstreet.analysis.scan.places import Places
from broadstreet.analysis.scan.steps import Label, Steps
from broadstreet.analysis.scan.study import Study
from broadstreet.analysis.scan.windows import Windows

_MOST_CYLINDERS = 10_000_000_000


@dataclass(frozen=True)
class Search:
    """Where to look, and how sure to be."""

    circles: Circles
    windows: Windows
    prospective: bool
    min_cases: int
    replicates: int
    seed: int | None


def find_clusters(study: Study, steps: Steps | None, places: Places | None, search: Search) -> Clusters:
    """Return the most likely cluster and those that share no place with a more likely one."""
    circles, windows = search.circles, search.windows
    cylinders = len(circles.places) * len(windows.bounds)
    if cylinders > _MOST_CYLINDERS:
        raise ValueError(
            f"{cylinders:,} cylinders, at most {_MOST_CYLINDERS:,} can be scanned; "
            "pass a smaller max_radius, max_fraction or max_duration"
        )
    measure = _cumulated(study.expected, windows)
    best = most_likely(
        _cumulated(study.observed, windows), measure, circles, windows,
        individuals=study.individuals, min_cases=search.min_cases,
    )  # fmt: skip
    if not best:
        return Clusters()
    chance = simulate(
        study, measure, circles, windows,
        min_cases=search.min_cases, replicates=search.replicates, seed=search.seed,
    )  # fmt: skip
    apart = _without_overlap(best, circles)
    return Clusters(_cluster(cylinder, study.cases, steps, places, search, chance) for cylinder in apart)


def _cumulated(table: NDArray[Any], windows: Windows) -> NDArray[Any]:
    cumulated = np.zeros((len(table), table.shape[1] + 1), table.dtype)
    np.cumsum(table, axis=1, out=cumulated[:, 1:])
    return np.ascontiguousarray(cumulated[:, windows.step_of_edge])


def _without_overlap(cylinders: list[Cylinder], circles: Circles) -> list[Cylinder]:
    taken = np.zeros(int(circles.places.max()) + 1, bool)
    apart = []
    for cylinder in cylinders:
        inside = circles.places[cylinder.first : cylinder.end]
        if not taken[inside].any():
            taken[inside] = True
            apart.append(cylinder)
    return apart


def _cluster(
    cylinder: Cylinder,
    cases: int,
    steps: Steps | None,
    places: Places | None,
    search: Search,
    chance: NullDistribution,
) -> Cluster:
    circles, windows = search.circles, search.windows
    start, end = _dates(steps, windows.step_of_edge[windows.bounds[cylinder.window]])
    p_value = chance.monte_carlo(cylinder.statistic) if search.replicates else None
    return Cluster(
        places=()
        if places is None
        else tuple(places.names[place] for place in circles.places[cylinder.first : cylinder.end]),
        centre=None if places is None else _point(places, int(circles.centre[cylinder.centre])),
        radius=None if places is None else float(circles.distance[cylinder.end - 1]),
        start=start,
        end=end,
        observed=cylinder.observed,
        expected=cylinder.expected,
        relative_risk=relative_risk(cylinder.observed, cylinder.expected, cases),
        statistic=cylinder.statistic,
        p_value=p_value,
        gumbel_p_value=chance.gumbel(cylinder.statistic),
        recurrence_interval=1.0 / p_value if search.prospective and p_value else None,
    )


def _dates(steps: Steps | None, edges: NDArray[np.int64]) -> tuple[Label | None, Label | None]:
    if steps is None:
        return None, None
    return steps.label(int(edges[0])), steps.label(int(edges[1]) - 1)


def _point(places: Places, place: int) -> tuple[float, float]:
    first, second = places.points[place].tolist()
    return first, second
