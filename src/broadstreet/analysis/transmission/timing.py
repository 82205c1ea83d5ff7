"""When each case may have been infected, and when it may have infected others, as probabilities by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission.intervals import Interval, infectiousness, of_moments
from broadstreet.analysis.transmission.linelist import LineList

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Exposure windows and dates of isolation are remembered, and some are wrong: outside of them a link keeps
# this share of its weight.
DOUBT = 0.02
# From onset to diagnosis, days, where fewer than five cases have both: a wide guess that their mean replaces.
_DELAY_MEAN, _DELAY_SD, _LEAST_DELAYS = 5.0, 4.0, 5
# A serial interval is seen where cases are isolated: for each day late after onset that so small a share of
# cases reached unisolated, infectiousness counts as if that share had.
_LEAST_FREE = 0.1
# Infectious before onset, days, where neither interval says: SARS-CoV-2 about 2 (He et al. 2020, Nat Med
# 26:672), measles up to 4 (Heymann, Control of Communicable Diseases Manual).
_LEAD = 2.0


@dataclass(frozen=True)
class Band:
    """A function of the day for each case: `values[i, k]` on day `first[i] + k`."""

    first: Ints
    values: Floats

    def total(self) -> Floats:
        """Return the sum of each row."""
        return np.asarray(self.values.sum(axis=1))


@dataclass(frozen=True)
class Timing:
    """How the dates of two cases fit a link from one to the other: `sum over days of infected x infecting`.

    With an incubation period, days are those of infection. Without, `infecting` is the infector's onset and
    `infected` the serial interval before the case's own; then `window` and `infectious` (first and last day,
    shape (2, cases)) must overlap.

    `unisolated` is the share of cases not isolated before each day of infectiousness as it was reckoned with,
    `unisolated_now` as these cases have it; empty without an incubation period.
    """

    onset: Floats
    infected: Band
    infecting: Band
    window: Floats
    infectious: Floats
    mechanistic: bool
    serial: Interval
    generation: Interval
    unisolated: Floats
    unisolated_now: Floats


def time_cases(
    cases: LineList, serial: Interval, incubation: Interval | None, unisolated: Floats | None = None
) -> Timing:
    """Return when each case was infected and infectious.

    `unisolated` holds the share that is not isolated by day as it was before some cases changed.
    """
    onset = _onsets(cases, incubation)
    end = _end_of_infectiousness(cases)
    begin, last = cases.days["exposed_from"], cases.days["exposed_to"]
    window = np.array([np.where(np.isnan(begin), -np.inf, begin), np.where(np.isnan(last), np.inf, last)])
    expected = onset.first + (onset.values * np.arange(onset.values.shape[1])).sum(axis=1)
    if incubation is None:
        lead = max(_LEAD, -float(serial.first))
        infectious = np.array([expected - lead, end])
        none = np.zeros(0)
        return Timing(
            expected, _before(onset, serial), onset, window, infectious, False, serial, serial, none, none
        )
    profile = infectiousness(serial, incubation)
    infected = _masked(_before(onset, incubation), window)
    now = _unisolated(cases, expected, profile)
    held = now if unisolated is None else unisolated
    natural = after(onset, Interval(profile.first, profile.p / held))
    infecting = _masked(natural, np.array([np.full(cases.size, -np.inf), end]))
    free = np.array([np.full(cases.size, -np.inf), np.full(cases.size, np.inf)])
    return Timing(
        expected, infected, infecting, free, free, True, serial, incubation.then(profile), held, now
    )


def _end_of_infectiousness(cases: LineList) -> Floats:
    """Return the day of isolation; without one that of diagnosis, without that of death."""
    isolated, diagnosed, died = (cases.days[name] for name in ("isolated", "diagnosed", "died"))
    end = np.where(np.isnan(isolated), np.where(np.isnan(diagnosed), died, diagnosed), isolated)
    return np.where(np.isnan(end), np.inf, np.fmin(end, np.where(np.isnan(died), np.inf, died)))


def _unisolated(cases: LineList, onset: Floats, profile: Interval) -> Floats:
    """Return the share of cases that was not isolated before each day of the profile.

    Who has no date of isolation or diagnosis counts as never isolated.
    """
    isolated, diagnosed = cases.days["isolated"], cases.days["diagnosed"]
    delay = np.where(np.isnan(isolated), diagnosed, isolated) - onset
    known = np.isfinite(delay)
    if known.sum() < _LEAST_DELAYS:
        return np.ones(len(profile.p))
    over = (delay[known, np.newaxis] < profile.days).sum(axis=0) / (cases.size + 1.0)
    return np.asarray(np.maximum(1.0 - over * (1.0 - DOUBT), _LEAST_FREE))


def _onsets(cases: LineList, incubation: Interval | None) -> Band:
    """Return each case's day of onset; where it is missing, what diagnosis and exposure say about it."""
    onset = cases.days["onset"]
    missing = np.flatnonzero(np.isnan(onset))
    if not missing.size:
        return Band(onset.astype(np.int64), np.ones((cases.size, 1)))
    delay = _delay(cases)
    guesses = [_guess(cases, int(row), delay, incubation) for row in missing]
    width = max(len(guess.p) for guess in guesses)
    first = np.where(np.isnan(onset), 0.0, onset).astype(np.int64)
    values = np.zeros((cases.size, width))
    values[:, 0] = 1.0
    for row, guess in zip(missing, guesses, strict=True):
        first[row] = guess.first
        values[row] = 0.0
        values[row, : len(guess.p)] = guess.p
    return Band(first, values)


