"""The sentences of a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from broadstreet.model.records import Evidence, Signal
from broadstreet.workflows.surveillance.card.data import Point, Sureness
from broadstreet.workflows.surveillance.card.numbers import number
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.lives import apart
from broadstreet.workflows.surveillance.tables import CITY, VISITS

SMALL = 3.0
"""Expected visits: below, numbers are too small to tell how much more there are."""
YOUNG = 56
"""Days of history: with less, neither season nor usual spread is known well."""
ALL_KNOWN = 0.98
"""A larger share of a day's visits is nearly all of them."""
_LIFE = {
    "opened": "It has just opened.",
    "growing": "It is growing.",
    "fading": "It is fading: the newest day does not stand out.",
    "closed": "It is over: three days have not stood out.",
}
_SURE = {
    "strong": "The evidence is strong.",
    "moderate": "The evidence is moderate.",
    "weak": "The evidence is weak.",
}


@dataclass(frozen=True)
class Names:
    """What facilities and districts are called, by id and code."""

    sources: Mapping[str, str] = field(default_factory=dict)
    districts: Mapping[str, str] = field(default_factory=dict)

    def place(self, place: str) -> str:
        """Return the name of a place for people."""
        kind, _, code = place.partition(":")
        if kind == CITY:
            return "the whole city"
        if kind == "facility":
            return self.source(code)
        name = self.districts.get(code, "")
        district = f"{name} ({code})" if name and name != code else f"district {code}"
        return f"the area around {district}" if kind == "area" else district

    def source(self, id: str) -> str:
        """Return the name of a facility."""
        return self.sources.get(id, id)


def stream(name: str) -> str:
    """Return the name of a syndrome for people."""
    return name.replace("_like_", "-like ").replace("_", " ")


def who(stratum: str) -> str:
    """Return whom a stratum has."""
    kind, _, band = stratum.partition(":")
    if kind != "age":
        return "everybody"
    return f"ages {band[:-1]} and over" if band.endswith("+") else f"ages {band}"


def what(signal: Signal) -> str:
    """Return what a signal is about."""
    return "reports of a source" if signal.where.stream == VISITS else stream(signal.where.stream)


def title(signal: Signal, names: Names) -> str:
    """Return the headline."""
    place = names.place(signal.where.place)
    if signal.kind == "silence":
        return f"{place} reports less than usual"
    whom = "" if signal.where.stratum == "all" else f", {who(signal.where.stratum)}"
    name = what(signal)
    return f"{name[:1].upper()}{name[1:]}: more visits than expected in {place}{whom}"


def lead(signal: Signal, sure: Sureness, names: Names, into: Signal | None = None) -> str:
    """Return what is happening and how sure that is, in a few words; `into` is what it became part of."""
    when, seen = _when(signal), f"{signal.observed:,} visits, {number(signal.expected)} expected"
    if signal.status == "withdrawn":
        return f"{when}: {seen} when it was last told. {_end(signal, names, into)}"
    if signal.kind == "silence":
        return f"{when}: {seen}. {_silence(signal, names)}"
    return f"{when}: {seen}. {_first_sign(signal)}{_LIFE[signal.status]} {_SURE[sure]}"


def outcome(signal: Signal) -> str:
    """Return what a signal turned out to be."""
    if signal.joined:
        return f"became part of {short(signal.joined)}"
    if signal.verdict:
        return f"{signal.verdict.finding} by {signal.verdict.by}: {signal.verdict.reason}"
    if signal.status == "withdrawn":
        return "reported later" if signal.kind == "silence" else "withdrawn after corrections"
    return "nobody has judged it"


def short(id: str) -> str:
    """Return the end of a signal's id, by which commands know it."""
    return id[-12:]


@dataclass(frozen=True)
class Known:
    """What is known about the counts of a signal.

    Attributes
    ----------
    closed
        The last day that is over.
    arrived
        Share of the visits of the signal's last day that has come by now, as of days before it.
    missing
        Sources that were silent on that day, with their share of the usual visits.
    has_map, has_holidays
        Whether places and holidays are set.
    """

    closed: int
    arrived: float = 1.0
    missing: Mapping[str, float] = field(default_factory=dict)
    has_map: bool = False
    has_holidays: bool = False


