"""The visits of a card by clinic, by age and by district: each adds up to the same visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from broadstreet.store.tables import Between, TableReader
from broadstreet.workflows.surveillance.card.data import Band, Source, Spot
from broadstreet.workflows.surveillance.card.focus import Focus
from broadstreet.workflows.surveillance.card.names import Names, who
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.places import Places
from broadstreet.workflows.surveillance.tables import VISIT, Visit

NOT_TOLD = "not told"
"""What a clinic or an age is called that a visit does not name."""


@dataclass(frozen=True)
class Shares:
    """The visits of a focus's syndrome and ages in the whole city, and those of the days before.

    Attributes
    ----------
    focus
        What the card is about.
    known
        So many days before the signal tell what is usual.
    now, before
        Visits on the days of the focus, and on those days; by all districts.
    """

    focus: Focus
    known: int
    now: Sequence[Visit]
    before: Sequence[Visit]

    @cached_property
    def inside(self) -> list[Visit]:
        """The visits of the focus's own districts."""
        return [visit for visit in self.now if self.focus.has_place(visit.district)]

    @cached_property
    def _inside_before(self) -> list[Visit]:
        return [visit for visit in self.before if self.focus.has_place(visit.district)]

    def sources(self, names: Names) -> tuple[Source, ...]:
        """Return the clinics that reported them."""
        now, before = _tallied(self.inside, _clinic), _tallied(self._inside_before, _clinic)
        found = [
            Source(
                id=id, name=names.source(id) if id else NOT_TOLD, observed=n, usual=self._usual(before[id])
            )
            for id, n in now.items()
        ]
        return tuple(sorted(found, key=lambda each: (-each.observed, each.id)))

    def ages(self, bands: Iterable[str]) -> tuple[Band, ...]:
        """Return the bands of ages, and last those whose age is not known."""
        now, before = _tallied(self.inside, _band), _tallied(self._inside_before, _band)
        total = before.total() or 1
        names = [*bands, *([""] if now[""] else [])] if now.total() > now[""] else []
        return tuple(
            Band(
                name=who(band) if band else NOT_TOLD, observed=now[band],
                usual_share=before[band] / total,
            )
            for band in names
        )  # fmt: skip

    def spots(self, places: Places, raised: frozenset[str]) -> tuple[Spot, ...]:
        """Return the districts of the map; `raised` are those that tests speak of."""
        now, before = _tallied(self.now, _district), _tallied(self.before, _district)
        return tuple(
            Spot(
                code=code, name=place.name, x=place.x, y=place.y, observed=now[code],
                expected=self._usual(before[code]), inside=self.focus.has_place(code),
                stands_out=code in raised,
            )
            for code, place in places.by_code.items()
            if now[code] or before[code] or code in raised
        )  # fmt: skip

    def off_map(self, places: Places) -> int:
        """Return how many of the visits lie in no district of the map."""
        return sum(visit.district not in places.by_code for visit in self.inside)

    def _usual(self, before: int) -> float:
        return before / self.known * len(self.focus.days)


def shares_of(tables: TableReader, focus: Focus, first: int, known: int) -> Shares:
    """Return the visits of a focus, and of the `known` days before the day `first`."""
    days = {number_of(day) for day in focus.days}
    rows = map(Visit._make, tables.select(VISIT, {"day": Between(first - known, max(days))}))
    visits = [visit for visit in rows if focus.has_kind(visit)]
    now = [visit for visit in visits if visit.day in days]
    before = [visit for visit in visits if visit.day is not None and visit.day < first]
    return Shares(focus, known, now, before)


def _tallied(visits: Iterable[Visit], key: Callable[[Visit], str]) -> Counter[str]:
    return Counter(key(visit) for visit in visits)


def _clinic(visit: Visit) -> str:
    return visit.facility or ""


def _band(visit: Visit) -> str:
    return visit.band


def _district(visit: Visit) -> str:
    return visit.district or ""
