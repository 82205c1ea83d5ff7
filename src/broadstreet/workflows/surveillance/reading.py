"""What pages and commands read: signals, series of counts, and the bounds that they were tested with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.records import Signal
from broadstreet.store.tables import Between, Condition, TableReader
from broadstreet.workflows.surveillance.arrivals import Arrivals, standing_for, watched_days
from broadstreet.workflows.surveillance.days import date_of, number_of
from broadstreet.workflows.surveillance.rule import SILENCE, Floats, Rule, Tested, test_day, untested
from broadstreet.workflows.surveillance.rule import Counted as Days
from broadstreet.workflows.surveillance.sheet import HISTORY
from broadstreet.workflows.surveillance.strata import Series
from broadstreet.workflows.surveillance.tables import (
    ALL,
    CITY,
    CLOSED,
    COUNT,
    FACILITY,
    LATE,
    SIGNAL,
    VISITS,
    Held,
    Late,
)
from broadstreet.workflows.surveillance.verdicts import signal_of

_EARLIEST, _LATEST = -(1 << 18), 1 << 18


@dataclass(frozen=True, eq=False)
class History:
    """A series with its tests: arrays of shape `(days,)`, but for `usual`.

    Attributes
    ----------
    days
        `datetime64[D]`, without gaps.
    counts, expected, upper, score
        Visits, and what the rule's method (`analysis.aberration.detect` by default) says of them; NaN where
        there is too little history, or a day was not asked for.
    alarm
        True where the day stands out by the rule.
    usual
        Between these lie the counts that 19 of 20 quiet days show: the lowest and the highest, shape
        `(2, days)`.
    """

    days: NDArray[np.datetime64]
    counts: NDArray[np.int64]
    expected: Floats
    upper: Floats
    score: Floats
    alarm: NDArray[np.bool_]
    usual: Floats


def signals(reader: TableReader) -> list[Signal]:
    """Return the newest version of every signal, withdrawn ones too, by the day since when and place."""
    found = [signal_of(Held._make(row)) for row in reader.select(SIGNAL)]
    return sorted(found, key=lambda s: (s.since, s.where.stream, s.where.place, s.where.stratum, s.id))


def series(
    reader: TableReader, stream: str, place: str, stratum: str = ALL
) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    """Return the daily counts of a series.

    Parameters
    ----------
    reader
        The read side of the store.
    stream
        A syndrome, or `visits`.
    place
        `city`, `district:<code>` or `facility:<id>`.
    stratum
        `all`, or a band of ages such as `age:65+` where those are counted.

    Returns
    -------
    days : ndarray of datetime64[D], shape (days,)
        From the first day that anybody in the city reported (after the last silence of more than 28 days)
        to the last closed day, or to 28 days after the last report; both arrays are empty if there is none.
    counts : ndarray of int64, shape (days,)
        Visits on each day; a day that nobody has sent anything for is a 0.
    """
    span = _span(reader)
    return _dates(span), _filled(span, *_stored(reader, stream, place, stratum))


def history(
    reader: TableReader,
    stream: str,
    place: str | Sequence[str],
    stratum: str = ALL,
    *,
    rule: Rule | None = None,
    level: float = 0.001,
    since: date | None = None,
    left_out: Collection[date] = (),
) -> History:
    """Return a series with what was expected of each day, from `since` on; others as of `series`.

    Several places, no visit of which counts in two, are added up and tested as one. Days that are `left_out`
    are no part of the history of later ones.
    """
    rule, span = rule or Rule(), _span(reader)
    places = (place,) if isinstance(place, str) else tuple(place)
    tested = Series(stream, places[0], stratum)
    late = _arrivals(reader, span, tested)
    counts = np.zeros(span.size, np.int64)
    for each in places:
        counts += _filled(span, *_stored(reader, stream, each, stratum))
    begin = number_of(since) if since else _EARLIEST
    known = ~np.isin(span, [number_of(each) for each in left_out])

    def test(row: int, day: int) -> Tested:
        told = None if known[:row].all() else np.append(known[:row], True)[:, np.newaxis]
        delays = late.of([tested], day)
        return test_day(counts[: row + 1, np.newaxis], int(span[0]), rule, level, delays, told)

    found = [test(row, day) if day >= begin else untested(1) for row, day in enumerate(span.tolist())]
    expected, upper, score, dispersion = (
        np.array([getattr(each, name)[0] for each in found], np.float64)
        for name in ("expected", "upper", "score", "dispersion")
    )
    alarm = np.array([each.alarm[0] for each in found], np.bool_)
    from broadstreet.analysis.aberration.quantiles import usual_range

    usual = usual_range(expected, dispersion)
    return History(_dates(span), counts, expected, upper, score, alarm, usual)


def closing_of(reader: TableReader, day: date) -> int | None:
    """Return the seq of the timer that closed a day; None if it was not closed by itself."""
    rows = reader.select(CLOSED, {"day": number_of(day)})
    return int(rows[0][1] or 0) if rows else None


def closed_days(reader: TableReader) -> tuple[date, date] | None:
    """Return the first and the last day that was closed; None before there is one."""
    ends = [reader.select(CLOSED, order=(order,), limit=1) for order in ("day", "-day")]
    return (date_of(int(ends[0][0][0] or 0)), date_of(int(ends[1][0][0] or 0))) if ends[0] else None


def facilities(reader: TableReader) -> dict[str, str]:
    """Return what the facilities are called, by the id that their places have."""
    return {str(id): str(name) for id, name in reader.select(FACILITY)}


def tested_from(reader: TableReader) -> date | None:
    """Return the earliest day that can have been tested; None before a day is closed.

    A night looks so far back as a history needs, and each later one no further than the first. So visits of
    earlier days are counted and never tested: they came after all days that are tested had passed.
    """
    first = reader.select(CLOSED, order=("seq",), limit=1)
    return date_of(int(first[0][0] or 0) - HISTORY) if first else None


def days_with_visits(reader: TableReader) -> tuple[list[date], list[date], list[date]]:
    """Return the days with visits: those too early to be tested, those that were closed, and so tested; and
    those that wait for it.
    """
    last = reader.select(CLOSED, order=("-seq",), limit=1)
    closed = date_of(int(last[0][0] or 0)) if last else date.min
    first = tested_from(reader) or date.min
    days = [date_of(int(day)) for day in _reported(reader)]
    bounds = [bisect_left(days, first), bisect_right(days, closed)]
    return days[: bounds[0]], days[bounds[0] : bounds[1]], days[bounds[1] :]


def _arrivals(reader: TableReader, span: Days, series: Series) -> Arrivals:
    """Return how late visits come that are counted in a series."""
    first, closed = (int(span[0]), int(span[-1])) if span.size else (0, -1)
    days = watched_days(reader, first, closed)

    def counts(each: Series) -> NDArray[np.int64]:
        return _filled(np.arange(days.start, days.stop), *_stored(reader, *each))

    late = [Late._make(row) for row in reader.select(LATE)]
    return Arrivals(counts, [standing_for(series)], late, days)


def _span(reader: TableReader) -> Days:
    reported = _reported(reader)
    last = reader.select(CLOSED, order=("-seq",), limit=1)
    if last:
        reported = reported[reported <= int(last[0][0] or 0)]
    if not reported.size:
        return np.empty(0, np.int64)
    silences = np.flatnonzero(np.diff(reported) > SILENCE)
    first = reported[silences[-1] + 1] if silences.size else reported[0]
    end = min(int(last[0][0] or 0), int(reported[-1]) + SILENCE) if last else int(reported[-1])
    return np.arange(int(first), end + 1, dtype=np.int64)


def _reported(reader: TableReader) -> Days:
    return _stored(reader, VISITS, CITY, ALL)[0]


def _stored(reader: TableReader, stream: str, place: str, stratum: str) -> tuple[Days, Days]:
    where: dict[str, Condition] = {
        "stream": stream, "place": place, "stratum": stratum, "day": Between(_EARLIEST, _LATEST),
    }  # fmt: skip
    table = np.array([row[3:] for row in reader.select(COUNT, where, order=("day",))], np.int64).reshape(
        -1, 2
    )
    return table[:, 0], table[:, 1]


def _filled(span: Days, days: Days, counts: Days) -> NDArray[np.int64]:
    filled = np.zeros(span.size, np.int64)
    if span.size:
        inside = (days >= span[0]) & (days <= span[-1])
        filled[days[inside] - span[0]] = counts[inside]
    return filled


def _dates(span: Days) -> NDArray[np.datetime64]:
    return span.astype("datetime64[D]")
