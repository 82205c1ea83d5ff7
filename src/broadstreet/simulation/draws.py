"""Random numbers that are functions: what a number is for decides it, not threads and not order.

A number is a hash of the seed, a purpose and up to three counters (a person, a day, a place). Two runs that
differ by an intervention draw the same number for the same purpose, person and day: common random numbers
for nothing.

The hash multiplies and folds as MurmurHash3 does and ends with the finaliser of SplitMix64.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (the finaliser,
section 3); Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (counters instead of
streams).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function at its first call; keep the machine code for later runs where a folder allows it."""
    try:
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


_FOLD = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


@compiled
def word(seed: int, purpose: int, one: int, two: int = 0, three: int = 0) -> int:
    """Return 64 random bits for this seed, purpose and counters."""
    return ended(fold(fold(begun(seed, purpose), one), two), three)


@compiled
def begun(seed: int, purpose: int) -> int:
    """Return the bits of a hash before its counters: a loop folds in only what changes."""
    return np.uint64((np.uint64(seed) + np.uint64(purpose) * _SECOND) * _FOLD)  # type: ignore[return-value]


@compiled
def fold(bits: int, counter: int) -> int:
    """Return the bits with one more counter folded in."""
    return np.uint64(  # type: ignore[return-value]
        (np.uint64(bits) ^ (np.uint64(bits) >> np.uint64(32)) ^ np.uint64(counter)) * _FOLD
    )


@compiled
def ended(bits: int, counter: int) -> int:
    """Return 64 random bits: the last of three counters folded in, and the finaliser."""
    last = np.uint64(fold(bits, counter))
    last = (last ^ (last >> np.uint64(30))) * _FIRST
    last = (last ^ (last >> np.uint64(27))) * _SECOND
    return last ^ (last >> np.uint64(31))  # type: ignore[return-value]


@compiled
def unit(seed: int, purpose: int, one: int, two: int = 0, three: int = 0) -> float:
    """Return a number in [0, 1) for this seed, purpose and counters."""
    return as_unit(word(seed, purpose, one, two, three))


@compiled
def as_unit(bits: int) -> float:
    """Return random bits as a number in [0, 1)."""
    return np.float64(bits >> np.uint64(11)) * _UNIT


@compiled
def whole(value: Any) -> int:
    """Return an integer of any width as one of 64 bits: compiled code is made anew for each mix of widths."""
    return np.int64(value)  # type: ignore[return-value]


@compiled
def below(bits: int, limit: int) -> int:
    """Return a whole number in [0, limit) from the upper half of random bits; limit below 2^31."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32))  # type: ignore[return-value]


@compiled
def units_of(seed: int, purpose: int, people: NDArray[np.uint32], key: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each person, for one purpose and one more counter, shape (people,)."""
    numbers = np.empty(len(people), np.float64)
    for at in range(len(people)):
        numbers[at] = unit(seed, purpose, people[at], key, 0)
    return numbers
