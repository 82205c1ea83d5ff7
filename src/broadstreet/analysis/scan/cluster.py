"""What a scan finds."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import Any

from broadstreet.analysis.scan.steps import Label


@dataclass(frozen=True)
class Cluster:
    """More cases than expected, within a circle and a window of time.

    Attributes
    ----------
    places : tuple
        Names of the places inside, nearest to the centre first; empty in a purely temporal scan.
    centre : (float, float) or None
        (lat, lon) in degrees, or (x, y); that of the first place.
    radius : float or None
        Distance from the centre to the farthest place inside: kilometres, or the unit of x and y.
    start, end : int or numpy.datetime64 or None
        First and last step inside; None where a purely spatial scan was given no times.
    observed, expected : int, float
        Cases inside, and what equal risk would let one expect.
    relative_risk : float
        Risk inside over risk outside, (c / m) / ((C - c) / (C - m)); infinite if all cases lie inside.
    statistic : float
        Log likelihood ratio.
    p_value, gumbel_p_value : float or None
        Probability under equal risk that a cluster as likely is found anywhere: by rank among the replicates,
        and from a Gumbel distribution fitted to them. None without replicates (Gumbel: if none differ).
    recurrence_interval : float or None
        Steps in which one such signal is expected by chance, if every step is scanned: 1 / p_value. None if
        the scan is not prospective.
    """

    places: tuple[Hashable, ...]
    centre: tuple[float, float] | None
    radius: float | None
    start: Label | None
    end: Label | None
    observed: int
    expected: float
    relative_risk: float
    statistic: float
    p_value: float | None
    gumbel_p_value: float | None
    recurrence_interval: float | None


class Clusters(list[Cluster]):
    """Clusters, the most likely first."""

    def table(self) -> dict[str, list[Any]]:
        """Return one row a cluster as columns, as `pandas.DataFrame` or `polars.DataFrame` take them."""
        names = [field.name for field in fields(Cluster)]
        columns: dict[str, list[Any]] = {name: [getattr(cluster, name) for cluster in self] for name in names}
        columns["places"] = [" ".join(str(place) for place in cluster.places) for cluster in self]
        return columns


def relative_risk(observed: int, expected: float, cases: int) -> float:
    """Return the risk inside over the risk outside."""
    if observed == cases:
        return float("inf")
    return (observed / expected) / ((cases - observed) / (cases - expected))
