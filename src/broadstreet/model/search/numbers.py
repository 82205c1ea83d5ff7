"""Numbers. A resource's is what it says; a search term stands for the range of its digits.

So `100` finds what is between 99.5 and 100.5, `1.00` what is between 0.995 and 1.005, and `gt38.0` what is
greater than exactly 38.

Source: https://hl7.org/fhir/R4/search.html#number
"""

from __future__ import annotations

from decimal import Decimal

from broadstreet.model import fhir

NumberValue = tuple[Decimal, Decimal]  # the lowest and the highest; the same but for a range


def implicit_range(number: Decimal) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest number that a search term of these digits stands for."""
    exponent = number.as_tuple().exponent
    half = Decimal((0, (5,), exponent - 1)) if isinstance(exponent, int) else Decimal(0)
    return number - half, number + half


def of_number(number: int | Decimal) -> list[NumberValue]:
    """Return a number as the range from itself to itself."""
    exact = Decimal(number)
    return [(exact, exact)]


def of_range(found: fhir.Range) -> list[NumberValue]:
    """Return the bounds of a range, if it has both."""
    low, high = (bound.value if bound else None for bound in (found.low, found.high))
    return [(low, high)] if low is not None and high is not None else []


READERS = {"int": of_number, "Decimal": of_number, "Range": of_range}
