"""Follow series through the times to evaluate: fit what is past, weigh what is new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration import evidence, rhythm
from broadstreet.analysis.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EXPECTED, UPPER, EVIDENCE, SPREAD, UNCERTAINTY = range(5)
FIELDS = 5

_FRESH = 8  # blocks of history: with fewer, each time has a fit of its own from all before it
_SETTLED = 104  # blocks: with more, a fit begins where the last one ended
_COLD_ROUNDS, _WARM_ROUNDS = 4, 2
_MOST_UNCERTAIN = 4.0


@compiled
def history_end(time: int, cycle: int, window: int) -> int:
    """Return how many of the times before `time` a fit may look at.

    The window that is tested is left out where the history is long; a fit serves all times of its block.
    """
    start = time // cycle * cycle
    if start < _FRESH * cycle:
        return time
    return max(start - window + 1, _FRESH * cycle - window)


@compiled
def watch(  # noqa: PLR0913, PLR0917
    counts: Floats, share: Floats, doubtful: Floats, times: Integers, cycle: int, window: int, memory: float,
    position: Integers, holiday: Integers, kinds: int, basis: Floats, mean: Floats, season: Floats,
    week_prior: Floats, week_cases: float, limit: float, found: Floats,
) -> None:  # fmt: skip
    """Fill `found`, shape (fields, evaluated), for one series; `times` increase."""
    size = basis.shape[1]
    beta, covariance = np.zeros(size), np.zeros((size, size))
    week, holidays, seen = week_prior.copy(), np.ones(kinds), np.ones(cycle)
    dispersion, fitted, warm = rhythm.DISPERSION, -1, False
    calm, risen = np.empty(len(evidence.NODES)), np.empty((len(evidence.AMPLITUDES), len(evidence.NODES)))
    origin = 0
    for place in range(len(times)):
        time = times[place]
        end = history_end(time, cycle, window)
        if end < 1:
            found[:, place] = np.nan
            continue
        if end != fitted:
            blocks = (end - 1) // cycle + 1
            here = basis[:blocks].copy()
            here[:, 1] -= basis[(end - 1) // cycle, 1]
            if not warm:
                beta[:] = mean
                beta[0] = np.log((counts[:end].sum() + 0.5) / max(share[:end].sum(), 0.5))
                week[:], holidays[:], dispersion = week_prior, 1.0, rhythm.DISPERSION
            else:
                beta[0] += beta[1] * (basis[(end - 1) // cycle, 1] - basis[origin, 1])
            origin = (end - 1) // cycle
            believed = 0.5 ** ((end - 1 - np.arange(end)) / memory)
            dispersion, _ = rhythm.fit(
                counts[:end], share[:end], believed, 0, cycle, position[:end], holiday[:end], here, mean,
                season, week_prior, week_cases, window, _WARM_ROUNDS if warm else _COLD_ROUNDS, beta, week,
                holidays, covariance, seen, dispersion,
            )  # fmt: skip
            fitted, warm = end, blocks > _SETTLED
        span = min(window, time + 1)
        means, spreads, known = np.empty(span), np.empty(span), np.empty(span)
        uncertainty = 0.0
        for back in range(span):
            at = time - back
            line = basis[at // cycle].copy()
            line[1] -= basis[origin, 1]
            means[back] = share[at] * np.exp(min((line * beta).sum(), 30.0))
            means[back] = max(means[back] * week[position[at]] * holidays[holiday[at]], 1e-9)
            spreads[back] = 1.0 + share[at] * (dispersion - 1.0)
            known[back] = counts[at]
            if back == 0:
                uncertainty = (line * (covariance @ line)).sum() + doubtful[at]
        uncertainty = min(uncertainty, _MOST_UNCERTAIN)
        evidence.weigh_past(known, means, spreads, uncertainty, calm, risen)
        found[EXPECTED, place] = means[0]
        found[SPREAD, place] = spreads[0]
        found[UNCERTAINTY, place] = uncertainty
        found[EVIDENCE, place] = evidence.log_ratio(known[0], means[0], spreads[0], uncertainty, calm, risen)
        found[UPPER, place] = evidence.highest_quiet_count(
            limit, means[0], spreads[0], uncertainty, calm, risen
        )
