"""Where and when are there more cases than chance explains?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broadstreet.analysis.columns import Table
from broadstreet.analysis.scan import settings
from broadstreet.analysis.scan.circles import circles
from broadstreet.analysis.scan.cluster import Clusters
from broadstreet.analysis.scan.detection import Search, find_clusters
from broadstreet.analysis.scan.places import Distance, read_places
from broadstreet.analysis.scan.study import Model, read_study
from broadstreet.analysis.scan.windows import windows


def space_time(  # noqa: PLR0913  the settings of SaTScan
    cases: Table,
    places: Table,
    *,
    model: Model = "permutation",
    population: Table | None = None,
    controls: Table | None = None,
    covariates: Sequence[str] = (),
    period: tuple[Any, Any] | None = None,
    prospective: bool = False,
    max_fraction: float = 0.5,
    max_radius: float | None = None,
    max_duration: int | None = None,
    min_cases: int = 2,
    replicates: int = 999,
    seed: int | None = None,
    distance: Distance = "great_circle",
) -> Clusters:
    r"""Scan space and time for clusters of cases with cylinders: circles of places by windows of time.

    Every place is the centre of circles of growing radius; each circle is combined with each window of time.
    A cylinder with :math:`c` of the :math:`C` cases, where :math:`\mu` are expected, has the log likelihood
    ratio

    .. math:: c \log\frac{c}{\mu} + (C - c) \log\frac{C - c}{C - \mu} \quad (c > \mu).

    The highest is compared with the highest of each of `replicates` data sets made by chance.

    Parameters
    ----------
    cases : table with columns place, time, count (and covariates)
        One or several rows for a place and time, which add up; without `count` each row is one case. `time`:
        whole numbers, dates, or ISO text (2001-11-22, 2001-11, 2001). A step is one number or one unit of
        the dates; days that are all the first of a year (month) make steps of years (months).
    places : table with columns place and lat, lon (degrees) or x, y (on a plane)
        One row a place; places without cases count too.
    model : {"permutation", "poisson", "bernoulli"}
        What is expected: from when and where cases are seen alone; from the population; from controls.
    population : table with columns place, population (and time, covariates), Poisson only
        Interpolated between the times that are given. Person-time is adjusted for covariates indirectly.
    controls : table with columns place, time, count, Bernoulli only
        People without the disease.
    covariates : sequence of str
        Columns to adjust for; every combination is a category.
    period : (first, last), optional
        Study period, both included; by default from the first to the last case.
    prospective : bool
        Whether only clusters that last until the end of the period are of interest.
    max_fraction : float
        Largest share in a circle of what is at risk: cases (permutation), expected cases (Poisson) or cases
        and controls (Bernoulli); at most 0.5.
    max_radius : float, optional
        Largest radius: kilometres, or the unit of x and y.
    max_duration : int, optional
        Most steps in a window; by default half of the period.
    min_cases : int
        Fewest cases in a cluster.
    replicates : int
        Data sets made by chance, to 99,999, best one less than a multiple of 100; 0 gives no p-values.
    seed : int, optional
        For the same replicates each time.
    distance : {"great_circle", "euclidean"}
        Of lat and lon, on a sphere of 6371.0088 km; places with x and y are always measured on the plane.

    Returns
    -------
    list of Cluster
        The most likely first; then the best of the other centres that share no place with a more likely one.
        Empty if no cylinder holds more cases than expected and `min_cases`.

    Raises
    ------
    ValueError
        If a table lacks a column or has a wrong value, names unknown places, holds no case; if places lie at
        one point; if a setting is out of its range or does not fit the model.
    TypeError
        If a table is none, or a setting has another type.

    Source
    ------
    Kulldorff 1997, Commun Stat Theory Methods 26(6):1481-1496; Kulldorff 2001, J R Stat Soc A 164(1):61-72;
    Kulldorff et al. 2005, PLoS Med 2(3):e59. Agrees with SaTScan 10.3.2 on its sample data.
    """
    where = read_places(places, distance)
    study, steps = read_study(
        cases, where, model=model, population=population, controls=controls, covariates=covariates,
        period=period, timeless=False,
    )  # fmt: skip
    duration = None if max_duration is None else settings.whole_number("max_duration", max_duration, least=1)
    search = Search(
        circles(
            where, study.expected.sum(axis=1), settings.fraction(max_fraction), settings.radius(max_radius)
        ),
        windows(steps.count, duration, prospective=prospective),
        prospective=prospective,
        min_cases=settings.whole_number("min_cases", min_cases, least=1),
        replicates=settings.replicate_count(replicates),
        seed=seed,
    )
    return find_clusters(study, steps, where, search)
