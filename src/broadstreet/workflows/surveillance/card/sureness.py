"""How sure a signal is, and the reasons in plain words."""

from __future__ import annotations

from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance.budget import OVERLAP
from broadstreet.workflows.surveillance.card.data import Sureness
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.scanning import METHOD as SCAN

STRONG, MODERATE = 365.0, 60.0
"""Days: chance brings strong evidence at most once a year, moderate evidence at most once in two months."""
MOST = 36_500.0
"""Days: beyond a hundred years the tail of a distribution is a guess."""
FEW = 5
"""Visits: below, one or two wrong codes decide."""


def once_in(signal: Signal, tests: int) -> float | None:
    """Return in how many days chance alone brings evidence as strong somewhere in the city; None if unknown.

    With `tests` made in a night, of which `OVERLAP` make one false signal, evidence that one test has with
    probability p comes up every OVERLAP / (p tests) nights.
    """
    chances = [each.chance for each in signal.evidence if each.chance is not None and each.method != SCAN]
    if not chances:
        return None
    return min(OVERLAP / (max(min(chances), 1e-300) * max(tests, 1)), MOST)


def sureness_of(signal: Signal, rare: float | None, closed: int) -> tuple[Sureness, tuple[str, ...]]:
    """Return how sure the signal is, and why."""
    days = {each.day for each in signal.evidence}
    series = {(each.where.stream, each.where.place, each.where.stratum) for each in signal.evidence}
    scan = any(each.method == SCAN for each in signal.evidence)
    reasons = [_rarity(rare)]
    reasons.append(
        f"It stands out on {len(days)} days." if len(days) > 1 else "It stands out on one day so far."
    )
    if signal.kind == "rise":
        also = ", and a scan of neighbouring districts agrees" if scan else ""
        number = len(series) - scan
        told = f"{number} series of counts show it" if number > 1 else "One series of counts shows it"
        reasons.append(f"{told}{also}.")
    level: Sureness = "weak"
    if rare is not None and rare >= MODERATE:
        level = "strong" if rare >= STRONG and (len(days) > 1 or scan or rare >= MOST / 10) else "moderate"
    if signal.kind == "rise" and signal.observed < FEW:
        reasons.append(f"It rests on {signal.observed} visits: one or two wrong codes would undo it.")
        level = "weak" if level == "weak" else "moderate"
    if days and number_of(max(days)) > closed:
        reasons.append("The newest day is not over: its numbers still grow.")
    return level, tuple(reasons)


def _rarity(rare: float | None) -> str:
    if rare is None:
        return "How often chance brings such evidence is not known."
    if rare >= MOST:
        how = "less than once in a hundred years"
    elif rare >= 730:
        how = f"about once in {rare / 365:.0f} years"
    elif rare >= 60:
        how = f"about once in {rare / 30.4:.0f} months"
    else:
        how = f"about once in {max(rare, 1):.0f} days"
    return f"Chance alone brings evidence as strong somewhere in the city {how}."
