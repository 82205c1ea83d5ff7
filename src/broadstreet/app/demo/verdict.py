"""What was injected against what was found, how late, and what else was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from broadstreet.model.records import Signal
from broadstreet.simulation.outbreak import Truth

CITY = "city"


@dataclass(frozen=True)
class Found:
    """A signal that tells of the outbreak; `late` counts the days from its start to the end of `alarm`."""

    signal: Signal
    alarm: date
    late: int


@dataclass(frozen=True)
class Verdict:
    """The outcome of a demonstration.

    `found` is in the order of the alarms; `echoes` have an alarm in the same district or the city on a
    day of the outbreak, under another syndrome; `others` are false alarms; `withdrawn` are signals
    that the hub took back by itself when counts were corrected.
    """

    truth: Truth
    found: tuple[Found, ...]
    echoes: tuple[Signal, ...]
    others: tuple[Signal, ...]
    withdrawn: tuple[Signal, ...]

    @property
    def first(self) -> Found | None:
        """The signal that told of the outbreak first; None if it was missed."""
        return self.found[0] if self.found else None


def judge(truth: Truth, signals: Sequence[Signal]) -> Verdict:
    """Compare signals with the truth.

    A signal tells of the outbreak if it is of the same syndrome, in the same district or the city as a
    whole, and has an alarm on a day of the outbreak.
    """
    places = {CITY, f"district:{truth.district}"}
    found: list[Found] = []
    echoes: list[Signal] = []
    others: list[Signal] = []
    for signal in (signal for signal in signals if signal.status != "withdrawn"):
        alarms = [day for day in alarms_of(signal) if truth.start <= day <= truth.end]
        if not alarms or signal.where.place not in places:
            others.append(signal)
        elif signal.where.stream != truth.syndrome:
            echoes.append(signal)
        else:
            found.append(Found(signal, alarms[0], (alarms[0] - truth.start).days + 1))
    found.sort(key=lambda each: (each.alarm, each.signal.where.place))
    withdrawn = tuple(signal for signal in signals if signal.status == "withdrawn")
    return Verdict(truth, tuple(found), tuple(echoes), tuple(others), withdrawn)


def alarms_of(signal: Signal) -> list[date]:
    """Return the days of a signal on which counts exceeded their bound."""
    return sorted(each.day for each in signal.evidence) or [signal.since]
