"""Check the settings of a method."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray


def whole_number(name: str, value: int, *, least: int, most: int = 10**6) -> int:
    """Return a setting that must be a whole number between two others.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be a whole number (it is {value!r})")
    if not least <= value <= most:
        raise ValueError(f"{name} must lie between {least} and {most} (it is {value})")
    return int(value)


def is_number(value: object) -> bool:
    """Tell whether a setting is a number; text, yes and no are none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def pair_of(value: object, second: float | None = None) -> tuple[float, float] | None:
    """Return a setting that is a tuple of two numbers, or one number with a `second`; else None."""
    pair = (value, second) if is_number(value) else value
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(map(is_number, pair))):
        return None
    return float(pair[0]), float(pair[1])


def probability(name: str, value: float) -> float:
    """Return a setting that must lie strictly between 0 and 1.

    Raises
    ------
    ValueError
        If it does not.
    """
    if not 0.0 < float(value) < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1 (it is {value})")
    return float(value)


def positive(name: str, value: float) -> float:
    """Return a setting that must be above 0; infinity is.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not float(value) > 0.0:
        raise ValueError(f"{name} must be above 0 (it is {value})")
    return float(value)


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return a setting that must be one of a few words.

    Raises
    ------
    ValueError
        If it is not.
    """
    names = list(known)
    if value not in names:
        raise ValueError(f"{name} must be one of {', '.join(names)} (it is {value!r})")
    return value


def case_limit(value: tuple[int, int]) -> tuple[int, int]:
    """Return `limit54`: at least so many cases in so many times.

    Raises
    ------
    ValueError
        If it is not a pair of whole numbers, the second at least 1.
    """
    try:
        cases, times = value
    except (TypeError, ValueError):
        raise ValueError(f"limit54 must be a pair (cases, times), such as (5, 4) (it is {value!r})") from None
    return whole_number("limit54[0]", cases, least=0, most=10**15), whole_number("limit54[1]", times, least=1)


def means(value: ArrayLike, series: int) -> NDArray[np.float64]:
    """Return given means as one of each series, shape (series,).

    Raises
    ------
    ValueError
        If they are not numbers above 0, one or as many as series.
    """
    array = np.asarray(value, np.float64)
    if array.shape not in ((), (series,)) or not (np.isfinite(array) & (array > 0.0)).all():
        raise ValueError(f"mean must be above 0, one number or {series} (it is {value!r})")
    return np.broadcast_to(array, (series,)).copy()


def not_negative(name: str, value: float) -> float:
    """Return a setting that must be 0 or more.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not 0.0 <= float(value) < float("inf"):
        raise ValueError(f"{name} must be 0 or more (it is {value})")
    return float(value)
