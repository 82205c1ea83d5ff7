"""The life of a signal: which tests speak for the same visits, and whether they still do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.dismissals import Dismissed
from broadstreet.workflows.surveillance.keys import key_of
from broadstreet.workflows.surveillance.tables import CITY

QUIET = 3
"""So many closed days without an alarm close a signal; fewer between two alarms do not part them."""
SHARED = 0.5
"""Two tests speak of the same visits if they share so much of the smaller's."""

Status = Literal["opened", "growing", "fading", "closed", "withdrawn"]


class Standing(NamedTuple):
    """A signal as it was last told, what speaks for it now, and what of it an officer has dismissed.

    A dismissed signal takes only tests that say no more than was dismissed.
    """

    signal: Signal
    evidence: tuple[Evidence, ...]
    dismissed: Dismissed | None = None


@dataclass(frozen=True)
class Life:
    """What a signal is to be: the one that it was (None: it is new), its evidence, and those it takes in."""

    before: Signal | None
    evidence: tuple[Evidence, ...]
    joined: tuple[Signal, ...] = ()


def lives(standing: Sequence[Standing], fresh: Sequence[Evidence]) -> Iterator[Life]:
    """Put tests that speak for the same visits together, and give them to the signal that has them already.

    Two signals that turn out to speak for the same visits become one: the one that an officer has judged, or
    else the older; two that officers have judged stay two, and one that was dismissed joins no other.

    Parameters
    ----------
    standing
        The signals within reach.
    fresh
        Tests that stand out and are in no signal yet.

    Yields
    ------
    Life
        One for each standing signal that is not taken in by another, then one for each new signal.
    """
    groups = [_Group([each], _seen_of(each)) for each in standing]
    for evidence in sorted(fresh, key=_order):
        seen = _Seen(evidence)
        near = [group for group in groups if group.takes(seen)]
        into = near[0] if near else _Group([], [])
        if not near:
            groups.append(into)
        into.fresh.append(evidence)
        into.seen.append(seen)
        for other in near[1:]:
            if into.may_join(other):
                into.join(other)
                groups.remove(other)
    for group in groups:
        yield group.life()


def status_of(evidence: Sequence[Evidence], closed: int) -> Status:
    """Return how a signal with this evidence lives once the day `closed` is over."""
    if not evidence:
        return "withdrawn"
    days = {number_of(each.day) for each in evidence}
    last = max(days)
    if closed - last >= QUIET:
        return "closed"
    if last < closed:
        return "fading"
    return "opened" if len(days) == 1 else "growing"


def strongest(evidence: Iterable[Evidence]) -> Stratum:
    """Return the series whose test is the least likely by chance; of equals a district before the city."""
    return min(evidence, key=_strength).where


def span(evidence: Iterable[Evidence]) -> tuple[date, date]:
    """Return the first and the last day that tests speak of."""
    each = list(evidence)
    return min(e.since or e.day for e in each), max(e.day for e in each)


def apart(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the tests of one series whose visits are not in another of them: of an area's, which each look
    back over days, the strongest alone."""
    each = list(evidence)
    spans = [e for e in each if e.places]
    return [min(spans, key=_strength)] if spans else each


def days_told(signal: Signal) -> int:
    """Return on how many days the visits were that a signal is told by; its span has other tests' as well."""
    each = apart(e for e in signal.evidence if e.where == signal.where)
    if not each:
        return (signal.until - signal.since).days + 1
    return sum((e.day - (e.since or e.day)).days + 1 for e in each)


def _strength(evidence: Evidence) -> tuple[float, float, bool, tuple[str, ...]]:
    chance = 1.0 if evidence.chance is None else evidence.chance
    where = evidence.where
    return chance, -(evidence.score or 0.0), where.place == CITY, (where.stratum, where.place, where.stream)


def _order(evidence: Evidence) -> tuple[date, tuple[str, str, str]]:
    where = evidence.where
    return evidence.day, (where.stream, where.place, where.stratum)


def _seen_of(standing: Standing) -> list[_Seen]:
    """Return what a signal is known by: also by tests that no longer stand out, so that it keeps its name."""
    known = (*standing.signal.evidence, *standing.evidence) or (_remembered(standing.signal),)
    return [_Seen(each) for each in known]


def _remembered(signal: Signal) -> Evidence:
    """Return what a signal without evidence was about: should the tests stand out again, it comes back."""
    return Evidence(
        where=signal.where,
        day=signal.until,
        since=signal.since,
        observed=0,
        expected=0.0,
        upper=0.0,
        method="-",
    )


class _Seen:
    """A test with what linking it needs."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.last = number_of(evidence.day)
        self.first = number_of(evidence.since) if evidence.since else self.last

    @cached_property
    def visits(self) -> frozenset[str]:
        return frozenset(self.evidence.visits)

    def is_with(self, other: _Seen) -> bool:
        """Whether both speak of the same: one series or one stream in city and place, at most `QUIET` days
        apart; or the same visits."""
        apart = max(self.first, other.first) - min(self.last, other.last)
        if apart > QUIET:
            return False
        one, two = self.evidence.where, other.evidence.where
        if one.stream == two.stream and (one.place == two.place or CITY in (one.place, two.place)):
            return True
        if apart > 0 or not self.visits or not other.visits:
            return False
        return len(self.visits & other.visits) >= SHARED * min(len(self.visits), len(other.visits))


class _Group:
    """Signals and tests that speak for the same visits."""

    def __init__(self, standing: list[Standing], seen: list[_Seen]) -> None:
        self.standing, self.seen = standing, seen
        self.fresh: list[Evidence] = []

    def takes(self, seen: _Seen) -> bool:
        if self.dismissed is not None and not self.dismissed.explains(seen.evidence):
            return False
        return any(seen.is_with(each) for each in self.seen)

    @property
    def dismissed(self) -> Dismissed | None:
        return self.standing[0].dismissed if self.standing else None

    def may_join(self, other: _Group) -> bool:
        if self.dismissed or other.dismissed:
            return False
        judged = [each for group in (self, other) for each in group.standing if each.signal.verdict]
        return len(judged) < 2

    def join(self, other: _Group) -> None:
        self.standing += other.standing
        self.seen += other.seen
        self.fresh += other.fresh

    def life(self) -> Life:
        held = sorted(
            self.standing,
            key=lambda s: (s.signal.verdict is None, not s.evidence, s.signal.since, s.signal.id),
        )
        evidence = [*(e for each in held for e in each.evidence), *self.fresh]
        once = {key_of(each): each for each in evidence}
        kept = tuple(sorted(once.values(), key=_order))
        if not held:
            return Life(None, kept)
        return Life(held[0].signal, kept, tuple(each.signal for each in held[1:]))
