"""The scan: do neighbouring districts together have more visits of late than their own past lets expect?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.store.tables import Between, Row, TableReader
from broadstreet.workflows.surveillance.places import Places
from broadstreet.workflows.surveillance.sheet import Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import ALL, CHANGED, CLOSED, DISTRICT

if TYPE_CHECKING:
    from broadstreet.analysis.scan import Cluster

WINDOW = 28
"""Days that a scan looks at: so the permutation compares an outbreak with the weeks before it, and no season
comes between. Kulldorff et al. 2005, PLoS Med 2(3):e59, used 30."""
LONGEST = 7
"""Days of the longest cluster: as there."""
FEWEST = 10
"""Visits of a stream in the window: fewer say nothing."""
FEWEST_INSIDE = 3
"""Visits in a cluster."""
REPLICATES = 999
PROMISING = 4.0
"""Log likelihood ratio below which no cluster among ten places or more has a chance that a budget admits; so
most nights need no replicates."""
SEED = 1854
AREA = "area:"
METHOD = f"space-time permutation scan, {WINDOW} days"


class Found(NamedTuple):
    """A cluster of one stream that lasts until the day scanned."""

    stream: str
    cluster: Cluster
    codes: tuple[str, ...]
    chance: float


def days_to_scan(tables: TableReader, closed: int) -> list[int]:
    """Return the days that are scanned when a day was closed: itself, and those of the week before it whose
    clusters may hold a count that changed since the closing before."""
    last = tables.select(CLOSED, order=("-seq",), limit=2)
    if len(last) < 2:
        return [closed]
    since = Between(last[1][1], last[0][1])
    changed = {int(row[3] or 0) for row in tables.select(CHANGED, {"seq": since}) if _is_of_district(row)}
    newest = range(closed - LONGEST + 1, closed)
    return [day for day in newest if changed & set(range(day - LONGEST + 1, day + 1))] + [closed]


def _is_of_district(row: Row) -> bool:
    return row[2] == ALL and str(row[1]).startswith(DISTRICT)


def scanned(sheet: Sheet, day: int, places: Places, streams: Iterable[str]) -> list[Found]:
    """Return the most likely cluster of each stream that has a promising one.

    Parameters
    ----------
    sheet
        The counts.
    day
        The last day that is looked at.
    places
        Where the districts are; those without coordinates are left out.
    streams
        What is scanned.
    """
    found = []
    first = max(day - WINDOW + 1, sheet.first)
    for stream in streams:
        codes = [code for code in places.by_code if Series(stream, DISTRICT + code, ALL) in sheet.columns]
        if len(codes) < 3 or first >= day:
            continue
        columns = [sheet.of(Series(stream, DISTRICT + code, ALL)) for code in codes]
        counts = np.stack([column[first - sheet.first : day + 1 - sheet.first] for column in columns])
        best = _best(codes, counts, places)
        if best is not None:
            found.append(Found(stream, *best))
    return found


def _best(
    codes: Sequence[str], counts: NDArray[np.int64], places: Places
) -> tuple[Cluster, tuple[str, ...], float] | None:
    if counts.sum() < FEWEST or not counts[:, -LONGEST:].any():
        return None
    if highest_ratio(counts, places.neighbours(tuple(codes))) < PROMISING:
        return None
    from broadstreet.analysis.scan import space_time

    place, step = np.nonzero(counts)
    cases = {"place": [codes[at] for at in place.tolist()], "time": step, "count": counts[place, step]}
    clusters = space_time(
        cases, places.columns(codes), period=(0, counts.shape[1] - 1), prospective=True,
        max_duration=min(LONGEST, max(1, counts.shape[1] // 2)), min_cases=FEWEST_INSIDE,
        replicates=REPLICATES, seed=SEED,
    )  # fmt: skip
    if not clusters:
        return None
    cluster = clusters[0]
    chance = cluster.gumbel_p_value if cluster.gumbel_p_value is not None else cluster.p_value
    assert chance is not None
    return cluster, tuple(str(code) for code in cluster.places), chance


def highest_ratio(counts: NDArray[np.int64], neighbours: NDArray[np.intp]) -> float:
    """Return the highest log likelihood ratio of a cylinder that lasts until the last day.

    It is the statistic of the scan, computed at once for all circles; a circle may here hold more than half
    of the cases, so that it is never lower than the scan's.

    Parameters
    ----------
    counts : ndarray of int64, shape (places, days)
    neighbours : ndarray of intp, shape (places, places)
        Of each place all places, the nearest first.
    """
    cases = counts.sum()
    recent = counts[:, : -LONGEST - 1 : -1].cumsum(axis=1)
    inside = recent[neighbours].cumsum(axis=1)
    share = counts.sum(axis=1)[neighbours].cumsum(axis=1)[:, :, np.newaxis] / cases
    expected = share * recent.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = inside * np.log(inside / expected) + (cases - inside) * np.log(
            (cases - inside) / (cases - expected)
        )
    ratio[(inside <= expected) | (inside < FEWEST_INSIDE)] = 0.0
    return float(np.nanmax(ratio, initial=0.0))
