"""Signals in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from broadstreet.app.lag import behind_in_words
from broadstreet.app.status import Alarm, Status
from broadstreet.app.words import counted, in_words, silence_in_words
from broadstreet.cli.marked import visible
from broadstreet.cli.program import console

MOST_TOLD = 12

Words = Callable[[Alarm, Mapping[str, str]], str]


def tell_signals(status: Status, folder: Path) -> None:
    """Print the signals of the city, then those of districts and sources, by name; then what is untested.

    What the tables have not seen of a store, they cannot deny: that it lies in `folder` is said instead.
    """
    if status.uncounted and status.hub is None:
        console.print(_sentence(behind_in_words(status.uncounted, folder)), markup=False, soft_wrap=True)
    if status.signals or status.hub is not None or not status.uncounted:
        _tell_standing(status)
    if status.too_late:
        days = counted(status.too_late, "day")
        console.print(f"Visits of {days} before {status.tested_from} came too late to be tested.")
    if status.untested:
        first, last, n = status.untested[0], status.untested[-1], len(status.untested)
        when = f"on {first}" if n == 1 else f"on {counted(n, 'day')} from {first} to {last}"
        console.print(f"Not tested yet: visits {when}. A day is tested when it is over.")


def _tell_standing(status: Status) -> None:
    standing = [signal for signal in status.signals if signal.status != "withdrawn"]
    if not standing:
        console.print(_without_signal(status))
        return
    if not any(_group(signal) == "city" for signal in standing):
        console.print("No signal in the city.")
    for group, (heading, words) in _GROUPS.items():
        some = [signal for signal in standing if _group(signal) == group]
        if some:
            console.print(f"{heading(len(some))}:")
            _tell(some, status.names, words)


_GROUPS: dict[str, tuple[Callable[[int], str], Words]] = {
    "city": (lambda n: f"{counted(n, 'signal')} in the city", in_words),
    "district": (lambda n: f"{counted(n, 'signal')} in districts", in_words),
    "facility": (lambda n: f"{counted(n, 'signal')} at single sources", in_words),
    "silence": (lambda n: f"{counted(n, 'signal')} of sources that are silent", silence_in_words),
}


def _group(signal: Alarm) -> str:
    kind = signal.place.partition(":")[0]
    return "silence" if signal.kind == "silence" else "district" if kind == "area" else kind


def _tell(signals: Sequence[Alarm], names: Mapping[str, str], words: Words) -> None:
    newest = sorted(signals, key=lambda signal: signal.since, reverse=True)
    for signal in newest[:MOST_TOLD]:
        told = visible(words(signal, names))
        console.print(f"  {told} ({signal.method}; {signal.status})", markup=False, soft_wrap=True)
    if len(newest) > MOST_TOLD:
        console.print(f"  and {len(newest) - MOST_TOLD} older ones; see `broadstreet status --json`")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _without_signal(status: Status) -> str:
    if status.uncounted:
        return f"No signal yet: the tables are {counted(status.uncounted, 'entry', 'entries')} behind."
    if not status.tested and not status.untested and status.too_late:
        return "No signal: no day with visits was tested."
    if not status.tested:
        return (
            "No signal yet: no day with visits is over." if status.untested else "No signal: no visits yet."
        )
    which = "was tested" if status.too_late else "is over"
    return f"No signal: no day that {which} had more visits than the days before let expect."
