"""The sentences of a card: its headline, what is happening, what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance.card.data import Point, Sureness
from broadstreet.workflows.surveillance.card.dates import day, sentence
from broadstreet.workflows.surveillance.card.focus import Focus, focus_of, focus_on
from broadstreet.workflows.surveillance.card.names import Names, listed, stream, who
from broadstreet.workflows.surveillance.card.numbers import number, visits
from broadstreet.workflows.surveillance.feeds import RETURNED
from broadstreet.workflows.surveillance.lives import QUIET
from broadstreet.workflows.surveillance.rule import WEEK
from broadstreet.workflows.surveillance.tables import VISITS

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


def what(signal: Signal) -> str:
    """Return what a signal is about."""
    return "reports of a source" if signal.where.stream == VISITS else stream(signal.where.stream)


def title(signal: Signal, focus: Focus, names: Names) -> str:
    """Return the headline."""
    place = names.where(focus)
    if signal.kind == "silence":
        return f"{place} reports less than usual"
    whom = "" if signal.where.stratum == "all" else f", {who(signal.where.stratum)}"
    name = what(signal)
    return f"{name[:1].upper()}{name[1:]}: more visits than expected in {place}{whom}"


def lead(
    signal: Signal,
    focus: Focus,
    sure: Sureness,
    names: Names,
    into: Signal | None = None,
    points: Sequence[Point] = (),
) -> str:
    """Return what is happening and how sure that is, in a few words.

    `into` is what the signal became part of; `points` are the days of its counts.
    """
    when = sentence(focus.days)
    seen = f"{visits(signal.observed)}, {number(signal.expected)} expected"
    if signal.status == "withdrawn":
        return f"{when}: {seen} when it was last told. {_end(signal, names, into)}"
    if signal.kind == "silence":
        return f"{when}: {seen}. {_silence(signal, focus, names, points)}"
    more = f"{_week(signal, focus, points)}{_area(focus, names)}{_first_sign(signal, focus, names)}"
    return f"{when}: {seen}. {more}{_life(signal)} {_SURE[sure]}"


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


def _first_sign(signal: Signal, focus: Focus, names: Names) -> str:
    """Say on which day, and where, the first sign came, if that is not among the days told."""
    if signal.since >= focus.days[0]:
        return ""
    first = min(signal.evidence, key=lambda each: (each.since or each.day, each.chance or 1.0))
    where = names.where(focus_on([first]))
    what = "" if first.where.stream == signal.where.stream else f"{stream(first.where.stream)}, "
    return f"The first sign was on {day(signal.since)} ({what}{where}). "


def _week(signal: Signal, focus: Focus, points: Sequence[Point]) -> str:
    """Say what the week of a single day has, on which its test rests as well."""
    last = focus.days[-1]
    week = [point for point in points if 0 <= (last - point.day).days < WEEK]
    seen, usual = sum(point.observed for point in week), sum(point.expected or 0.0 for point in week)
    if len(focus.days) > 1 or len(week) < WEEK or seen <= signal.observed:
        return ""
    return f"In the seven days to then: {visits(seen)}, {number(usual)} expected. "


def _area(focus: Focus, names: Names) -> str:
    """Say which districts an area has."""
    if len(focus.districts) < 2:
        return ""
    named = listed(map(names.district, focus.districts))
    return f"The area is {len(focus.districts)} districts together: {named}. "


def _end(signal: Signal, names: Names, into: Signal | None) -> str:
    """Say why a signal is one no more."""
    if signal.joined:
        told = f" ({title(into, focus_of(into), names)})" if into else ""
        return (
            f"It became part of signal {short(signal.joined)}{told}: both speak for the same visits, and that"
            " one has its evidence."
        )
    if signal.kind == "silence":
        return "With what has come since, it is not silent any more."
    return "Visits that were corrected, or came later, have taken its evidence away."


def _life(signal: Signal) -> str:
    if signal.status == "closed" and signal.known and (signal.known - signal.until).days > QUIET:
        return f"It was over before it was known, on {day(signal.known)}: its visits came late."
    return _LIFE[signal.status]


def _silence(signal: Signal, focus: Focus, names: Names, points: Sequence[Point]) -> str:
    after = [point for point in points if point.day > signal.until]
    came, usual = sum(point.observed for point in after), sum(point.expected or 0.0 for point in after)
    if signal.status in ("opened", "growing") or not after:
        return f"{names.where(focus)} may be cut off: ask there. Other signals do not suffer from it."
    if not came:
        return "Nothing has come since, and so little is no surprise any more."
    told = f"{came:,} visits since then, {number(usual)} expected"
    return f"It reports again: {told}." if came > RETURNED * usual else f"It reports, but less: {told}."