def _delay(cases: LineList) -> Interval:
    known = next(
        (d for name in ("diagnosed", "isolated", "died") if np.isfinite(d := cases.days[name] -
        cases.days["onset"]).sum()
         >= _LEAST_DELAYS),
        None,
    )  # fmt: skip
    if known is None:
        return of_moments(_DELAY_MEAN, _DELAY_SD)
    known = np.clip(known[np.isfinite(known)], 0.0, None)
    return of_moments(max(float(known.mean()), 0.5), max(float(known.std()), 1.0))


def _guess(cases: LineList, row: int, delay: Interval, incubation: Interval | None) -> Interval:
    dates = (cases.days[name][row] for name in ("diagnosed", "isolated", "died"))
    reported = next((day for day in dates if not np.isnan(day)), np.nan)
    begin, end = cases.days["exposed_from"][row], cases.days["exposed_to"][row]
    incubation = incubation or of_moments(_DELAY_MEAN, _DELAY_SD)
    exposed = end if np.isnan(begin) else begin
    if np.isnan(reported):
        days = 1 if np.isnan(begin) or np.isnan(end) else int(end - begin) + 1
        window = Interval(int(exposed), np.full(days, 1.0 / days))
        return window.then(incubation)
    before = Interval(int(reported) - delay.first - len(delay.p) + 1, delay.p[::-1].copy())
    if np.isnan(exposed):
        return before
    chance = before.p * np.interp(before.days - exposed, incubation.days, incubation.p, 0.0, 0.0)
    if chance.sum() <= 0.0:
        return before
    return Interval(before.first, chance / chance.sum())


def _before(onset: Band, interval: Interval) -> Band:
    """Return the chance of each day when onset follows by the interval."""
    reach = interval.first + len(interval.p) - 1
    values = np.zeros((len(onset.first), len(interval.p) + onset.values.shape[1] - 1))
    for k in range(onset.values.shape[1]):
        values[:, k : k + len(interval.p)] += onset.values[:, k : k + 1] * interval.p[::-1]
    return Band(onset.first - reach, values)


def after(onset: Band, interval: Interval) -> Band:
    """Return the chance of each day that follows onset by the interval."""
    values = np.zeros((len(onset.first), len(interval.p) + onset.values.shape[1] - 1))
    for k in range(onset.values.shape[1]):
        values[:, k : k + len(interval.p)] += onset.values[:, k : k + 1] * interval.p
    return Band(onset.first + interval.first, values)


def _masked(band: Band, limits: Floats) -> Band:
    days = band.first[:, np.newaxis] + np.arange(band.values.shape[1])
    inside = (days >= limits[0][:, np.newaxis]) & (days <= limits[1][:, np.newaxis])
    return Band(band.first, np.where(inside, band.values, band.values * DOUBT))
