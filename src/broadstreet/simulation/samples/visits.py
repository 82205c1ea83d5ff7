"""Visit rows as samples take them, and what the draws of samples are for."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.draws import compiled, unit

Seconds = NDArray[np.int64]
Numbers = NDArray[np.uint32]
Floats = NDArray[np.float32]


class Visits(NamedTuple):
    """Visit rows, one value a visit in each column.

    Attributes
    ----------
    person, place
        Numbers of the person and of the place.
    start, end
        Seconds since the first midnight of the run; `end` is after the visit.
    """

    person: Numbers
    place: Numbers
    start: Seconds
    end: Seconds


class Purpose(IntEnum):
    """Keep the draws of samples apart from each other and from those of the city."""

    HAS_PHONE = 1001
    PHASE = 1002
    SILENCE = 1003
    LOST = 1004
    ACCURACY = 1005
    POSITION = 1006
    CARD = 1007
    PAYS = 1008
    AMOUNT = 1009
    CHECKS_IN = 1010
    CHECKS_OUT = 1011
    SIGHTED = 1012
    SHADOW = 1013
    NEAR = 1014
    STRENGTH = 1015
    HEARD = 1016


HAS_PHONE, PHASE, SILENCE, LOST, ACCURACY, POSITION = (int(p) for p in list(Purpose)[:6])
CARD, PAYS, AMOUNT, CHECKS_IN, CHECKS_OUT = (int(p) for p in list(Purpose)[6:11])
SIGHTED, SHADOW, NEAR, STRENGTH, HEARD = (int(p) for p in list(Purpose)[11:])


@compiled
def normal(seed: int, purpose: int, one: int, two: int = 0, three: int = 0) -> float:
    """Return a standard normal number for this seed, purpose and counters.

    Source: Box and Muller, Ann Math Stat 29 (1958) 610.
    """
    first = unit(seed, purpose, one, two, 2 * three)
    second = unit(seed, purpose, one, two, 2 * three + 1)
    return math.sqrt(-2.0 * math.log(1.0 - first)) * math.cos(2.0 * math.pi * second)


def require_shares(**shares: float) -> None:
    """Refuse by name what is no share.

    Raises
    ------
    ValueError
        If a value is not from 0 to 1.
    """
    for name, value in shares.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must be a share from 0 to 1 (it is {value})")


def require_seconds(**durations: int) -> None:
    """Refuse by name what is no whole number of seconds above 0.

    Raises
    ------
    ValueError
        If a value is below 1.
    """
    for name, value in durations.items():
        if value < 1:
            raise ValueError(f"{name} must be 1 second or more (it is {value})")