def limits(signal: Signal, points: Sequence[Point], known: Known, names: Names) -> tuple[str, ...]:
    """Return what the data cannot show."""
    told = []
    if number_of(signal.until) >= known.closed - 2:
        told.append(_delay(known.arrived))
    if known.missing:
        parts = ", ".join(
            f"{names.source(id)} ({share:.0%} of usual visits)" for id, share in known.missing.items()
        )
        told.append(
            f"Silent sources: {parts}. What is expected was lowered by their part, so the comparison holds,"
            " but their patients are not seen."
        )
    if signal.kind == "silence":
        told.append(
            "It does not say why: no patients, a broken connection and a holiday look alike. It is found once"
            " a day is over, not within it."
        )
        return tuple(told)
    told.append(
        "Denominators: visits are counted, not residents. A new clinic, a campaign or news about an illness"
        " bring more visits as well."
    )
    told.append(
        "Coding: a syndrome is read from the words of complaints and from codes. Nobody has confirmed it, and"
        " a clinic that codes in another way than before looks like a change of illness."
    )
    if signal.expected < SMALL or signal.observed < SMALL:
        told.append(
            f"Small counts: {number(signal.expected)} expected. How many times more cannot be said well."
        )
    before = sum(point.day < signal.since for point in points)
    if before < YOUNG:
        told.append(
            f"Short history: {before} days before it. Seasons are not known yet, and a rise that comes every"
            " year looks like an outbreak."
        )
    told.append("Place: where patients live, by the newest address; not where they fell ill.")
    if not known.has_holidays:
        told.append(
            "Holidays: none are set (surveillance.holidays), so a holiday is compared with other days."
        )
    if not known.has_map:
        told.append(
            "No map, and no scan of neighbouring districts: no coordinates are set (surveillance.places)."
        )
    return tuple(told)


def _delay(arrived: float) -> str:
    if arrived > ALL_KNOWN:
        return (
            "Delay: visits and diagnoses of the newest days may still come in. The numbers are those that had"
            " arrived; they are tested again when more arrive."
        )
    return (
        f"Delay: by now about {arrived:.0%} of the visits of the last day have come, as on days before it."
        " What is expected was lowered to that; the day is tested again when more arrive."
    )


def _when(signal: Signal) -> str:
    """Return the days on which the strongest series stands out."""
    days = _days(signal)
    first, last = days[0], days[-1]
    if first == last:
        return f"On {_told(first)}"
    if len(days) == (last - first).days + 1:
        return f"From {_told(first)} to {_told(last)}"
    return f"On {len(days)} days from {_told(first)} to {_told(last)}"


def _first_sign(signal: Signal) -> str:
    return f"The first sign was on {_told(signal.since)}. " if signal.since < _days(signal)[0] else ""


def _days(signal: Signal) -> list[date]:
    of_it = apart(each for each in signal.evidence if each.where == signal.where)
    days = {day for each in of_it for day in _span(each)}
    return sorted(days) or _through(signal.since, signal.until)


def _span(evidence: Evidence) -> list[date]:
    return _through(evidence.since or evidence.day, evidence.day)


def _through(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _told(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _end(signal: Signal, names: Names, into: Signal | None) -> str:
    """Say why a signal is one no more."""
    if signal.joined:
        told = f" ({title(into, names)})" if into else ""
        return (
            f"It became part of signal {short(signal.joined)}{told}: both speak for the same visits, and that"
            " one has its evidence."
        )
    if signal.kind == "silence":
        return "With what has come since, it is not silent any more."
    return "Visits that were corrected, or came later, have taken its evidence away."


def _silence(signal: Signal, names: Names) -> str:
    if signal.status == "closed":
        return "It reports again."
    return (
        f"{names.place(signal.where.place)} may be cut off: ask there. Other signals do not suffer from it."
    )
