"""A Poisson regression with one sine wave a year, for many series at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.design import Floats, Indices

# R 4.2, ?glm.control and poisson()$initialize
_EPSILON = 1e-8
_MOST_ITERATIONS = 25
_ADDED_AT_START = 0.1


def seasonal_mean(past: NDArray[np.int64], times: Indices, frequency: int) -> tuple[Floats, Floats]:
    r"""Return the means that the past of each series predicts, and its dispersion.

    The model is :math:`\log m_t = a + b \cos(2 \pi t / f) + c \sin(2 \pi t / f)` for :math:`f` times a year.

    Parameters
    ----------
    past : ndarray of int64, shape (past, series)
        Counts of the times 0, 1, ...
    times : ndarray of intp, shape (evaluated,)
    frequency : int

    Returns
    -------
    mean : ndarray, shape (evaluated, series)
        0 after a past without a case.
    dispersion : ndarray, shape (series,)
        Pearson's estimate; NaN after a past without a case.

    Raises
    ------
    ValueError
        If there is less than a year of counts.
    """
    if len(past) < max(frequency, 4):
        raise ValueError(
            f"a seasonal mean needs a year of history, {max(frequency, 4)} times (there are {len(past)}); "
            "leave mean out to take the mean of the history"
        )
    basis = _waves(np.arange(len(past)), frequency)
    count = past.T.astype(np.float64)
    fitted = np.zeros((len(count), basis.shape[1]))
    seen = count.any(axis=1)
    fitted[seen] = _fitted(count[seen], basis)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.exp(fitted @ basis.T)
        dispersion = ((count - expected) ** 2 / expected).sum(axis=1) / (len(past) - basis.shape[1])
    mean = np.exp(_waves(times, frequency) @ fitted.T)
    return np.where(seen, mean, 0.0), np.where(seen, dispersion, np.nan)


def _waves(times: Indices, frequency: int) -> Floats:
    turn = 2.0 * np.pi / frequency * times
    return np.column_stack([np.ones(len(times)), np.cos(turn), np.sin(turn)])


def _fitted(count: Floats, basis: Floats) -> Floats:
    """Fit by the iterations of `glm.fit`, each series until its own deviance rests."""
    log_count = np.log(np.maximum(count, 1.0))
    mean = count + _ADDED_AT_START
    log_mean = np.log(mean)
    deviance = _deviance(count, log_count, mean, log_mean)
    answer = np.empty((len(count), basis.shape[1]))
    active = np.arange(len(count))
    for iteration in range(_MOST_ITERATIONS):
        y, lines = count[active], log_count[active]
        working = mean * log_mean + y - mean
        squares = np.einsum("st,ti,tj->sij", mean, basis, basis, optimize=True)
        coefficients = np.linalg.solve(squares, (working @ basis)[..., np.newaxis])[..., 0]
        log_mean = coefficients @ basis.T
        mean = np.exp(log_mean)
        now = _deviance(y, lines, mean, log_mean)
        resting = np.abs(now - deviance) < _EPSILON * (0.1 + np.abs(now))
        done = resting | (iteration == _MOST_ITERATIONS - 1)
        answer[active[done]] = coefficients[done]
        going = ~done
        active, mean, log_mean, deviance = active[going], mean[going], log_mean[going], now[going]
        if not active.size:
            break
    return answer


def _deviance(count: Floats, log_count: Floats, mean: Floats, log_mean: Floats) -> Floats:
    return np.asarray(2.0 * (count * (log_count - log_mean) - count + mean).sum(axis=1))
