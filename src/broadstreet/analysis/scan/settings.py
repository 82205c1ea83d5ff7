"""Check the settings that all scans share."""

from __future__ import annotations

import math
import operator

_MOST_REPLICATES = 99_999


def whole_number(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return a setting as a whole number within its limits."""
    limits = f"of {least} or more" if most is None else f"from {least} to {most:,}"
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a whole number {limits} (is {value!r})") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name} must be a whole number {limits} (is {number})")
    return number


def replicate_count(value: object) -> int:
    """Return the number of replicates; 0 asks for no p-values."""
    return whole_number("replicates", value, least=0, most=_MOST_REPLICATES)


def fraction(value: float) -> float:
    """Return the largest share of the population at risk in a circle."""
    if not 0.0 < value <= 0.5:
        raise ValueError(f"max_fraction must be above 0 and at most 0.5 (is {value})")
    return float(value)


def radius(value: float | None) -> float | None:
    """Return the largest radius, or None."""
    if value is not None and not (math.isfinite(value) and value >= 0.0):
        raise ValueError(f"max_radius must be a finite number from 0, or None (is {value})")
    return value
