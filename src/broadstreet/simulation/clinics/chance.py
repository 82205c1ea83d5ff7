"""Draw one of several; every draw of the city comes from a generator seeded by what it is for."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import accumulate
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Purpose(IntEnum):
    """Keep the streams of random numbers apart."""

    OUTBREAK = 1
    SHARES = 2
    SILENCES = 3
    VISITS = 4
    EPISODES = 5
    RESIDENTS = 6
    HOUSEHOLDS = 7
    BUSY = 8
    CASES = 9


def generator(seed: int, purpose: Purpose, *which: int) -> np.random.Generator:
    """Return the generator of this purpose: the same for the same seed, purpose and numbers."""
    return np.random.default_rng([seed, purpose, *which])


def one_of(draw: np.random.Generator, options: Sequence[T]) -> T:
    """Return one option, each with the same chance."""
    return options[int(draw.random() * len(options))]


def cumulative(weights: Iterable[float]) -> list[float]:
    """Return the running totals that `by_weight` draws from."""
    return list(accumulate(weights))


def by_weight(draw: np.random.Generator, totals: list[float]) -> int:
    """Return an index with the chance of its weight."""
    return bisect(totals, draw.random() * totals[-1])
