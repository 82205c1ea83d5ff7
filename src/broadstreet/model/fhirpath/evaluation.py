"""What an evaluation carries along, and how items are read as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from typing import Any, TypeAlias

from broadstreet.model.clock import Clock
from broadstreet.model.fhir.rules import Node
from broadstreet.model.fhirpath import temporal
from broadstreet.model.fhirpath.errors import EvaluationError, TooCostly
from broadstreet.model.fhirpath.values import Primitive, Quantity

MAX_WORK = 1_000_000  # items that one evaluation may touch, over all of its steps
MAX_TEXT = 1_048_576  # characters of a string that an expression makes: as long as FHIR allows one to be
UCUM = "http://unitsofmeasure.org"
WIDE = Context(prec=2_000)  # as many digits as any decimal of FHIR has: nothing is rounded by accident

Items: TypeAlias = list[Any]


class World:
    """What all parts of an evaluation share: the resource, constants, a clock, and how much work is left."""

    __slots__ = ("clock", "constants", "left", "resource")

    def __init__(self, resource: Any, constants: dict[str, Any], clock: Clock | None) -> None:
        self.resource = resource
        self.constants = constants
        self.clock = clock
        self.left = MAX_WORK

    def spend(self, work: int) -> None:
        """Take work from what is left.

        Raises
        ------
        TooCostly
            If none is left.
        """
        self.left -= work
        if self.left < 0:
            raise TooCostly(f"the evaluation would touch more than {MAX_WORK:,} items")


class Frame:
    """Where an expression stands: `$this` (at most one item), `$index`, `$total`."""

    __slots__ = ("index", "this", "total", "world")

    def __init__(self, this: Items, world: World, index: Items, total: Items) -> None:
        self.this = this
        self.world = world
        self.index = index
        self.total = total

    def each(self, items: Items) -> Iterator[Frame]:
        """Yield the frame of each item."""
        world = self.world
        world.spend(len(items))
        for index, item in enumerate(items):
            yield Frame([item], world, [index], self.total)


Evaluate: TypeAlias = Callable[[Frame], Items]

_PARSERS: dict[str, Callable[[str], Any]] = {
    "date": temporal.parse_date,
    "dateTime": temporal.parse_datetime,
    "instant": temporal.parse_datetime,
    "time": temporal.parse_time,
}


def value_of(item: Any) -> Any:
    """Return an item as a value of FHIRPath: a `code` as a string, a `dateTime` as a `DateTime`, and so on.

    Elements that are no value come back as they are. A primitive that has only extensions is None.

    Raises
    ------
    EvaluationError
        For a date or time that is none.
    """
    if isinstance(item, Primitive):
        parse = _PARSERS.get(item.type)
        if parse is None or item.value is None:
            return item.value
        parsed = parse(item.value)
        if parsed is None:
            raise EvaluationError(f"not a {item.type}: {item.value!r}")
        return parsed
    if isinstance(item, Node) and "comparator" in item.__struct_fields__:
        return _quantity(item)
    return item


def _quantity(item: Any) -> Any:
    """Return a Quantity of FHIR as a value, if it has a number and a unit of UCUM or none."""
    if item.value is None or item.comparator is not None or item.system not in (None, UCUM):
        return item
    if item.system is None and (item.code or item.unit):
        return item
    return Quantity(item.value, item.code or "1")


def plain(item: Any) -> Any:
    """Return an item as the caller of an expression gets it: a primitive of FHIR as Python's value."""
    return item.value if isinstance(item, Primitive) else item


def single(items: Items, what: str) -> Any:
    """Return the value of the only item; None if there is none.

    Raises
    ------
    EvaluationError
        If there are several.
    """
    if len(items) > 1:
        raise EvaluationError(f"{what} takes one item (got {len(items)})")
    return value_of(items[0]) if items else None


def of_type(items: Items, what: str, kind: type[Any]) -> Any:
    """Return the value of the only item, which must be of a type; None if there is none.

    Raises
    ------
    EvaluationError
        If there are several, or it is of another type.
    """
    found = single(items, what)
    if found is None or (isinstance(found, kind) and not (kind is int and isinstance(found, bool))):
        return found
    if kind is Decimal and isinstance(found, int) and not isinstance(found, bool):
        return Decimal(found)
    raise EvaluationError(f"{what} takes a {NAMES.get(kind, kind.__name__)} (got {name_of(found)})")


NAMES: dict[Any, str] = {bool: "Boolean", int: "Integer", Decimal: "Decimal", str: "String"}


def name_of(value: Any) -> str:
    """Return the name of a value's type."""
    return NAMES.get(type(value), type(value).__name__)


def truth(items: Items, what: str = "a condition") -> bool | None:
    """Return what a collection says as a condition; None if it is empty. Any single item is true.

    Raises
    ------
    EvaluationError
        If there are several items.
    """
    found = single(items, what)
    return found if isinstance(found, bool) or found is None else True


def text_of(made: str) -> Items:
    """Return a string that an expression made, as a collection.

    Raises
    ------
    TooCostly
        If it is longer than `MAX_TEXT`.
    """
    if len(made) > MAX_TEXT:
        raise TooCostly(f"a string would have more than {MAX_TEXT:,} characters")
    return [made]
