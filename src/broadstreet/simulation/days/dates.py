"""A day of a city: its sort, the school term, what is closed, and how the regulars are dealt."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.dealing import COLUMNS, deal
from broadstreet.simulation.days.ground import WEEKDAY, Ground, Today
from broadstreet.simulation.population.city import City


def is_term(city: City, on: date) -> bool:
    """Say whether schools have a term on a date, weekends included."""
    return not any(first <= on <= last for first, last in city.configuration.holidays)


def today(city: City, g: Ground, day: int, closed: NDArray[np.bool_] | None = None) -> Today:
    """Return a day of a city as compiled code sees it."""
    on = city.date_of(day)
    sort = max(WEEKDAY, on.weekday() - 4)
    if closed is None:
        closed = np.zeros(len(city.places), np.bool_)
    deals = np.zeros(
        (len(city.places), COLUMNS), np.int64
    )  # pages of places that do not gather stay untouched
    deal(city.seed, day, sort, g.sites, g.customs, g.gathering, g.prime, closed, deals)
    return Today(np.array([city.seed, day, sort, is_term(city, on)], np.int64), closed, deals)
