"""`and or xor implies`, and `not()`: true, false, and not known.

Source: https://hl7.org/fhirpath/N1/#boolean-logic
"""

from __future__ import annotations

Truth = bool | None


def both(left: Truth, right: Truth) -> Truth:
    """Return `left and right`."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: Truth, right: Truth) -> Truth:
    """Return `left or right`."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def one_of_two(left: Truth, right: Truth) -> Truth:
    """Return `left xor right`."""
    return None if left is None or right is None else left is not right


def implied(left: Truth, right: Truth) -> Truth:
    """Return `left implies right`."""
    return either(None if left is None else not left, right)


OPERATORS = {"and": both, "or": either, "xor": one_of_two, "implies": implied}
