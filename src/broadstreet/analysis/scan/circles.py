"""Circles of growing radius around every place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.scan.places import Places

_MOST_MEMBERS = 200_000_000  # places in all largest circles together: 800 MB
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Circles:
    """The places of each centre's largest circle, nearest first; every prefix that ends a circle is one.

    `places[p]` and `distance[p]` for positions p. The positions of the centre c, the place `centre[c]`, lie
    from `centre_end[c - 1]` to before `centre_end[c]`. The smallest circle with position p ends at
    `circle_end[p]`: places at the same distance enter together.
    """

    centre: NDArray[np.int64]
    places: NDArray[np.int32]
    distance: NDArray[np.float64]
    centre_end: NDArray[np.int64]
    circle_end: NDArray[np.int64]


def circles(
    places: Places, weight: NDArray[np.float64], max_fraction: float, max_radius: float | None
) -> Circles:
    """Return the circles around each distinct point with at most `max_fraction` of the weight inside."""
    most = max_fraction * weight.sum() * (1.0 + _ROUNDING)
    reach = np.inf if max_radius is None else max_radius * (1.0 + _ROUNDING)
    centres, members, distances, ends = [], [], [], []
    total = 0
    for centre in places.distinct():
        distance = places.distance_from(centre)
        near = np.flatnonzero(distance <= reach)
        near = near[np.argsort(distance[near], kind="stable")]
        end = _ends_of_circles(distance[near])
        allowed = int(np.searchsorted(np.cumsum(weight[near])[end - 1], most, side="right"))
        size = int(end[allowed - 1]) if allowed else 0
        if size == 0:
            continue
        total += size
        if total > _MOST_MEMBERS:
            raise ValueError(
                f"the circles around {len(places.names):,} places hold more than {_MOST_MEMBERS:,} places "
                "together; pass a smaller max_radius or max_fraction"
            )
        centres.append(centre)
        members.append(near[:size].astype(np.int32))
        distances.append(distance[near[:size]])
        ends.append(np.repeat(end[:allowed], np.diff(end[:allowed], prepend=0)) + (total - size))
    if not centres:
        raise ValueError(
            f"no circle holds at most {max_fraction:.0%} of the population at risk: each place alone exceeds "
            "it; raise max_fraction"
        )
    return Circles(
        np.array(centres),
        np.concatenate(members),
        np.concatenate(distances),
        np.cumsum([len(circle) for circle in members]),
        np.concatenate(ends),
    )


def everywhere(place_count: int) -> Circles:
    """Return one circle that holds every place."""
    places = np.arange(place_count)
    return Circles(
        np.zeros(1, np.int64),
        places.astype(np.int32),
        np.zeros(place_count),
        np.array([place_count]),
        np.full(place_count, place_count),
    )


def _ends_of_circles(distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return where each circle ends in sorted distances: after the last place at the same distance."""
    apart = np.diff(distance) > _ROUNDING * np.maximum(distance[1:], 1e-6)
    return np.append(np.flatnonzero(apart) + 1, distance.size)
