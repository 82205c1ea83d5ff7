"""Compare a built city with what censuses and contact surveys found: pass or fail, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days.contacting import contacts
from broadstreet.simulation.days.published import (
    CONTACTS_BY_AGE,
    CONTACTS_BY_HOUSEHOLD,
    CONTACTS_MEAN,
    CONTACTS_SOURCE,
    MIXING,
    MIXING_AGES,
    MIXING_SOURCE,
)
from broadstreet.simulation.population.city import City
from broadstreet.simulation.population.kinds import Kind

_HOUSEHOLDS = "Census 2011, England and Wales, QS406EW (the configuration)"
_AGES = "Census 2021, England and Wales (the configuration)"
# How far a city may be from the census that it is made from, and from surveys whose countries differ by half.
_CENSUS, _SURVEY, _MIXED = 0.01, 0.25, 0.45
_WEEK = 7


class Check(NamedTuple):
    """One comparison: `city` must lie in `low` to `high` around what was `published`."""

    topic: str
    what: str
    city: float
    published: float
    low: float
    high: float
    source: str

    @property
    def passed(self) -> bool:
        """Whether the city lies in the range."""
        return self.low <= self.city <= self.high


def check_city(city: City, *, people: int = 4_000, first_day: int = 0) -> list[Check]:
    """Compare household sizes, ages, contacts a day and mixing by age with the published tables.

    Parameters
    ----------
    city : City
    people : int
        Residents whose contacts are counted, drawn by the seed of the city; 500 or more.
    first_day : int
        First of the seven days on which they are; in a school term, as the survey was.

    Returns
    -------
    list of Check

    Raises
    ------
    ValueError
        If `people` is below 500.
    """
    if people < 500:
        raise ValueError(f"people must be 500 or more (it is {people})")
    chosen = np.random.default_rng([city.seed, 9]).choice(
        len(city.people), min(people, len(city.people)), replace=False
    )
    found = list(_households(city)) + list(_ages(city))
    return found + list(_contacts(city, np.sort(chosen), first_day))


def _households(city: City) -> Iterator[Check]:
    here = city.places.kind[city.people.home] == Kind.HOME
    sizes = np.bincount(np.bincount(city.people.home[here]))[1:]
    published = city.configuration.household_sizes
    for size, share in enumerate(published, 1):
        found = float(sizes[size - 1] / sizes.sum()) if size <= len(sizes) else 0.0
        what = f"{size} people" if size > 1 else "1 person"
        yield _within("household size", what, found, share, _CENSUS, _HOUSEHOLDS)


def _ages(city: City) -> Iterator[Check]:
    for band in city.configuration.ages:
        found = float(np.mean((city.people.age >= band.first) & (city.people.age <= band.last)))
        yield _within("age", f"{band.first}-{band.last}", found, band.share, _CENSUS, _AGES)


def _within(topic: str, what: str, found: float, published: float, apart: float, source: str) -> Check:
    return Check(topic, what, found, published, published - apart, published + apart, source)


def _contacts(city: City, chosen: NDArray[np.int64], first_day: int) -> Iterator[Check]:
    counts, mixing = _count(city, chosen, first_day)
    mean, source = CONTACTS_MEAN.value, CONTACTS_MEAN.source
    yield _near("contacts a day", "everybody", float(counts.mean()), mean, _SURVEY, source)
    age = city.people.age[chosen]
    for (first, last), published in CONTACTS_BY_AGE:
        group = (age >= first) & (age <= last)
        if group.sum() >= 20:
            found = float(counts[group].mean())
            yield _near("contacts a day", f"age {first}-{last}", found, published, _SURVEY, CONTACTS_SOURCE)
    size = np.bincount(city.people.home, minlength=len(city.places))[city.people.home[chosen]]
    size[city.places.kind[city.people.home[chosen]] != Kind.HOME] = 0
    for people, published in CONTACTS_BY_HOUSEHOLD:
        group = size >= 6 if people == 6 else size == people
        if group.sum() >= 20:
            found, what = float(counts[group].mean()), f"household of {people}{'+' if people == 6 else ''}"
            yield _near("contacts a day", what, found, published, _SURVEY, CONTACTS_SOURCE)
    for row, one in enumerate(MIXING_AGES):
        for column, other in enumerate(MIXING_AGES):
            what = f"{one[0]}-{one[1]} with {other[0]}-{other[1]}"
            found, published = float(mixing[row, column]), MIXING[row][column]
            yield _near("mixing by age", what, found, published, _MIXED, MIXING_SOURCE)


def _near(topic: str, what: str, found: float, published: float, factor: float, source: str) -> Check:
    return Check(topic, what, found, published, published * (1 - factor), published * (1 + factor), source)


def _count(
    city: City, chosen: NDArray[np.int64], first_day: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each one's mean number of different contacts a day, and contacts by ages of both."""
    age = city.people.age
    counts, mixing = np.zeros(len(chosen)), np.zeros((len(MIXING_AGES), len(MIXING_AGES)))
    for day in range(first_day, first_day + _WEEK):
        met = contacts(city, day, chosen)
        pairs = np.unique(np.stack([met.person, met.other]).astype(np.int64), axis=1)
        counts += np.bincount(np.searchsorted(chosen, pairs[0]), minlength=len(chosen))
        for row, (first, last) in enumerate(MIXING_AGES):
            of = (age[pairs[0]] >= first) & (age[pairs[0]] <= last)
            for column, (youngest, oldest) in enumerate(MIXING_AGES):
                mixing[row, column] += np.sum(of & (age[pairs[1]] >= youngest) & (age[pairs[1]] <= oldest))
    groups = [np.sum((age[chosen] >= first) & (age[chosen] <= last)) for first, last in MIXING_AGES]
    return counts / _WEEK, mixing / _WEEK / np.maximum(groups, 1)[:, None]
