"""What can be exported of a city and a run, table by table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.city.writing import Columns, in_parts
from broadstreet.simulation.days import Visits, visits
from broadstreet.simulation.epidemic import Outcome
from broadstreet.simulation.population import City, Kind
from broadstreet.simulation.samples import Visits as Rows
from broadstreet.simulation.samples import (
    checkins,
    encounters,
    masts_of,
    payments,
    pings,
    sightings,
)
from broadstreet.simulation.tables import (
    contacts_named,
    line_list,
    people_table,
    places_table,
    truth_table,
    visits_recalled,
)

PEOPLE_AT_ONCE = 100_000
_DAY = 86_400
# Mean payments in hundredths, by kind of place. Source: UK Finance, Card Spending Update 2023 (a debit card
# payment at a counter 28 pounds on average in supermarkets, about half in food and drink, fares less);
# rounded.
_MEAN_AMOUNT = {Kind.SHOP: 2_800.0, Kind.VENUE: 1_600.0, Kind.TRANSPORT: 300.0}
_ASKS = (Kind.VENUE, Kind.SHOP, Kind.WORSHIP)
# On a line only those of one carriage meet.
_CARRIAGE = Kind.TRANSPORT


@dataclass(frozen=True)
class Wish:
    """What is exported: a run, and the days of which movements are wanted."""

    outcome: Outcome
    first_day: int = 0
    last_day: int = 0
    people_at_once: int = PEOPLE_AT_ONCE

    @property
    def city(self) -> City:
        """The city."""
        return self.outcome.city

    @property
    def days(self) -> range:
        """The days of which movements are wanted."""
        return range(self.first_day, self.last_day + 1)

    def made_visits(self) -> Iterator[Visits]:
        """Yield the visit rows, day by day and a part of the people at a time."""
        everyone = len(self.city.people)
        for day in self.days:
            modes, closed = self.outcome.modes(day), self.outcome.closed(day)
            for first in range(0, everyone, self.people_at_once):
                people = np.arange(first, min(first + self.people_at_once, everyone))
                yield visits(self.city, day, people, modes, closed)

    def rows(self) -> Iterator[Rows]:
        """Yield the visit rows as samples take them."""
        return map(rows_of, self.made_visits())


def rows_of(made: Visits) -> Rows:
    """Return the visit rows of a day as samples take them: in seconds since the first midnight of the run."""
    start = made.start.astype(np.int64) * 60 + made.day * _DAY
    return Rows(made.person, made.place, start, made.end.astype(np.int64) * 60 + made.day * _DAY)


def _visits(wish: Wish) -> Iterator[Columns]:
    for rows in wish.rows():
        yield {
            "id": rows.person,
            "place": rows.place,
            "start": _instants(wish, rows.start),
            "end": _instants(wish, rows.end),
        }


def _pings(wish: Wish) -> Iterator[Columns]:
    places = wish.city.places
    for rows in wish.rows():
        made = pings(rows, places.x, places.y, wish.city.seed)
        yield {**made._asdict(), "time": _instants(wish, made.time)}


def _payments(wish: Wish) -> Iterator[Columns]:
    mean = _by_kind(wish.city, _MEAN_AMOUNT)
    for rows in wish.rows():
        made = payments(rows, mean, wish.city.seed)
        yield {**made._asdict(), "time": _instants(wish, made.time)}


def _checkins(wish: Wish) -> Iterator[Columns]:
    asks = np.isin(wish.city.places.kind, _ASKS)
    for rows in wish.rows():
        made = checkins(rows, asks, wish.city.seed)
        left = np.where(made.left < 0, np.datetime64("NaT", "s"), _instants(wish, made.left))
        yield {**made._asdict(), "arrived": _instants(wish, made.arrived), "left": left}


def _sightings(wish: Wish) -> Iterator[Columns]:
    masts = masts_of(wish.city.places.x, wish.city.places.y)
    for rows in wish.rows():
        made = sightings(rows, masts, wish.city.seed)
        yield {
            **made._asdict(),
            "time": _instants(wish, made.time),
            "x": masts.x[made.mast],
            "y": masts.y[made.mast],
        }


def _encounters(wish: Wish) -> Iterator[Columns]:
    for day in wish.days:
        rows = rows_of(visits(wish.city, day, None, wish.outcome.modes(day), wish.outcome.closed(day)))
        carriage = np.where(wish.city.places.kind[rows.place] == _CARRIAGE, rows.start // 60, 0)
        made = encounters(rows, wish.city.seed, cell=carriage.astype(np.uint32))
        times = {"first": _instants(wish, made.first), "last": _instants(wish, made.last)}
        yield {**made._asdict(), **times}


def _recalled(wish: Wish) -> Iterator[Columns]:
    return in_parts(visits_recalled(wish.outcome, line_list(wish.outcome)["id"]))


def _named(wish: Wish) -> Iterator[Columns]:
    return in_parts(contacts_named(wish.outcome, line_list(wish.outcome)["id"]))


TABLES: dict[str, Callable[[Wish], Iterator[Columns]]] = {
    "people": lambda wish: in_parts(people_table(wish.city)),
    "places": lambda wish: in_parts(places_table(wish.city)),
    "truth": lambda wish: in_parts(truth_table(wish.outcome)),
    "linelist": lambda wish: in_parts(line_list(wish.outcome)),
    "recalled": _recalled,
    "contacts": _named,
    "visits": _visits,
    "pings": _pings,
    "payments": _payments,
    "checkins": _checkins,
    "sightings": _sightings,
    "encounters": _encounters,
}
"""What can be exported, and how its parts are made."""
MOVEMENTS = ("visits", "pings", "payments", "checkins", "sightings", "encounters")
"""Those of single days: they grow with the days that are wanted."""


def _by_kind(city: City, values: dict[Kind, float]) -> NDArray[np.float64]:
    by_kind = np.zeros(len(Kind))
    for kind, value in values.items():
        by_kind[kind] = value
    return by_kind[city.places.kind]


def _instants(wish: Wish, seconds: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return _midnight(wish.city.configuration.first_day) + seconds.astype("timedelta64[s]")


def _midnight(day: date) -> np.datetime64:
    return np.datetime64(day, "s")
