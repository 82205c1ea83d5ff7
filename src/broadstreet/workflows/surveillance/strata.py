"""Whom a series is about: everybody, or a band of ages; and which series are tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Literal, NamedTuple

from broadstreet.workflows.surveillance.days import date_of
from broadstreet.workflows.surveillance.tables import ALL, CITY, DISTRICT, FACILITY_PLACE, VISITS, Cell, Visit

AGE = "age:"
REPORTER = "reporter:"
"""A stratum of all visits of a district: those that one facility reported."""
OLDEST = 130
"""In years; an older patient has a wrong birth date and is in no band."""

Within = Literal["nowhere", "city", "districts"]
"""Where bands of ages are counted and tested: in districts means in the city as well."""


class Series(NamedTuple):
    """What, where, who."""

    stream: str
    place: str
    stratum: str


@dataclass(frozen=True)
class Strata:
    """The strata that visits are counted in.

    Attributes
    ----------
    ages
        First year of each band but the youngest, increasing: (5, 18, 65) makes 0-4, 5-17, 18-64 and 65+. The
        default: infants and toddlers, school, working age, and the age from which influenza vaccination is
        advised.
    within
        Where bands are counted and tested.
    """

    ages: tuple[int, ...] = (5, 18, 65)
    within: Within = "city"

    def __post_init__(self) -> None:
        if list(self.ages) != sorted(set(self.ages)) or not all(0 < age < OLDEST for age in self.ages):
            raise ValueError(f"ages must increase and lie between 1 and {OLDEST - 1} (are {self.ages})")

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """The strata of ages, youngest first."""
        if not self.ages or self.within == "nowhere":
            return ()
        starts = (0, *self.ages)
        ends = [f"-{start - 1}" for start in self.ages] + ["+"]
        return tuple(f"{AGE}{start}{end}" for start, end in zip(starts, ends, strict=True))

    def band(self, born: str | None, day: int) -> str:
        """Return the stratum of somebody's age on a day; empty where it is not known.

        A birth date that is only a year or a month counts from its first day.
        """
        if not self.bands or born is None or not born[:4].isdecimal():
            return ""
        on = date_of(day)
        month, on_day = (int(part) if part.isdecimal() else 1 for part in (born[5:7], born[8:10]))
        age = on.year - int(born[:4]) - ((on.month, on.day) < (month, on_day))
        if not 0 <= age <= OLDEST:
            return ""
        return self.bands[sum(age >= start for start in self.ages)]

    def cells(self, visit: Visit) -> frozenset[Cell]:
        """Return every count that a visit is part of."""
        if visit.day is None:
            return frozenset()
        return self._remembered(visit.day, visit.district, visit.facility, visit.band, visit.syndromes)

    @cached_property
    def _remembered(self) -> Callable[[int, str | None, str | None, str, str], frozenset[Cell]]:
        return lru_cache(maxsize=1 << 15)(partial(_cells, self))

    def is_tested(self, stream: str, place: str, stratum: str) -> bool:
        """Return whether a series is tested: syndromes, in the city and its districts, by the bands set."""
        if stream == VISITS or not (place == CITY or place.startswith(DISTRICT)):
            return False
        return stratum == ALL or (stratum in self.bands and self.has_bands(place))

    def is_feed(self, stream: str, place: str, stratum: str) -> bool:
        """Return whether a series tells whether a source reports."""
        return stream == VISITS and place.startswith(FACILITY_PLACE) and stratum == ALL

    def has_bands(self, place: str) -> bool:
        """Return whether bands of ages are counted at a place."""
        return self.within == "districts" or place == CITY


def _cells(
    strata: Strata, day: int, district: str | None, facility: str | None, band: str, syndromes: str
) -> frozenset[Cell]:
    streams = (VISITS, *syndromes.split())
    places = [CITY, DISTRICT + district] if district else [CITY]
    in_bands = [place for place in places if band and strata.has_bands(place)]
    cells = {(stream, place, band, day) for stream in streams for place in in_bands}
    if facility:
        if district:
            cells.add((VISITS, places[-1], REPORTER + facility, day))
        places.append(FACILITY_PLACE + facility)
    return frozenset(cells | {(stream, place, ALL, day) for stream in streams for place in places})
