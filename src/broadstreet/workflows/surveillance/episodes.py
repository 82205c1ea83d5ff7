"""Alarm days that lie close together are one episode; an episode keeps its signal while it moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from broadstreet.workflows.surveillance.tables import Held

QUIET = 3
"""So many closed days without an alarm end an episode; fewer between two alarms do not part them."""


class Alarm(NamedTuple):
    """A day on which a count stands out."""

    day: int
    observed: int
    expected: float
    upper: float
    score: float
    baseline: int


Episode = tuple[Alarm, ...]


def grouped(alarms: Sequence[Alarm]) -> list[Episode]:
    """Return the alarms, which come in order of their days, as episodes."""
    episodes: list[list[Alarm]] = []
    for alarm in alarms:
        if not episodes or alarm.day - episodes[-1][-1].day > QUIET:
            episodes.append([])
        episodes[-1].append(alarm)
    return [tuple(episode) for episode in episodes]


def matched(
    episodes: Sequence[Episode], held: Sequence[Held]
) -> Iterator[tuple[Episode | None, Held | None]]:
    """Give each episode of a series the signal that it belongs to, oldest first.

    An episode belongs to a signal whose days it shares or touches: the one it shares most days with,
    one that stands before one that was withdrawn, an older one before a younger one. An episode without
    a signal is new (None); a signal without an episode has lost its alarms (None).
    """
    free = {episode[0].day: episode for episode in episodes}
    left = {each.id: each for each in held}
    pairs: list[tuple[int, Episode | None, Held | None]] = []
    for *_, id, first in sorted(_nearness(episode, each) for episode, each in product(episodes, held)):
        if first in free and id in left and _touches(free[first], left[id]):
            pairs.append((first, free.pop(first), left.pop(id)))
    pairs += [(first, episode, None) for first, episode in free.items()]
    pairs += [(each.since, None, each) for each in left.values()]
    for _, episode, each in sorted(pairs, key=lambda pair: (pair[0], pair[2].id if pair[2] else "")):
        yield episode, each


def _nearness(episode: Episode, held: Held) -> tuple[bool, int, int, str, int]:
    return held.status == "withdrawn", _apart(episode, held), held.since, held.id, episode[0].day


def _touches(episode: Episode, held: Held) -> bool:
    return _apart(episode, held) <= QUIET


def _apart(episode: Episode, held: Held) -> int:
    """Days from one to the other; the less, the more days they share."""
    return max(held.since, episode[0].day) - min(held.until, episode[-1].day)
