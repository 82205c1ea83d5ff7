"""`=`, `~`, and what counts as the same item in a union.

Source: https://hl7.org/fhirpath/N1/#equality, #equivalence
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from broadstreet.model.fhir.rules import Node
from broadstreet.model.fhirpath import quantities, temporal
from broadstreet.model.fhirpath.evaluation import WIDE, Items, World, value_of
from broadstreet.model.fhirpath.values import Quantity, Temporal, Time

Number = int | Decimal


def equal(left: Items, right: Items) -> bool | None:
    """Return whether two collections are equal, item by item; None where that is not known."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answers = {same(one, other) for one, other in zip(left, right, strict=True)}
    return False if False in answers else (None if None in answers else True)


def same(left: Any, right: Any) -> bool | None:
    """Return whether two items are equal; None where that is not known."""
    left, right = value_of(left), value_of(right)
    if left is None or right is None:
        return None
    if isinstance(left, Temporal) and isinstance(right, Temporal):
        return _same_time(left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        compared = quantities.compare(left, right)
        return None if compared is None else compared == 0
    if is_number(left) and is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _same_time(left: Temporal, right: Temporal) -> bool | None:
    if isinstance(left, Time) != isinstance(right, Time):
        return False
    compared = temporal.compare(left, right)
    return None if compared is None else compared == 0


def is_number(value: Any) -> bool:
    """Tell whether a value is an Integer or a Decimal."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def equivalent(left: Items, right: Items, world: World) -> bool:
    """Return whether two collections are equivalent: as `=`, but in any order, and never unknown."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for one in left:
        world.spend(len(rest))
        found = next((index for index, other in enumerate(rest) if alike(one, other, world)), None)
        if found is None:
            return False
        del rest[found]
    return True


def alike(left: Any, right: Any, world: World) -> bool:
    """Return whether two items are equivalent."""
    left, right = value_of(left), value_of(right)
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return _alike_numbers(Decimal(left), Decimal(right))
    if isinstance(left, Node) and type(left) is type(right):
        return _alike_elements(left, right, world)
    for kind, alike_values in ALIKE.items():
        if isinstance(left, kind) and isinstance(right, kind):
            return alike_values(left, right)
    return type(left) is type(right) and bool(left == right)


def _alike_moments(left: Temporal, right: Temporal) -> bool:
    return len(left.parts) == len(right.parts) and _same_time(left, right) is True


def _alike_texts(left: str, right: str) -> bool:
    return " ".join(left.split()).casefold() == " ".join(right.split()).casefold()


def _alike_elements(left: Node, right: Node, world: World) -> bool:
    for name in left.__struct_fields__:
        one, other = getattr(left, name), getattr(right, name)
        if name == "id" or one is other:
            continue
        if not equivalent(_listed(one), _listed(other), world):
            return False
    return True


def _listed(value: Any) -> Items:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _alike_numbers(left: Decimal, right: Decimal) -> bool:
    places = min(decimal_places(left), decimal_places(right))
    return rounded(left, places) == rounded(right, places)


def _alike_quantities(left: Quantity, right: Quantity) -> bool:
    """Compare in the coarser of the two units, rounded to the digits of the less precise value."""
    one, other = quantities.in_base_units(left, mean=True), quantities.in_base_units(right, mean=True)
    if one is None or other is None:
        return left == right
    if one[1] != other[1]:
        return False
    if one[0] == other[0]:
        return True
    for kept, other_one in ((left, right), (right, left)):
        if not kept.calendar and not kept.value.is_zero():
            converted = quantities.converted(other_one, kept.unit)
            if converted is not None and abs(converted) <= abs(other_one.value):
                return rounded(converted, decimal_places(kept.value)) == kept.value
    return False


ALIKE: dict[type[Any], Callable[[Any, Any], bool]] = {
    Temporal: _alike_moments,
    Quantity: _alike_quantities,
    str: _alike_texts,
}


def decimal_places(number: Decimal) -> int:
    """Return how many digits stand after the point, trailing zeros left away."""
    exponent = number.normalize(WIDE).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def rounded(number: Decimal, places: int) -> Decimal:
    """Return a number rounded half up to a number of digits after the point."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, WIDE)


class Distinct:
    """Items, each once, in the order in which they came; those that hash are found without a search."""

    def __init__(self, world: World) -> None:
        self.items: Items = []
        self._world = world
        self._keys: set[Hashable] = set()
        self._others: dict[type[Any], Items] = {}

    def add(self, item: Any) -> bool:
        """Add an item unless it is there; tell whether it was new."""
        value = value_of(item)
        key = hashed(value)
        if key is not None:
            if key in self._keys:
                return False
            self._keys.add(key)
        elif self._found(value):
            return False
        self.items.append(item)
        return True

    def has(self, item: Any) -> bool:
        """Tell whether an item that is equal is there."""
        value = value_of(item)
        key = hashed(value)
        return key in self._keys if key is not None else self._found(value, keep=False)

    def _found(self, value: Any, keep: bool = True) -> bool:
        family = Temporal if isinstance(value, Temporal) else type(value)
        others = self._others.setdefault(family, [])
        self._world.spend(len(others))
        if any(same(value, other) for other in others):
            return True
        if keep:
            others.append(value)
        return False


def hashed(value: Any) -> Hashable | None:
    """Return a key that equal values share and others do not; None for values that must be compared."""
    if isinstance(value, bool | str):
        return type(value), value
    return ("number", value) if is_number(value) else None


def distinct(items: Items, world: World) -> Items:
    """Return each item once."""
    found = Distinct(world)
    for item in items:
        found.add(item)
    return found.items
