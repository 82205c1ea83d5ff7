"""Where are there more cases than chance explains, whenever they were?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from broadstreet.analysis.columns import Table
from broadstreet.analysis.scan import settings
from broadstreet.analysis.scan.circles import circles
from broadstreet.analysis.scan.cluster import Clusters
from broadstreet.analysis.scan.detection import Search, find_clusters
from broadstreet.analysis.scan.places import Distance, read_places
from broadstreet.analysis.scan.study import read_study
from broadstreet.analysis.scan.windows import whole_period


def spatial(  # noqa: PLR0913  the settings of SaTScan
    cases: Table,
    places: Table,
    *,
    model: Literal["poisson", "bernoulli"] = "poisson",
    population: Table | None = None,
    controls: Table | None = None,
    covariates: Sequence[str] = (),
    period: tuple[Any, Any] | None = None,
    max_fraction: float = 0.5,
    max_radius: float | None = None,
    min_cases: int = 2,
    replicates: int = 999,
    seed: int | None = None,
    distance: Distance = "great_circle",
) -> Clusters:
    """Scan space for clusters of cases: circles of places, all times together.

    Parameters
    ----------
    cases, places, population, controls, covariates, period
        As for :func:`space_time`; `cases` needs no column time. With one, the population is the period's.
    model : {"poisson", "bernoulli"}
        What is expected: from the population; from controls.
    max_fraction, max_radius, min_cases, replicates, seed, distance
        As for :func:`space_time`.

    Returns
    -------
    list of Cluster
        The most likely first, without overlap. `start` and `end` are those of the period.

    Raises
    ------
    ValueError, TypeError
        As for :func:`space_time`.

    Source
    ------
    Kulldorff 1997, Commun Stat Theory Methods 26(6):1481-1496, doi:10.1080/03610929708831995.
    """
    if model not in ("poisson", "bernoulli"):
        raise ValueError(f"a purely spatial scan takes model='poisson' or 'bernoulli' (is {model!r})")
    where = read_places(places, distance)
    study, steps = read_study(
        cases, where, model=model, population=population, controls=controls, covariates=covariates,
        period=period, timeless=True,
    )  # fmt: skip
    search = Search(
        circles(
            where, study.expected.sum(axis=1), settings.fraction(max_fraction), settings.radius(max_radius)
        ),
        whole_period(steps.count),
        prospective=False,
        min_cases=settings.whole_number("min_cases", min_cases, least=1),
        replicates=settings.replicate_count(replicates),
        seed=seed,
    )
    return find_clusters(study, steps if steps.timed else None, where, search)
