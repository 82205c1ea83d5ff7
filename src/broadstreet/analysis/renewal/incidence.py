"""Check incidence, and say which windows of time to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Window = int | tuple[ArrayLike, ArrayLike]

HIGHEST_INCIDENCE = 10**12


def checked_incidence(incidence: ArrayLike, *, name: str = "incidence", whole: bool = False) -> Floats:
    """Return incidence as an array of shape `(time, series)`.

    Raises
    ------
    ValueError
        If the shape is another, there is no time, or a value is missing, negative, too large, or (`whole`)
        not a whole number.
    """
    if np.ma.is_masked(incidence):
        raise ValueError(f"{name} must be complete (some of it is masked); fill gaps first")
    array = np.asarray(incidence)
    if array.ndim not in (1, 2) or not len(array):
        raise ValueError(f"{name} must have shape (time,) or (time, series), not {array.shape}")
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be numbers, none missing (they have type {array.dtype})")
    table = np.asarray(array.reshape(len(array), -1), np.float64)
    _refuse(name, table, np.isnan(table), "complete")
    _refuse(name, table, table < 0.0, "0 or more")
    _refuse(name, table, table > HIGHEST_INCIDENCE, f"at most {HIGHEST_INCIDENCE}")
    if whole:
        _refuse(name, table, table != np.floor(table), "whole numbers")
    return table


def checked_imported(imported: ArrayLike | None, incidence: Floats) -> Floats:
    """Return the cases infected elsewhere; those of the first time always are.

    Raises
    ------
    ValueError
        If they are not as `incidence`, or more than it.
    """
    if imported is None:
        found = np.zeros_like(incidence)
    else:
        found = checked_imported_shape(imported, incidence)
        _refuse("imported", found, found > incidence, "part of incidence, no more than it")
    found[0] = incidence[0]
    return found


def checked_imported_shape(imported: ArrayLike, incidence: Floats) -> Floats:
    """Return imported cases if they have the shape of the incidence."""
    found = checked_incidence(imported, name="imported").copy()
    if found.shape != incidence.shape:
        raise ValueError(
            f"imported must have the times and series of incidence, {incidence.shape} (it has {found.shape})"
        )
    return found


def checked_windows(window: Window, length: int) -> tuple[Indices, Indices]:
    """Return the first and last time of each window, both included.

    Parameters
    ----------
    window : int or (starts, ends)
        Length of windows that slide from the second time to the last, or their first and last times.
    length : int
        Number of times.

    Raises
    ------
    ValueError
        If a window is empty, begins at the first time (whose cases have no one to be infected by), or ends
        after the last.
    """
    if isinstance(window, tuple):
        return _given_windows(*window, length)
    width = settings.whole_number("window", window, least=1)
    if width >= length:
        raise ValueError(
            f"a window of {width} times needs {width + 1} of incidence (there are {length}); shorten the "
            "window, or wait"
        )
    start = np.arange(1, length - width + 1)
    return start, start + width - 1


def _given_windows(starts: ArrayLike, ends: ArrayLike, length: int) -> tuple[Indices, Indices]:
    start, end = np.atleast_1d(np.asarray(starts)), np.atleast_1d(np.asarray(ends))
    if (
        start.shape != end.shape
        or start.ndim != 1
        or start.dtype.kind not in "iu"
        or end.dtype.kind not in "iu"
    ):
        raise ValueError("window must be a length, or (starts, ends): indices of times, as many of each")
    wrong = np.flatnonzero((start < 1) | (end < start) | (end >= length))
    if wrong.size:
        first, last = start[wrong[0]], end[wrong[0]]
        raise ValueError(
            f"windows must start at time 1 or later and end by time {length - 1} (one is {first} to {last})"
        )
    return start.astype(np.intp), end.astype(np.intp)


def window_sums(values: Floats, start: Indices, end: Indices) -> Floats:
    """Return the sums over windows along the first axis, each added up afresh: nothing cancels."""
    edges = np.column_stack([start, end + 1]).ravel()
    if edges.size and edges.max() == len(values):
        values = np.concatenate([values, np.zeros((1, *values.shape[1:]))])
    return np.add.reduceat(values, edges, axis=0)[::2] if edges.size else values[:0]


def _refuse(name: str, table: Floats, wrong: NDArray[np.bool_], wanted: str) -> None:
    if wrong.any():
        time, series = np.argwhere(wrong)[0]
        raise ValueError(
            f"{name} must be {wanted} (at time {time} of series {series} there is {table[time, series]:g})"
        )
