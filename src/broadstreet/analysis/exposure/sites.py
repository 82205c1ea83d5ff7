"""Which site explains cases on a map?"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, counts, keys, read
from broadstreet.analysis.exposure.decay import Fit, attribute, fit
from broadstreet.analysis.exposure.ground import Ground, measure
from broadstreet.analysis.exposure.placed import placed
from broadstreet.analysis.exposure.plane import Plane, axes_of, plane_of
from broadstreet.analysis.exposure.streets import read_streets
from broadstreet.analysis.transmission.linelist import SetAside

_MOST_CASES = 10_000_000


@dataclass(frozen=True)
class SiteRanking:
    """Sites by how well each explains the cases.

    Attributes
    ----------
    sites : dict of columns
        The most probable first: `site`; `probability` that it is the source, if one of them or none is;
        `log_bayes_factor` against no source; `reach`, the distance by which risk falls to 37 %; `explained`,
        the share of cases that it accounts for; `nearest`, cases that have no nearer site; `expected` such
        cases, were risk equal everywhere; `ratio` of both.
    none : float
        Probability that no site is the source.
    cases : dict of columns
        One row a case row, None where it has no coordinates: `nearest` site, its `distance`, the `next` one,
        its `next_distance`, `source` as the mixture of all sites attributes it (None: none of them) and the
        `probability` of that.
    catchment : dict of columns
        Spots of the ground: `x`, `y`, `people` (share of the population or of street length), the `nearest`
        site and its `distance`.
    unit : str
        Of distances: "m", or "" for that of x and y.
    walking : bool
        Whether distances are along streets.
    set_aside : list of SetAside
        Rows without coordinates, and why.
    """

    sites: dict[str, list[Any]]
    none: float
    cases: dict[str, list[Any]]
    catchment: dict[str, list[Any]]
    unit: str
    walking: bool
    set_aside: list[SetAside] = field(default_factory=list)


def rank_sites(
    cases: Table, sites: Table, streets: Table | None = None, population: Table | None = None
) -> SiteRanking:
    """Rank sites by how well risk that falls with the distance from each explains where cases are.

    Parameters
    ----------
    cases : table
        `x` and `y`, or `lon` and `lat` in degrees; one row a case, or rows with a `count`.
    sites : table
        `site` (a name), and the same coordinates.
    streets : table, optional
        `street` and the same coordinates: rows in a row with the same street are one line. With it distances
        are walked.
    population : table, optional
        `population` and the same coordinates: how many people live where. Without it people are spread evenly
        along the streets, or over the rectangle of cases and sites.

    Returns
    -------
    SiteRanking

    Raises
    ------
    ValueError
        If a table lacks a column or a row that can be used. Rows without coordinates do not raise: they are
        set aside.

    Notes
    -----
    Where the site at distance d is the source, cases come from a density proportional to the population times
    (1 - w) exp(-d / h) / Z + w, with Z = the population's mean of exp(-d / h); h is uniform on a logarithmic
    scale from a hundredth of the ground's diameter to all of it, w uniform; both are integrated out.

    Source
    ------
    Diggle 1990, J R Stat Soc A 153(3):349-362, doi:10.2307/2982977 (risk around a pre-specified source);
    Snow 1855, On the Mode of Communication of Cholera, 2nd edition (nearest by walking).
    """
    axes = axes_of(cases)
    ill, held = placed(cases, "cases", axes, ("count",)), placed(sites, "sites", axes, ("site",))
    lines = None if streets is None else placed(streets, "streets", axes, ("street",))
    homes = None if population is None else placed(population, "population", axes, ("population",))
    plane = plane_of(ill.columns)
    weights = counts(ill.columns, "cases", _MOST_CASES)
    if not weights.sum():
        raise ValueError("cases must hold a case or more (all counts are 0)")
    names = _names(held.columns)
    network = None if lines is None else read_streets(lines.columns, plane)
    ground = measure(
        plane.points(ill.columns, "cases"),
        plane.points(held.columns, "sites"),
        network,
        homes.columns if homes else None,
        plane,
    )
    found = _ranking(names, ground, weights, plane, walking=network is not None)
    aside = [one for table in (ill, held, lines, homes) if table for one in table.set_aside]
    of_rows = {name: ill.for_every_row(values) for name, values in found.cases.items()}
    return replace(found, cases=of_rows, set_aside=aside)


def _names(sites: Table) -> list[Hashable]:
    names = keys(read(sites, "sites", ("site",))["site"], "sites", "site")
    if not names:
        raise ValueError("sites must have a row or more (has none)")
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise ValueError(f"sites names {twice!r} more than once; each site has one row")
    return names


def _ranking(
    names: list[Hashable], ground: Ground, weights: NDArray[np.int64], plane: Plane, *, walking: bool
) -> SiteRanking:
    fits = [
        fit(near, spots, ground.people, weights, ground.diameter)
        for near, spots in zip(ground.from_cases, ground.from_spots, strict=True)
    ]
    probability, none = _posterior(fits)
    order = np.lexsort((np.arange(len(names)), -np.array([one.log_bayes_factor for one in fits])))
    ranked = _ranked(names, fits, probability, _caught(ground, weights))
    return SiteRanking(
        {name: [column[at] for at in order] for name, column in ranked.items()},
        none,
        _attributed(names, ground, weights),
        _catchment(names, ground),
        plane.unit,
        walking,
    )


def _posterior(fits: list[Fit]) -> tuple[NDArray[np.float64], float]:
    """Return the probability of each site and of none: beforehand a half for none, the rest even."""
    evidence = np.array([one.log_bayes_factor for one in fits] + [np.log(len(fits))])
    odds = np.exp(evidence - evidence.max())
    share = odds / odds.sum()
    return share[:-1], float(share[-1])


def _caught(ground: Ground, weights: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cases that are nearest to each site, and how many of all people are."""
    sites = len(ground.from_cases)
    return (
        np.bincount(ground.from_cases.argmin(axis=0), weights, minlength=sites).astype(np.float64),
        np.bincount(ground.from_spots.argmin(axis=0), ground.people, minlength=sites).astype(np.float64),
    )


