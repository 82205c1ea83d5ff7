"""Windows of time that are looked through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_WINDOWS = 5_000_000


@dataclass(frozen=True)
class Windows:
    """Windows as (first, after the last) in bins of time; shorter ones first.

    Steps before the earliest start of any window make one bin: a prospective scan keeps a few days only.
    `step_of_edge` is the step at which each bin begins (and the end of the last).
    """

    bounds: NDArray[np.int64]
    bin_of_step: NDArray[np.int64]
    step_of_edge: NDArray[np.int64]


def windows(steps: int, max_duration: int | None, *, prospective: bool) -> Windows:
    """Return all windows of at most `max_duration` steps; the alive ones only if prospective."""
    longest = max(steps // 2, 1) if max_duration is None else max_duration
    if longest > steps:
        raise ValueError(
            f"max_duration must be at most the {steps} step(s) of the period (is {max_duration})"
        )
    if prospective:
        early = steps - longest
        bins = longest + (early > 0)
        bounds = np.column_stack([bins - np.arange(1, longest + 1), np.full(longest, bins)])
        edges = np.append(0 if early else np.zeros(0, np.int64), np.arange(early, steps + 1)).astype(np.int64)
        return Windows(bounds, np.maximum(np.arange(steps) - max(early - 1, 0), 0), edges)
    count = sum(steps - length + 1 for length in range(1, longest + 1))
    if count > _MOST_WINDOWS:
        raise ValueError(
            f"{count:,} windows of time, at most {_MOST_WINDOWS:,} can be scanned; "
            "pass a smaller max_duration"
        )
    starts = [np.arange(steps - length + 1) for length in range(1, longest + 1)]
    bounds = np.concatenate(
        [np.column_stack([start, start + length]) for length, start in enumerate(starts, start=1)]
    )
    return Windows(bounds, np.arange(steps), np.arange(steps + 1))


def whole_period(steps: int) -> Windows:
    """Return the one window of a purely spatial scan."""
    return Windows(np.array([[0, 1]]), np.zeros(steps, np.int64), np.array([0, steps]))
