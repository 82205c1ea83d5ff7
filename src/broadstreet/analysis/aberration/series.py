"""Check what comes in: counts, and the times to evaluate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_counts(counts: ArrayLike, *, most: int) -> NDArray[np.int64]:
    """Return the counts as integers of shape `(time, series)`.

    Parameters
    ----------
    counts : array_like, shape (time,) or (time, series)
        Whole numbers from 0 to `most`; floating-point numbers are taken if they are whole.
    most : int
        Highest count that the method computes exactly.

    Returns
    -------
    ndarray of int64, shape (time, series)

    Raises
    ------
    ValueError
        If the shape or type is another, or a count is missing, negative, not whole or too large.
    """
    if np.ma.is_masked(counts):
        raise ValueError("counts must be complete (some are masked); leave gaps out or fill them first")
    array = np.asarray(counts)
    if array.ndim not in (1, 2):
        raise ValueError(f"counts must have shape (time,) or (time, series), not {array.shape}")
    if array.dtype.kind not in "iuf":
        raise ValueError(f"counts must be whole numbers, none missing (they have type {array.dtype})")
    table = array[:, np.newaxis] if array.ndim == 1 else array
    if table.dtype.kind == "f":
        _refuse(table, np.isnan(table), "complete")
        _refuse(table, table != np.floor(table), "whole numbers")
    _refuse(table, table < 0, "0 or more")
    _refuse(table, table > most, f"at most {most}")
    return table.astype(np.int64)


def checked_times(evaluate: ArrayLike, *, length: int) -> NDArray[np.intp]:
    """Return the times to evaluate as an array of indices.

    Parameters
    ----------
    evaluate : array_like of int, shape (evaluated,)
        0-based indices into the series, in any order; a single index is taken too.
    length : int
        Number of times in the series.

    Returns
    -------
    ndarray of intp, shape (evaluated,)

    Raises
    ------
    ValueError
        If an index is not an integer or lies outside the series.
    """
    times = np.atleast_1d(np.asarray(evaluate))
    if times.ndim != 1:
        raise ValueError(f"evaluate must be a list of indices, not an array of shape {times.shape}")
    if times.size == 0:
        return np.empty(0, np.intp)
    if times.dtype.kind not in "iu":
        raise ValueError(f"evaluate must be integers, the 0-based indices of times (they are {times.dtype})")
    outside = (times < 0) | (times >= length)
    if outside.any():
        raise ValueError(f"evaluate must lie between 0 and {length - 1} (one is {times[outside][0]})")
    return times.astype(np.intp)


def _refuse(table: NDArray[np.generic], wrong: NDArray[np.bool_], wanted: str) -> None:
    if wrong.any():
        time, series = np.argwhere(wrong)[0]
        found = table[time, series].item()
        raise ValueError(f"counts must be {wanted} (at time {time} of series {series} there is {found})")
