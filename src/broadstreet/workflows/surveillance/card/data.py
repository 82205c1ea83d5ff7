"""What a card says, as data: everything that the page and the text tell, and whence each number comes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from broadstreet.model.records import Verdict

Sureness = Literal["strong", "moderate", "weak"]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Origin(_Part, frozen=True):
    """Where numbers come from: entries of the log by seq, and rows of the tables of counts by their key."""

    signal: tuple[int, ...]
    """Every version of the signal."""
    causes: tuple[int, ...]
    """What each version was made from: a visit, a correction, the timer that closed a day."""
    counts: str
    """The key of the count in `surveillance_count`, without the day."""


class Point(_Part, frozen=True):
    """One day of the series: None where nothing could be expected.

    From `low` to `high` lie the counts that 19 of 20 quiet days show; from `upper` on the evidence of the
    newest days together would be an alarm.
    """

    day: date
    observed: int
    expected: float | None
    low: float | None
    high: float | None
    upper: float | None
    alarm: bool


class Agreement(_Part, frozen=True):
    """One series or area whose tests speak for the signal: by which method, on which days, how strongly.

    `observed` and `expected` are of all `days` together, of an area in all its `districts`. Of an area, whose
    tests each look back over days, they are those of the strongest.
    """

    what: str
    where: str
    districts: tuple[str, ...]
    who: str
    method: str
    days: tuple[date, ...]
    observed: int
    expected: float
    chance: float | None


class Source(_Part, frozen=True):
    """A facility: how many of the signal's visits it reported, and how many it would usually report."""

    id: str
    name: str
    observed: int
    usual: float


class Band(_Part, frozen=True):
    """A band of ages: its visits of the signal, and its usual share among visits of the syndrome."""

    name: str
    observed: int
    usual_share: float


class Spot(_Part, frozen=True):
    """A district on the map: where it is, and the visits of the card's syndrome, ages and days.

    `inside` tells whether they are among those that the card's `observed` counts, `stands_out` whether a test
    speaks of the district, by itself or in an area.
    """

    code: str
    name: str
    x: float
    y: float
    observed: int
    expected: float
    inside: bool
    stands_out: bool


class Past(_Part, frozen=True):
    """An earlier signal that resembles this one, and what it turned out to be."""

    id: str
    what: str
    where: str
    since: date
    observed: int
    expected: float
    outcome: str


class Visit(_Part, frozen=True):
    """A visit as the reader may see it; `seq` is its entry in the log."""

    seq: int
    id: str
    day: str
    source: str
    codes: str


class Card(_Part, frozen=True):
    """All that is told about one signal.

    `observed` and `expected` are those of its strongest test: of the place `where` (an area's `districts`
    together) on the `days`. Sources, ages and spots count the same visits; what is usual is the mean of the
    `usual_days` before the signal, times the number of its days. `off_map` of the visits are in no district
    with coordinates.

    `sureness` follows from `once_in`, the days in which chance alone brings evidence as strong somewhere in
    the city. `joined` is the id of the signal that this one became part of. `visits` is None where the reader
    may not see any.
    """

    id: str
    kind: Literal["rise", "silence"]
    status: str
    joined: str | None
    verdict: Verdict | None
    title: str
    lead: str
    what: str
    where: str
    who: str
    districts: tuple[str, ...]
    days: tuple[date, ...]
    since: date
    until: date
    opened: datetime
    observed: int
    expected: float
    sureness: Sureness
    once_in: float | None
    reasons: tuple[str, ...]
    series: tuple[Point, ...]
    agreements: tuple[Agreement, ...]
    usual_days: int
    sources: tuple[Source, ...]
    ages: tuple[Band, ...]
    spots: tuple[Spot, ...]
    off_map: int
    on_globe: bool
    limits: tuple[str, ...]
    past: tuple[Past, ...]
    origin: Origin
    visits: tuple[Visit, ...] | None = None
    visits_note: str = ""
