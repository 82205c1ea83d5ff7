"""`<`, `<=`, `>`, `>=`.

Source: https://hl7.org/fhirpath/N1/#comparison
"""

from __future__ import annotations

from typing import Any

from broadstreet.model.fhirpath import quantities, temporal
from broadstreet.model.fhirpath.equality import is_number
from broadstreet.model.fhirpath.errors import EvaluationError
from broadstreet.model.fhirpath.evaluation import Items, name_of, single
from broadstreet.model.fhirpath.values import Quantity, Temporal, Time

HOLDS = {
    "<": lambda compared: compared < 0,
    "<=": lambda compared: compared <= 0,
    ">": lambda compared: compared > 0,
    ">=": lambda compared: compared >= 0,
}


def ordered(left: Items, right: Items, sign: str) -> bool | None:
    """Return whether two single items stand in that order; None where that is not known."""
    one, other = single(left, sign), single(right, sign)
    if one is None or other is None:
        return None
    compared = order(one, other, sign)
    return None if compared is None else HOLDS[sign](compared)


def order(left: Any, right: Any, sign: str) -> int | None:
    """Return -1, 0 or 1; None where the order of two values is not known.

    Raises
    ------
    EvaluationError
        If values of these types have no order.
    """
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return int(left > right) - int(left < right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantities.compare(left, right)
    both = isinstance(left, Temporal) and isinstance(right, Temporal)
    if both and isinstance(left, Time) == isinstance(right, Time):
        return temporal.compare(left, right)
    raise EvaluationError(f"{sign} cannot order {name_of(left)} and {name_of(right)}")
