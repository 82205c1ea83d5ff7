"""Cases by day of onset and delay of the report: what is known at a day, and what is not yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broadstreet.analysis import settings
from broadstreet.analysis.renewal.incidence import HIGHEST_INCIDENCE, Floats

_MOST_CELLS = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Triangle:
    """Hold what was reported by a day.

    Attributes
    ----------
    counts : ndarray of float64, shape (time, delay)
        0 where not known yet.
    known : ndarray of bool, shape (time, delay)
        Whether the day of the report has come: time + delay <= the last time.
    """

    counts: Floats
    known: NDArray[np.bool_]

    @property
    def reported(self) -> Floats:
        """Cases of each time that were reported so far, shape (time,)."""
        return np.asarray(self.counts.sum(axis=1))

    @classmethod
    def checked(cls, reports: ArrayLike, as_of: int | None) -> Triangle:
        """Return the reports up to a day.

        Raises
        ------
        ValueError
            If the shape is wrong, a count is negative, not whole or missing where it must be known, or
            reports from after the last time are there and `as_of` does not set them aside.
        """
        table = np.asarray(reports)
        if table.ndim != 2 or not table.size or table.dtype.kind not in "iuf":
            raise ValueError(
                "reports must be counts by time and delay, shape (time, delay) "
                f"(they have shape {table.shape}, type {table.dtype})"
            )
        last = len(table) - 1
        if as_of is not None:
            last = settings.whole_number("as_of", as_of, least=0, most=last)
        table = np.asarray(table[: last + 1], np.float64)
        time, delay = np.indices(table.shape)
        known = np.asarray(time + delay <= last)
        _refuse(table, known & np.isnan(table), "complete up to the last time")
        counts = np.where(known, table, 0.0)
        wrong = (counts < 0.0) | (counts != np.floor(counts)) | (counts > HIGHEST_INCIDENCE)
        _refuse(table, wrong, f"whole numbers from 0 to {HIGHEST_INCIDENCE}")
        if as_of is None:
            _refuse(
                table, ~known & (np.nan_to_num(table) != 0.0), "NaN or 0 after the last time (or set as_of)"
            )
        return cls(counts, known)


def reporting_triangle(
    onset: ArrayLike, report: ArrayLike, *, max_delay: int, start: object = None, end: object = None
) -> NDArray[np.int64]:
    """Count a line list by day of onset and delay of the report.

    Parameters
    ----------
    onset, report : array_like of dates or of int, shape (cases,)
        Days; a case without a report (NaT) is left out: nobody knew of it.
    max_delay : int
        Reports later than so many days are left out.
    start, end : date or int, optional
        First and last day of the triangle: the first onset and the last report by default.

    Returns
    -------
    ndarray of int64, shape (end - start + 1, max_delay + 1)

    Raises
    ------
    ValueError
        If lengths differ, an onset is missing, or a report came before its onset.
    """
    begun, told = _days(onset), _days(report)
    if begun.shape != told.shape or begun.ndim != 1 or not begun.size:
        raise ValueError(f"onset and report must be as many days (they are {begun.shape} and {told.shape})")
    most = settings.whole_number("max_delay", max_delay, least=0, most=10_000)
    if np.isnan(begun).any():
        raise ValueError(f"onset must be complete (case {int(np.argmax(np.isnan(begun)))} has none)")
    early = np.flatnonzero(told < begun)
    if early.size:
        raise ValueError(f"a report cannot come before the onset (case {early[0]}); correct or leave it out")
    first = float(begun.min()) if start is None else float(_days([start])[0])
    last = float(np.nanmax(told)) if end is None else float(_days([end])[0])
    days = int(last - first) + 1
    if not 1 <= days * (most + 1) <= _MOST_CELLS:
        raise ValueError(f"from start to end there must be 1 to {_MOST_CELLS // (most + 1)} days ({days})")
    kept = (begun >= first) & (told <= last) & (told - begun <= most)
    cell = (begun[kept] - first) * (most + 1) + told[kept] - begun[kept]
    return np.bincount(cell.astype(np.intp), minlength=days * (most + 1)).reshape(days, most + 1)


def _days(values: object) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    try:
        dates = np.asarray(array, "datetime64[D]")
    except (ValueError, TypeError) as error:
        raise ValueError(f"days must be dates, ISO 8601 strings or whole numbers ({error})") from error
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64).astype(np.float64))


def _refuse(table: Floats, wrong: NDArray[np.bool_], wanted: str) -> None:
    if wrong.any():
        time, delay = np.argwhere(wrong)[0]
        raise ValueError(
            f"reports must be {wanted} (at time {time}, delay {delay} there is {table[time, delay]:g})"
        )
