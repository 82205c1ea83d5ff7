"""What share of a day's visits is known by its end, a day later and so on: as the hub saw them arrive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.store.tables import TableReader
from broadstreet.workflows.surveillance.lateness import KEPT
from broadstreet.workflows.surveillance.sheet import CITY_VISITS, Sheet
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import ALL, CITY, CLOSED, FACILITY_PLACE, LATE, VISITS, Late

LONGEST = 14
"""Days: what comes later counts as if it came then."""
FEWEST_DAYS = 7
"""Days that the hub must have seen from their beginning, before anything is said of delays."""
PRIOR_CASES = 50.0
"""Visits for which the delays of all visits of the city stand in, where a syndrome or a source has few."""
PRIOR_DAYS = 5.0
"""Days for which it is thought that days differ in their delays by chance alone."""

Floats = NDArray[np.float64]
Counted = Callable[[Series], NDArray[np.int64]]


class _Seen(NamedTuple):
    """Visits by day and delay, the oldest day first: known by then, and come only then."""

    known: Floats
    late: Floats


class Arrivals:
    """How late visits of each stream and source come, as it was known when a day was closed.

    With N_d(k) the visits of day d that were counted k days after its end, the share of those counted by then
    that came only then is pooled over the days for which k is over, and the share known is the product of
    what remains: the chain ladder (Mack 1993, ASTIN Bulletin 23:213), or the reverse hazard of Lawless 1994
    (Can J Stat 22:15, section 2).

    Parameters
    ----------
    counts
        Returns the counts of a series on the days of the span, as they are now.
    series
        Streams in the city, and sources.
    late
        What came late.
    span
        The days looked at: those that the hub saw from their beginning, to the last that is closed.
    """

    def __init__(self, counts: Counted, series: Iterable[Series], late: Iterable[Late], span: range) -> None:
        self._span, self._closed = span, span.stop - 1
        self._delays: dict[Series, Floats] = {}
        self._usual: Floats | None = None
        rows: defaultdict[Series, list[Late]] = defaultdict(list)
        for row in late:
            rows[Series(row.stream, row.place, ALL)].append(row)
        if len(span) < FEWEST_DAYS or not rows:
            return
        seen = self._seen(counts(CITY_VISITS), rows[CITY_VISITS])
        if not seen.known.any():
            return
        prior = _came_then(seen, np.zeros(LONGEST))
        self._usual = _delays(seen, prior)
        for each in series:
            own = self._seen(counts(each), rows[each])
            self._delays[each] = _delays(own, _came_then(own, prior))

    def of(self, series: Sequence[Series], day: int) -> Floats | None:
        """Return how many visits are known with which delay, when a day is tested with what is known now.

        Returns
        -------
        ndarray of float64, shape (delays, series), or None
            As `detect` takes it: the first row has all that is known of the day itself by now. None where
            nothing is missing, or nothing is known about delays.
        """
        ago = max(self._closed - day, 0)
        if self._usual is None or ago >= LONGEST:
            return None
        table = np.stack([self._delays.get(standing_for(each), self._usual) for each in series], axis=1)
        return np.concatenate([table[: ago + 1].sum(axis=0, keepdims=True), table[ago + 1 :]])

    def share(self, series: Series, day: int) -> float:
        """Return the share of a day's visits that is known by now."""
        delays = self.of([series], day)
        return 1.0 if delays is None else float(delays[0, 0] / delays[:, 0].sum())

    def _seen(self, counts: NDArray[np.int64], rows: Sequence[Late]) -> _Seen:
        days, known = len(self._span), counts.astype(np.float64)
        late = np.zeros((days, LONGEST + 1))
        for row in rows:
            if row.day not in self._span:
                continue
            at = row.day - self._span.start
            if row.known > self._closed:  # it came since the last day was closed
                known[at] -= row.n
            else:
                late[at, min(row.known - row.day, LONGEST)] += row.n
        by_then = np.empty((days, LONGEST + 1))
        by_then[:, 0] = known - late.sum(axis=1)
        by_then[:, 1:] = by_then[:, :1] + late[:, 1:].cumsum(axis=1)
        return _Seen(by_then, late)


def observed(tables: TableReader, sheet: Sheet, closed: int) -> Arrivals:
    """Return how late visits come, for the streams and sources of a sheet."""
    span = watched_days(tables, sheet.first, closed)
    days = slice(span.start - sheet.first, span.stop - sheet.first)
    streams = {Series(series.stream, CITY, ALL) for series in sheet.tested()}
    late = map(Late._make, tables.select(LATE))
    return Arrivals(lambda each: sheet.of(each)[days], (*sorted(streams), *sheet.feeds()), late, span)


def watched_days(tables: TableReader, first: int, closed: int) -> range:
    """Return the days, none before `first`, whose visits the hub has seen arrive; they may be none."""
    rows = tables.select(CLOSED, order=("day",), limit=1)
    began = int(rows[0][0] or 0) if rows else closed
    return range(min(max(began + 1, closed - KEPT + 1, first), closed + 1), closed + 1)


def standing_for(series: Series) -> Series:
    """Return the series whose delays stand for those of another: of a syndrome those in the whole city."""
    is_source = series.stream == VISITS and series.place.startswith(FACILITY_PLACE)
    return series if is_source else Series(series.stream, CITY, ALL)


def _over(seen: _Seen, delay: int) -> slice:
    """The days for which a delay is over: on the last day that is closed, one of its end is."""
    return slice(0, max(len(seen.known) - delay, 0))


def _came_then(seen: _Seen, prior: Floats) -> Floats:
    """Return, for delays of 1, 2, ... days, the share of those known by then that came only then."""
    shares = np.empty(LONGEST)
    for delay in range(1, LONGEST + 1):
        over = _over(seen, delay)
        came, known = seen.late[over, delay].sum(), seen.known[over, delay].sum()
        shares[delay - 1] = (came + PRIOR_CASES * prior[delay - 1]) / (known + PRIOR_CASES)
    return np.clip(shares, 0.0, 0.99)


def _delays(seen: _Seen, came_then: Floats) -> Floats:
    """Return visits by delay, in all so many as to say how sure the shares are."""
    known = np.append(np.cumprod((1.0 - came_then)[::-1])[::-1], 1.0)
    shares = np.diff(known, prepend=0.0)
    return np.asarray(shares * _weight(seen, float(came_then[0])))


def _weight(seen: _Seen, came_then: float) -> float:
    """Return how many visits that came independently would tell as much about the last day's share.

    The share has an error, and the day differs from others by more than chance where visits come in bundles:
    with the dispersion f of those that came with a delay of one day, total n and mean m a day, the variance
    is f / n + (f - 1) / m times that of one visit.
    """
    over = _over(seen, 1)
    known, late = np.maximum(seen.known[over, 1], 0.0), seen.late[over, 1]
    total, days = max(float(known.sum()), PRIOR_CASES), max(len(known), 1)
    variance = known * came_then * (1.0 - came_then)
    some = variance > 0.0
    squares = float(((late - came_then * known)[some] ** 2 / variance[some]).sum())
    dispersion = max((squares + PRIOR_DAYS) / (some.sum() + PRIOR_DAYS), 1.0)
    return 1.0 / float(dispersion / total + (dispersion - 1.0) / max(total / days, 1.0))
