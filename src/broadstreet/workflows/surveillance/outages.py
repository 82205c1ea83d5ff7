"""The days on which sources were silent: they tell nothing of what a source usually sends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.records import Evidence, Signal
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.dismissals import Dismissed
from broadstreet.workflows.surveillance.lives import QUIET
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import VISITS

_FOREVER = 1 << 40

LEARNED = 14
"""Days from which it can be told what is usual since a silence that was dismissed."""


class Outages:
    """The silent days of each source, as far as they are known.

    A silence that an officer has dismissed is what is usual from then on: for the days that were dismissed
    its days are left out of the history, for later ones it is what came before them that is left out.

    Parameters
    ----------
    signals
        Those of silence.
    dismissed
        What was dismissed of them, by id.
    """

    def __init__(self, signals: Iterable[Signal], dismissed: Mapping[str, Dismissed]) -> None:
        self._days: defaultdict[Series, dict[int, int]] = defaultdict(dict)
        self._closed: defaultdict[Series, list[_Closed]] = defaultdict(list)
        for signal in signals:
            said = dismissed.get(signal.id)
            if said is not None and signal.where.stream == VISITS and signal.evidence:
                last = max(number_of(each.day) for each in signal.evidence)
                first = min(number_of(each.since or each.day) for each in signal.evidence)
                self._closed[_series(signal.evidence[0])].append(_Closed(said, first, last))

    def add(self, evidence: Evidence) -> None:
        """Take a day on which a source is silent; the days in order."""
        day, until = number_of(evidence.day), _FOREVER
        for each in self._closed[_series(evidence)]:
            if each.takes(evidence):
                each.last, until = max(each.last, day), each.said.last
        silent = self._days[_series(evidence)]
        for past in range(number_of(evidence.since or evidence.day), day + 1):
            silent[past] = max(until, silent.get(past, 0))

    def is_ongoing(self, series: Series, day: int) -> bool:
        """Return whether a source was silent just before a day, and nobody has said that this is usual."""
        silent = self._days.get(series, {})
        return any(silent.get(past, 0) >= day for past in range(day - QUIET, day))

    def known(self, feeds: Sequence[Series], first: int, day: int) -> NDArray[np.bool_] | None:
        """Return which days from `first` to `day` tell what is usual, shape (days, feeds); None: all do."""
        known = np.ones((day + 1 - first, len(feeds)), np.bool_)
        for column, series in enumerate(feeds):
            known[: max(self._usual_since(series, day) - first, 0), column] = False
            silent = self._days.get(series, {}).items()
            known[[past - first for past, until in silent if first <= past < day <= until], column] = False
        return None if known.all() else known

    def _usual_since(self, series: Series, day: int) -> int:
        """Return from which day on a source sends what is usual on a day."""
        closed = self._closed.get(series, ())
        said = [each.first for each in closed if each.said.last < day and each.first <= day - LEARNED]
        return max(said, default=0)


class _Closed:
    """A silence that was dismissed, its first day and the last that it takes in."""

    def __init__(self, said: Dismissed, first: int, last: int) -> None:
        self.said, self.first, self.last = said, first, last

    def takes(self, evidence: Evidence) -> bool:
        return number_of(evidence.day) - self.last <= QUIET and self.said.explains(evidence)


def _series(evidence: Evidence) -> Series:
    where = evidence.where
    return Series(where.stream, where.place, where.stratum)
