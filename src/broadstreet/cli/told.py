"""Signals in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broadstreet.app.lag import behind_in_words
from broadstreet.app.status import Alarm, Status
from broadstreet.app.words import counted, in_words
from broadstreet.cli.program import console

MOST_TOLD = 12


def tell_signals(status: Status, folder: Path) -> None:
    """Print the signals of the city, then those of its districts, the newest first; then what is untested.

    What the tables have not seen of a store, they cannot deny: that it lies in `folder` is said instead.
    """
    if status.uncounted and status.hub is None:
        console.print(_sentence(behind_in_words(status.uncounted, folder)), markup=False, soft_wrap=True)
    if status.signals or status.hub is not None or not status.uncounted:
        _tell_standing(status)
    if status.untested:
        first, last, n = status.untested[0], status.untested[-1], len(status.untested)
        when = f"on {first}" if n == 1 else f"on {counted(n, 'day')} from {first} to {last}"
        console.print(f"Not tested yet: visits {when}. A day is tested when it is over.")


def _tell_standing(status: Status) -> None:
    standing = [signal for signal in status.signals if signal.status != "withdrawn"]
    if not standing:
        console.print(_without_signal(status))
        return
    of_city = [signal for signal in standing if signal.place == "city"]
    console.print(f"{counted(len(of_city), 'signal')} in the city:" if of_city else "No signal in the city.")
    _tell(of_city)
    others = [signal for signal in standing if signal.place != "city"]
    if others:
        console.print(f"{counted(len(others), 'signal')} in districts:")
        _tell(others)


def _tell(signals: Sequence[Alarm]) -> None:
    newest = sorted(signals, key=lambda signal: signal.since, reverse=True)
    for signal in newest[:MOST_TOLD]:
        told = in_words(signal)
        console.print(f"  {told} ({signal.method}; {signal.status})", markup=False, soft_wrap=True)
    if len(newest) > MOST_TOLD:
        console.print(f"  and {len(newest) - MOST_TOLD} older ones; see `broadstreet status --json`")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _without_signal(status: Status) -> str:
    if status.uncounted:
        return f"No signal yet: the tables are {counted(status.uncounted, 'entry', 'entries')} behind."
    if not status.tested:
        return (
            "No signal yet: no day with visits is over." if status.untested else "No signal: no visits yet."
        )
    return "No signal: no day that is over had more visits than the days before let expect."