def _ranked(
    names: list[Hashable],
    fits: list[Fit],
    probability: NDArray[np.float64],
    caught: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, list[Any]]:
    nearest, people = caught
    expected = people * nearest.sum()
    ratio = np.divide(nearest, expected, out=np.full(len(names), np.nan), where=expected > 0.0)
    return {
        "site": names,
        "probability": probability.tolist(),
        "log_bayes_factor": [one.log_bayes_factor for one in fits],
        "reach": [one.reach for one in fits],
        "explained": [one.explained for one in fits],
        "nearest": nearest.astype(int).tolist(),
        "expected": expected.tolist(),
        "ratio": ratio.tolist(),
    }


def _attributed(names: list[Hashable], ground: Ground, weights: NDArray[np.int64]) -> dict[str, list[Any]]:
    order = np.argsort(ground.from_cases, axis=0, kind="stable")
    rows = np.arange(order.shape[1])
    first, second = order[0], order[min(1, len(names) - 1)]
    share = attribute(ground.from_cases, ground.from_spots, ground.people, weights, ground.diameter)
    source = share.argmax(axis=0)
    is_alone = len(names) == 1
    return {
        "nearest": [names[at] for at in first],
        "distance": (ground.from_cases[first, rows] + ground.door).tolist(),
        "next": [None if is_alone else names[at] for at in second],
        "next_distance": [
            None if is_alone else away for away in (ground.from_cases[second, rows] + ground.door).tolist()
        ],
        "source": [None if at == len(names) else names[at] for at in source],
        "probability": share[source, rows].tolist(),
    }


def _catchment(names: list[Hashable], ground: Ground) -> dict[str, list[Any]]:
    nearest = ground.from_spots.argmin(axis=0)
    return {
        "x": ground.spots[:, 0].tolist(),
        "y": ground.spots[:, 1].tolist(),
        "people": ground.people.tolist(),
        "nearest": [names[at] for at in nearest],
        "distance": ground.from_spots.min(axis=0).tolist(),
    }
