"""What counters leave: card payments, and check-ins at the doors of venues."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.draws import compiled, unit, word
from broadstreet.simulation.samples.visits import (
    AMOUNT,
    CARD,
    CHECKS_IN,
    CHECKS_OUT,
    PAYS,
    Numbers,
    Seconds,
    Visits,
    normal,
    require_shares,
)

_LATEST_CHECK_IN = 120  # seconds after arrival
_PAID_AFTER, _PAID_BEFORE = 0.6, 1.0  # of a visit
_NEVER = -1


class Payments(NamedTuple):
    """Card payments, one value a payment in each column.

    `card` is a random number that stands for a person; `time` in seconds since the first midnight of the run;
    `amount` in hundredths of the currency.
    """

    card: NDArray[np.uint64]
    time: Seconds
    place: Numbers
    amount: NDArray[np.int32]


class Checkins(NamedTuple):
    """Check-ins at a door, one value a check-in in each column.

    Times are in seconds since the first midnight of the run; `left` is -1 where a guest did not check out.
    """

    person: Numbers
    place: Numbers
    arrived: Seconds
    left: Seconds


def payments(
    visits: Visits, mean_amount: NDArray[np.float64], seed: int, *, cards: float = 0.9, by_card: float = 0.75
) -> Payments:
    """Return the card payments made during visits.

    Parameters
    ----------
    visits
        The visit rows.
    mean_amount
        Mean payment at each place, in hundredths of the currency; 0 where nothing is sold; shape (places,).
    seed
        Of the run.
    cards
        Share of people who have a card. Source: UK Finance, UK Payment Markets 2023 (nine in ten adults and
        more).
    by_card
        Share of the visits of such people that they pay for by card. Source: the same (cards make 61 % of
        all payments, cash 12 %; of those at a counter, about three quarters).

    Raises
    ------
    ValueError
        If a share is none.
    """
    require_shares(cards=cards, by_card=by_card)
    room = len(visits.person)
    made = Payments(
        np.empty(room, np.uint64),
        np.empty(room, np.int64),
        np.empty(room, np.uint32),
        np.empty(room, np.int32),
    )
    count = _pay(visits, mean_amount, seed, cards, by_card, made)
    return Payments._make(column[:count] for column in made)


def checkins(
    visits: Visits, asks: NDArray[np.bool_], seed: int, *, comply: float = 0.6, check_out: float = 0.3
) -> Checkins:
    """Return the check-ins of guests at places that ask for them.

    Parameters
    ----------
    visits
        The visit rows.
    asks
        Whether each place asks its guests, shape (places,).
    seed
        Of the run.
    comply, check_out
        Shares of visits with a check-in, and of those also with a check-out. Assumptions: use of such apps
        ranged from a tenth to nearly all guests (NHS COVID-19 app, NZ COVID Tracer, 2020-21).

    Raises
    ------
    ValueError
        If a share is none.
    """
    require_shares(comply=comply, check_out=check_out)
    room = len(visits.person)
    made = Checkins(
        np.empty(room, np.uint32),
        np.empty(room, np.uint32),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
    )
    count = _check_in(visits, asks, seed, comply, check_out, made)
    return Checkins._make(column[:count] for column in made)


@compiled
def _pay(
    visits: Visits, mean_amount: NDArray[np.float64], seed: int, cards: float, by_card: float, made: Payments
) -> int:
    count = 0
    for row in range(len(visits.person)):
        person, place, start = visits.person[row], visits.place[row], visits.start[row]
        if mean_amount[place] <= 0.0 or unit(seed, CARD, person) >= cards:
            continue
        if unit(seed, PAYS, person, start) >= by_card:
            continue
        share = _PAID_AFTER + (_PAID_BEFORE - _PAID_AFTER) * unit(seed, PAYS, person, start, 1)
        # Log-normal with sigma 0.8, so that most payments are small; its mean is exp(0.32) times its median.
        amount = mean_amount[place] * math.exp(0.8 * normal(seed, AMOUNT, person, start) - 0.32)
        made.card[count] = word(seed, CARD, person, 1)
        made.time[count] = start + int(share * (visits.end[row] - start))
        made.place[count] = place
        made.amount[count] = max(1, int(amount))
        count += 1
    return count


@compiled
def _check_in(
    visits: Visits, asks: NDArray[np.bool_], seed: int, comply: float, check_out: float, made: Checkins
) -> int:
    count = 0
    for row in range(len(visits.person)):
        person, place, start = visits.person[row], visits.place[row], visits.start[row]
        if not asks[place] or unit(seed, CHECKS_IN, person, start) >= comply:
            continue
        late = int(unit(seed, CHECKS_IN, person, start, 1) * _LATEST_CHECK_IN)
        left = unit(seed, CHECKS_OUT, person, start) < check_out
        made.person[count], made.place[count] = person, place
        made.arrived[count] = min(start + late, visits.end[row])
        made.left[count] = visits.end[row] if left else _NEVER
        count += 1
    return count
