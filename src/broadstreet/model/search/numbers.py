"""Numbers and the range that their digits stand for: 100 is 99.5 to 100.5, and 1.00 is 0.995 to 1.005.

Source: https://hl7.org/fhir/R4/search.html#number
"""

from __future__ import annotations

from decimal import Decimal

from broadstreet.model import fhir

NumberValue = tuple[Decimal, Decimal, Decimal]  # the number, the lowest and the highest that it may stand for


def implicit_range(number: Decimal) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest number that would be written with the same digits."""
    exponent = number.as_tuple().exponent
    half = Decimal((0, (5,), exponent - 1)) if isinstance(exponent, int) else Decimal(0)
    return number - half, number + half


def of_number(number: int | Decimal) -> list[NumberValue]:
    """Return a number and its range."""
    exact = Decimal(number)
    return [(exact, *implicit_range(exact))]


def of_range(found: fhir.Range) -> list[NumberValue]:
    """Return the bounds of a range, if it has both."""
    low, high = (bound.value if bound else None for bound in (found.low, found.high))
    return [(low, low, high)] if low is not None and high is not None else []


READERS = {"int": of_number, "Decimal": of_number, "Range": of_range}
