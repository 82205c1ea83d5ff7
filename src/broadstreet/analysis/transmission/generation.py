"""The interval from case to case as learned, and the generation of each case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.belief import UNKNOWN, Belief
from broadstreet.analysis.transmission.counting import related
from broadstreet.analysis.transmission.posterior import weigh
from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# So many drawn trees tell how far mean and deviation are known.
_TREES = 40


@dataclass(frozen=True)
class Generation:
    """Intervals, `day, prior, learned`, and generations, `case, mean`: 0 for a case infected from outside.

    mean, sd : of the serial interval as learned, days
    mean_range, sd_range : their 95 % credible intervals; both ends are the value where it was held as given
    """

    interval: Frame
    number: Frame
    mean: float
    sd: float
    mean_range: tuple[float, float]
    sd_range: tuple[float, float]


def generation(study: Study, draws: Ints, names: list[str]) -> Generation:
    """Return intervals and generations."""
    prior, learned = study.given_serial, study.serial
    low = min(prior.first, learned.first)
    days = np.arange(low, max(prior.first + len(prior.p), learned.first + len(learned.p)))
    interval = Frame({"day": days, "prior": prior.at(days), "learned": learned.at(days)})
    mean_range, sd_range = interval_ranges(study, draws)
    return Generation(
        interval,
        Frame({"case": names, "mean": _numbers(study)}),
        learned.mean,
        learned.sd,
        mean_range,
        sd_range,
    )


def interval_ranges(study: Study, draws: Ints) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return 95 % credible intervals of mean and deviation of the serial interval, over trees."""
    belief, serial = study.belief, study.serial
    if belief is None or not study.pairs.size:
        return (serial.mean, serial.mean), (serial.sd, serial.sd)
    some = draws[:: max(1, len(draws) // _TREES)]
    chance = belief.posterior(_gaps_of_trees(study, belief, some)).mean(axis=0)
    return _middle(belief.mean, chance), _middle(belief.sd, chance)


def _gaps_of_trees(study: Study, belief: Belief, draws: Ints) -> Floats:
    """Return, for each tree, the related links by days from onset to onset, shape (trees, days)."""
    evidence, pairs = study.evidence, study.pairs
    tree, case = np.nonzero(draws >= 0)
    entry = pairs.find(draws[tree, case], case)
    tree, entry = tree[entry >= 0], entry[entry >= 0]
    weight = related(evidence, study.rates, weigh(evidence, study.rates))[entry]
    at = evidence.gaps[entry] - belief.first
    held = (evidence.gaps[entry] != UNKNOWN) & (at >= 0) & (at < belief.table.shape[1])
    found = np.zeros((len(draws), belief.table.shape[1]))
    np.add.at(found, (tree[held], at[held]), weight[held])
    return found


def _middle(values: Floats, chance: Floats) -> tuple[float, float]:
    order = np.argsort(values)
    cumulated = np.cumsum(chance[order])
    ends = np.searchsorted(cumulated, [0.025, 0.975])
    low, high = values[order][np.minimum(ends, len(values) - 1)]
    return float(low), float(high)


def _numbers(study: Study) -> Floats:
    """Return the mean generation of each case: one more than its infector's."""
    from scipy.sparse import csr_array, eye_array  # noqa: PLC0415  a heavy part of scipy, seldom needed
    from scipy.sparse.linalg import spsolve  # noqa: PLC0415

    size = study.pairs.size
    if not size:
        return np.zeros(0)
    table = csr_array((study.posterior.pair, study.pairs.infector, study.pairs.start), shape=(size, size))
    hidden = study.posterior.unseen
    steps = np.asarray(table.sum(axis=1)).ravel() + hidden.T @ np.arange(2, len(hidden) + 2)
    return np.atleast_1d(spsolve((eye_array(size) - table).tocsc(), steps))
