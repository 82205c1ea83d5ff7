"""How many cases of the list each case infected, and over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.study import Study

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reproduction:
    """Cases infected by each case of the list, among the list.

    cases : `case, onset, mean, lower, upper` with 95 % credible intervals
    over_time : `day, cases, mean, lower, upper`, by day of the infector's onset
    dispersion : the shape of the gamma distribution of infectiousness; below 1 a few infect most
    """

    cases: Frame
    over_time: Frame
    dispersion: float | None

    @property
    def table(self) -> Frame:
        """Return `case, onset, mean, lower, upper`: the numbers infected by each case, to be written out."""
        return self.cases


def offspring(draws: Ints, size: int) -> Ints:
    """Return how many each case infected in each draw, shape (draws, cases)."""
    counts = np.zeros((len(draws), size), np.int64)
    rows = np.repeat(np.arange(len(draws)), draws.shape[1] if draws.ndim == 2 else 0)
    flat = draws.ravel()
    np.add.at(counts, (rows[flat >= 0], flat[flat >= 0]), 1)
    return counts


def reproduction(study: Study, draws: Ints, names: list[str], onset: list[Any]) -> Reproduction:
    """Return how many cases of the list each case infected."""
    mean = np.zeros(study.pairs.size)
    np.add.at(mean, study.pairs.infector, study.posterior.pair)
    counts = offspring(draws, study.pairs.size)
    lower, upper = np.quantile(counts, [0.025, 0.975], axis=0) if study.pairs.size else (mean, mean)
    by_case = Frame({"case": names, "onset": onset, "mean": mean, "lower": lower, "upper": upper})
    day = np.floor(study.evidence.timing.onset)
    days, at = np.unique(day, return_inverse=True)
    cases = np.bincount(at, minlength=len(days))
    by_day = np.zeros((len(counts), len(days)))
    for row, drawn in zip(by_day, counts, strict=True):
        row[:] = np.bincount(at, drawn, minlength=len(days)) / np.maximum(cases, 1)
    low, high = np.quantile(by_day, [0.025, 0.975], axis=0) if len(days) else (days, days)
    average = np.bincount(at, mean, minlength=len(days)) / np.maximum(cases, 1)
    over_time = Frame(
        {"day": study.labels(days), "cases": cases, "mean": average, "lower": low, "upper": high}
    )
    return Reproduction(by_case, over_time, study.dispersion)
