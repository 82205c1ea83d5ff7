"""How sure a signal is, and the reasons in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance.card import rarity
from broadstreet.workflows.surveillance.card.agreeing import distinct, series_of
from broadstreet.workflows.surveillance.card.data import Sureness
from broadstreet.workflows.surveillance.card.dates import in_a_row, when
from broadstreet.workflows.surveillance.card.focus import focus_of
from broadstreet.workflows.surveillance.card.numbers import visits
from broadstreet.workflows.surveillance.card.rarity import MOST, Nightly, Rarity, kind_of
from broadstreet.workflows.surveillance.days import number_of

STRONG, MODERATE = 365.0, 60.0
"""Days: chance brings strong evidence at most once a year, moderate evidence at most once in two months."""
FEW = 5
"""Visits: below, one or two wrong codes decide."""
SHORT = 28
"""Days of counts before a signal: with fewer, what is usual is itself a guess, and so is a chance."""
_LOWER: dict[Sureness, Sureness] = {"strong": "moderate", "moderate": "weak", "weak": "weak"}


class Ground(NamedTuple):
    """What a signal stands on: the last closed day, days of counts before it, and the tests of a night."""

    closed: int
    history: int
    nightly: Nightly


def sureness_of(signal: Signal, rare: Rarity | None, ground: Ground) -> tuple[Sureness, tuple[str, ...]]:
    """Return how sure the signal is, and why."""
    if not signal.evidence:
        return "weak", ("Nothing speaks for it any more.",)
    return _level(signal, rare, ground), tuple(_reasons(signal, rare, ground))


def _level(signal: Signal, rare: Rarity | None, ground: Ground) -> Sureness:
    days = {each.day for each in signal.evidence}
    scan = any(kind_of(each) == "scan" for each in signal.evidence)
    level: Sureness = "weak"
    if rare is not None and rare.days >= MODERATE:
        may = len(days) > 1 or scan or rare.days >= MOST / 10
        level = "strong" if rare.days >= STRONG and may else "moderate"
    if signal.kind == "rise" and signal.observed < FEW and level == "strong":
        level = "moderate"
    return _LOWER[level] if ground.history < SHORT else level


def _reasons(signal: Signal, rare: Rarity | None, ground: Ground) -> Iterator[str]:
    days = {each.day for each in signal.evidence}
    yield rarity.told(rare, ground.nightly)
    if ground.history < SHORT:
        yield (
            f"The estimate rests on {ground.history} day{'' if ground.history == 1 else 's'} of counts before"
            " it: what is usual is not well known yet, so it is rated one step lower."
        )
    yield _standing(signal)
    if signal.kind == "rise":
        yield _agreement(signal)
        if signal.observed < FEW:
            yield f"It rests on {visits(signal.observed)}: one or two wrong codes would undo it."
    if number_of(max(days)) > ground.closed:
        yield "The newest day is not over: its numbers still grow."


def _standing(signal: Signal) -> str:
    """Say on which days tests stand out, and on which its strongest."""
    days = sorted({each.day for each in signal.evidence})
    if len(days) == 1:
        return "It stands out on one day so far."
    told = f"{len(days)} days, {when(days)}" if in_a_row(days) else when(days)
    top = when(focus_of(signal).days)
    return f"Tests stand out on {told}; the numbers at the top are of the strongest series or area, {top}."


def _agreement(signal: Signal) -> str:
    """Say how many series show it, and how many of them count visits of their own."""
    single = [each for each in signal.evidence if kind_of(each) != "scan"]
    number, own = len(series_of(single)), distinct(single)
    if not number:
        return "No single series of counts stands out: a scan of neighbouring districts shows it."
    scan = len(single) < len(signal.evidence)
    also = ", and a scan of neighbouring districts, which counts the same visits, agrees" if scan else ""
    if number == 1:
        return f"One series of counts shows it{also}."
    told = f"{number} series of counts show it{also}."
    if own == number:
        return f"{told} They count different visits."
    if own == 1:
        return (
            f"{told} They are one finding: the same visits count in each (those of a district are also the"
            " city's, those of an age also everybody's)."
        )
    return f"{told} Only {own} of them count different visits; the others count the same ones again."
