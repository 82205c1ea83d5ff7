"""What was injected against what was found, how late, and what else was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from broadstreet.model.records import Evidence, Signal
from broadstreet.simulation import Truth

CITY = "city"


@dataclass(frozen=True)
class Found:
    """A signal that tells of the outbreak: its first test that does.

    `late` counts the days from the start of the outbreak to the end of the test's day.
    """

    signal: Signal
    evidence: Evidence
    late: int

    @property
    def alarm(self) -> date:
        """The day of the test."""
        return self.evidence.day


@dataclass(frozen=True)
class Verdict:
    """The outcome of a demonstration.

    `found` is in the order of the alarms; `echoes` have an alarm in the same district or the city on a
    day of the outbreak, under another syndrome; `others` are false alarms; `withdrawn` are signals
    that the hub took back by itself when counts were corrected; `silent` are sources that sent less than
    usual.
    """

    truth: Truth
    found: tuple[Found, ...]
    echoes: tuple[Signal, ...]
    others: tuple[Signal, ...]
    withdrawn: tuple[Signal, ...]
    silent: tuple[Signal, ...]

    @property
    def first(self) -> Found | None:
        """The signal that told of the outbreak first; None if it was missed."""
        return self.found[0] if self.found else None


def judge(truth: Truth, signals: Sequence[Signal]) -> Verdict:
    """Compare signals with the truth.

    A signal tells of the outbreak if one of its tests does: of the same syndrome, in the same district, an
    area with it or the city as a whole, on a day of the outbreak. Silent sources are left out.
    """
    found: list[Found] = []
    echoes: list[Signal] = []
    others: list[Signal] = []
    for signal in (s for s in signals if s.status != "withdrawn" and s.kind == "rise"):
        near = [each for each in signal.evidence if _is_near(each, truth)]
        of_it = [each for each in near if each.where.stream == truth.syndrome]
        if of_it:
            first = min(of_it, key=lambda each: (each.day, each.where.place == CITY))
            found.append(Found(signal, first, (first.day - truth.start).days + 1))
        elif near:
            echoes.append(signal)
        else:
            others.append(signal)
    found.sort(key=lambda each: (each.alarm, each.evidence.where.place))
    withdrawn = tuple(s for s in signals if s.status == "withdrawn" and s.kind == "rise" and not s.joined)
    silent = tuple(s for s in signals if s.status != "withdrawn" and s.kind == "silence")
    return Verdict(truth, tuple(found), tuple(echoes), tuple(others), withdrawn, silent)


def _is_near(evidence: Evidence, truth: Truth) -> bool:
    district = evidence.where.place == f"district:{truth.district}" or truth.district in evidence.places
    return truth.start <= evidence.day <= truth.end and (district or evidence.where.place == CITY)
