"""What a city is made from: a small configuration, checked field by field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from math import inf

from broadstreet.simulation.population.defaults import (
    AGES,
    DISTRICTS,
    HOLIDAYS,
    HOUSEHOLD_SIZES,
    AgeBand,
    District,
)

MOST_PEOPLE = 20_000_000
_FARTHEST = 1_000  # kilometres


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A city, before it is built; every default has its source in `population.defaults`.

    Parameters
    ----------
    name
        What the city is called in files and on screens.
    population
        People, 1,000 to 20 million.
    ages
        Bands of ages with their shares of the people; bands follow each other from 0.
    household_sizes
        Shares of the households with 1, 2, 3, ... people.
    districts
        Parts of the city with their place in kilometres and their share of the people.
    first_day
        Date of day 0.
    holidays
        First and last days on which schools are closed.
    care_home_share
        Of the people of 80 and more, those who live in a care home.
    employed
        Share of those of 18 to 66 who are not at a college and have work.
    preschool, college
        Shares of those of 1 to 4 in a nursery, and of those of 18 to 22 at a college.
    class_size, school_size, team_size
        Pupils in a class and a school, people in a team at work.
    people_per_shop, people_per_venue, people_per_worship, people_per_clinic, people_per_hospital
        Residents for one of each.
    commuters
        Share of those with work by day who go by public transport.
    line_size
        Commuters of one line.
    worshippers
        Share of the people who go to a place of worship.
    """

    name: str = "city"
    population: int = 50_000
    ages: tuple[AgeBand, ...] = AGES
    household_sizes: tuple[float, ...] = HOUSEHOLD_SIZES
    districts: tuple[District, ...] = DISTRICTS
    first_day: date = date(2026, 1, 5)
    holidays: tuple[tuple[date, date], ...] = HOLIDAYS
    care_home_share: float = 0.08
    employed: float = 0.76
    preschool: float = 0.40
    college: float = 0.40
    class_size: int = 26
    school_size: int = 420
    team_size: int = 16
    people_per_shop: int = 800
    people_per_venue: int = 400
    people_per_worship: int = 2_000
    people_per_clinic: int = 5_000
    people_per_hospital: int = 100_000
    commuters: float = 0.25
    line_size: int = 1_500
    worshippers: float = 0.20

    def __post_init__(self) -> None:
        _whole("population", self.population, 1_000, MOST_PEOPLE)
        self._check_ages()
        self._check_households()
        self._check_districts()
        for name in ("care_home_share", "employed", "preschool", "college", "commuters", "worshippers"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be a share from 0 to 1 (it is {value})")
        for name, least in (("class_size", 5), ("school_size", 20), ("team_size", 2), ("line_size", 50)):
            _whole(name, getattr(self, name), least, 100_000)
        for kind in ("shop", "venue", "worship", "clinic", "hospital"):
            _whole(f"people_per_{kind}", getattr(self, f"people_per_{kind}"), 50, MOST_PEOPLE)
        if self.class_size > self.school_size:
            raise ValueError(
                f"class_size must be at most school_size, {self.school_size} (it is {self.class_size})"
            )
        for first, last in self.holidays:
            if first > last:
                raise ValueError(f"holidays must end after they begin ({first} to {last})")

    def _check_ages(self) -> None:
        if not self.ages or self.ages[0].first != 0:
            raise ValueError("ages must begin with a band from 0")
        for one, other in pairwise(self.ages):
            if other.first != one.last + 1:
                raise ValueError(f"ages must follow each other ({one.last} is followed by {other.first})")
        for band in self.ages:
            if not (band.first <= band.last <= 120 and band.share >= 0.0):
                raise ValueError(f"ages must hold bands up to 120 with shares of 0 or more (there is {band})")
        _sums_to_one("ages", [band.share for band in self.ages])
        if not sum(band.share for band in self.ages if band.first >= 18) >= 0.3:
            raise ValueError("ages must leave at least 0.3 of the people at 18 or more, to keep house")

    def _check_households(self) -> None:
        if not 1 <= len(self.household_sizes) <= 12:
            raise ValueError(
                f"household_sizes must have 1 to 12 shares (there are {len(self.household_sizes)})"
            )
        if not min(self.household_sizes) >= 0.0:
            raise ValueError(f"household_sizes must be 0 or more (there is {min(self.household_sizes)})")
        _sums_to_one("household_sizes", list(self.household_sizes))
        children = sum(band.share for band in self.ages if band.last < 18)
        people = sum(size * share for size, share in enumerate(self.household_sizes, 1))
        beds = sum((size - 1) * share for size, share in enumerate(self.household_sizes, 1)) / people
        if children > beds:
            raise ValueError(
                f"household_sizes must leave room beside an adult for every child: ages has {children:.2f} "
                f"of the people below 18, these households hold at most {beds:.2f}"
            )

    def _check_districts(self) -> None:
        if not 1 <= len(self.districts) <= 5_000:
            raise ValueError(f"districts must be 1 to 5,000 (there are {len(self.districts)})")
        codes = [district.code for district in self.districts]
        if len(set(codes)) < len(codes):
            raise ValueError("districts must have different codes")
        for district in self.districts:
            if not (0.0 < district.weight < inf and 0.0 < district.radius <= _FARTHEST):
                raise ValueError(
                    f"districts must have a weight above 0 and a radius up to {_FARTHEST:,} km"
                    f" (see {district.code})"
                )
            if not (abs(district.x) <= _FARTHEST and abs(district.y) <= _FARTHEST):
                raise ValueError(f"districts must lie within {_FARTHEST:,} km (see {district.code})")


def _whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least:,} to {most:,} (it is {value!r})")


def _sums_to_one(name: str, shares: list[float]) -> None:
    if not abs(sum(shares) - 1.0) < 1e-3:
        raise ValueError(f"{name} must have shares that sum to 1 (they sum to {sum(shares):.4f})")


DEMO = Configuration(name="demo", population=50_000)
METROPOLIS = Configuration(name="metropolis", population=1_000_000)
_KNOWN = {configuration.name: configuration for configuration in (DEMO, METROPOLIS)}


def configuration(name: str, population: int | None = None) -> Configuration:
    """Return a configuration by name (`demo`, `metropolis`), with another population where one is given.

    Raises
    ------
    ValueError
        If the name is not known or the population is impossible.
    """
    if name not in _KNOWN:
        raise ValueError(f"configuration must be one of {', '.join(_KNOWN)} (it is {name!r})")
    found = _KNOWN[name]
    return found if population is None else replace(found, population=population)
