"""Streams, places and signals in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broadstreet.app.status import Alarm


def stream_in_words(stream: str) -> str:
    """Return the name of a stream for people."""
    return stream.replace("_like_", "-like ").replace("_", " ")


def stratum_in_words(stratum: str) -> str:
    """Return whom a stratum has; empty for everybody."""
    kind, _, band = stratum.partition(":")
    if kind != "age":
        return ""
    return f"ages {band[:-1]} and over" if band.endswith("+") else f"ages {band}"


def counted(number: int, what: str, several: str = "") -> str:
    """Return a number of things, such as `1 signal` or `2,000 signals`."""
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"


def place_in_words(place: str, names: Mapping[str, str] = {}) -> str:
    """Return the name of a place for people; `names` are those of districts, by code."""
    kind, _, code = place.partition(":")
    if kind == "city":
        return "the city"
    if kind == "area":
        return f"the area around {place_in_words(f'district:{code}', names)}"
    name = names.get(code, code)
    return f"{name} ({code})" if name != code else f"{kind} {code}"


def group_in_words(place: str, stratum: str, names: Mapping[str, str] = {}) -> str:
    """Return the name of a place for people, and of whom in it unless it is everybody."""
    ages = stratum_in_words(stratum)
    return place_in_words(place, names) + (f", {ages}" if ages else "")


def in_words(alarm: Alarm, names: Mapping[str, str] = {}) -> str:
    """Return what a signal says: what, where, since when, observed and expected, and on how many days."""
    ages = stratum_in_words(alarm.stratum)
    what = f"{stream_in_words(alarm.stream)}, {ages}," if ages else stream_in_words(alarm.stream)
    return f"{what} in {place_in_words(alarm.place, names)} {numbers_in_words(alarm)}"


def silence_in_words(alarm: Alarm, names: Mapping[str, str] = {}) -> str:
    """Return what a signal says of a source that sends less than usual: which, since when, and how little."""
    code = alarm.place.partition(":")[2]
    return f"{names.get(code, alarm.place.replace(':', ' '))} {numbers_in_words(alarm)}"


def numbers_in_words(alarm: Alarm) -> str:
    """Return since when a signal is told, observed and expected, and on how many days."""
    since, until = alarm.since, alarm.until
    when = f"on {since}" if since == until else f"from {since} to {until}"
    on = f" on {counted(alarm.days, 'day')} of these" if alarm.days <= (until - since).days else ""
    return f"{when}: {counted(alarm.observed, 'visit')} observed{on}, {alarm.expected:.1f} expected"
