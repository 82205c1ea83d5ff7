"""When are there more cases than chance explains, wherever they are?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from broadstreet.analysis.columns import Table
from broadstreet.analysis.scan import settings
from broadstreet.analysis.scan.circles import everywhere
from broadstreet.analysis.scan.cluster import Clusters
from broadstreet.analysis.scan.detection import Search, find_clusters
from broadstreet.analysis.scan.study import read_study
from broadstreet.analysis.scan.windows import windows


def temporal(  # noqa: PLR0913  the settings of SaTScan
    cases: Table,
    *,
    model: Literal["poisson", "bernoulli"] = "poisson",
    population: Table | None = None,
    controls: Table | None = None,
    covariates: Sequence[str] = (),
    period: tuple[Any, Any] | None = None,
    prospective: bool = False,
    max_duration: int | None = None,
    min_cases: int = 2,
    replicates: int = 999,
    seed: int | None = None,
) -> Clusters:
    """Scan time for a cluster of cases: windows of time, all places together.

    Parameters
    ----------
    cases, controls, covariates, period, prospective, max_duration, min_cases, replicates, seed
        As for :func:`space_time`; a column place is not read.
    model : {"poisson", "bernoulli"}
        What is expected: from the population; from controls.
    population : table with columns population (and time, covariates), optional
        Rows of the same time add up. Without it, each step expects the same.

    Returns
    -------
    list of Cluster
        The most likely window, or nothing if none holds more cases than expected and `min_cases`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`space_time`.

    Source
    ------
    Kulldorff 2001, J R Stat Soc A 164(1):61-72, doi:10.1111/1467-985X.00186.
    """
    if model not in ("poisson", "bernoulli"):
        raise ValueError(f"a purely temporal scan takes model='poisson' or 'bernoulli' (is {model!r})")
    if model == "poisson" and population is None:
        if covariates:
            raise ValueError("covariates need a population by the same categories")
        population = {"population": [1.0]}
    study, steps = read_study(
        cases, None, model=model, population=population, controls=controls, covariates=covariates,
        period=period, timeless=False,
    )  # fmt: skip
    duration = None if max_duration is None else settings.whole_number("max_duration", max_duration, least=1)
    search = Search(
        everywhere(1),
        windows(steps.count, duration, prospective=prospective),
        prospective=prospective,
        min_cases=settings.whole_number("min_cases", min_cases, least=1),
        replicates=settings.replicate_count(replicates),
        seed=seed,
    )
    return find_clusters(study, steps, None, search)
