"""Turn the tree of an expression into closures, and refuse what cannot be evaluated.

Each node becomes a closure from a `Frame` to the items that it stands for. Types are followed as far as they
are known, so that an element that does not exist is refused before any resource comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from broadstreet.model.fhirpath import ordering, schema
from broadstreet.model.fhirpath.arithmetic import calculate
from broadstreet.model.fhirpath.equality import Distinct, equal, equivalent
from broadstreet.model.fhirpath.errors import EvaluationError, FhirpathError, TypeInvalid, Unsupported
from broadstreet.model.fhirpath.evaluation import Evaluate, Frame, Items, name_of, single, truth
from broadstreet.model.fhirpath.functions import FUNCTIONS, NOT_IMPLEMENTED, Function
from broadstreet.model.fhirpath.functions.combining import union
from broadstreet.model.fhirpath.functions.filtering import Descending
from broadstreet.model.fhirpath.functions.navigation import step
from broadstreet.model.fhirpath.functions.subsetting import at
from broadstreet.model.fhirpath.logic import OPERATORS
from broadstreet.model.fhirpath.schema import Kinds
from broadstreet.model.fhirpath.syntax import (
    Binary,
    Call,
    Constant,
    Expression,
    Focus,
    Index,
    Literal,
    Path,
    TypeTest,
    Unary,
)
from broadstreet.model.fhirpath.types import Specifier, type_name
from broadstreet.model.fhirpath.values import Quantity

# Source: https://hl7.org/fhir/R4/fhirpath.html#variables
CONSTANTS = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
PREFIXED = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
RESOURCE = {"resource", "rootResource", "context"}
NEEDS_CLOCK = {"now", "today", "timeOfDay"}
TARGET = frozenset({"Target"})  # what resolve() returns: a type, and nothing else


class Compiled(NamedTuple):
    """A closure, and the types of what it returns as far as they are known."""

    run: Evaluate
    kinds: Kinds = None


class Compiler:
    """Compiles the nodes of one expression.

    Parameters
    ----------
    constants
        What `%name` stands for, besides the constants of the standard.
    has_clock
        Whether `now()` and `today()` can be answered.
    """

    def __init__(self, constants: Mapping[str, Items], has_clock: bool) -> None:
        self.constants = constants
        self.has_clock = has_clock

    def compile(self, node: Expression, scope: Kinds) -> Compiled:
        """Return the closure of a node; `scope` is the types of `$this`."""
        try:
            compiled = _NODES[type(node)](self, node, scope)
        except FhirpathError as error:
            error.at = node.at if error.at is None else error.at
            raise
        run, place = compiled.run, node.at

        def located(frame: Frame) -> Items:
            try:
                return run(frame)
            except EvaluationError as error:
                error.at = place if error.at is None else error.at
                raise

        # Where nothing can go wrong, there is nothing to locate.
        return compiled if isinstance(node, Literal | Focus | Path) else Compiled(located, compiled.kinds)

    def _literal(self, node: Literal, _scope: Kinds) -> Compiled:
        if node.value is None:
            return Compiled(lambda _: [], frozenset())
        value = node.value
        return Compiled(lambda _: [value], frozenset({f"System.{type_name(value)}"}))

    def _focus(self, node: Focus, scope: Kinds) -> Compiled:
        if node.name == "index":
            return Compiled(lambda frame: frame.index, frozenset({"System.Integer"}))
        if node.name == "total":
            return Compiled(lambda frame: frame.total)
        return Compiled(lambda frame: frame.this, scope)

    def _constant(self, node: Constant, _scope: Kinds) -> Compiled:
        name = node.name
        if name in RESOURCE:
            return Compiled(lambda frame: [frame.world.resource])
        if name in self.constants:
            items = self.constants[name]
            return Compiled(lambda _: items)
        for prefix, base in PREFIXED.items():
            if name.startswith(prefix):
                return self._literal(Literal(value=base + name.removeprefix(prefix)), None)
        if name not in CONSTANTS:
            raise TypeInvalid(f"no constant named %{name}")
        return self._literal(Literal(value=CONSTANTS[name]), None)

    def _path(self, node: Path, scope: Kinds) -> Compiled:
        name = node.name
        if isinstance(node.left, Focus) and not node.left.name and schema.struct(name) is not None:
            return _root(name, scope)
        left = self.compile(node.left, scope)
        if left.kinds == TARGET:
            raise Unsupported(
                "resolve() tells the type that a reference leads to, it does not fetch", node.at
            )
        try:
            slots = schema.step(left.kinds, name) if left.kinds else None
        except KeyError:
            raise _unknown_element(left.kinds or frozenset(), name, node.at) from None
        before = left.run

        def stepped(frame: Frame) -> Items:
            items = before(frame)
            found = step(items, name) if items else items
            frame.world.spend(len(found))
            return found

        return Compiled(stepped, schema.kinds_of(slots))

    def _call(self, node: Call, scope: Kinds) -> Compiled:
        function = FUNCTIONS.get(node.name)
        if function is None:
            reason = NOT_IMPLEMENTED.get(node.name, "FHIRPath has no such function")
            raise Unsupported(f"{node.name}() is not supported: {reason}", node.at)
        count = len(node.arguments)
        if not function.least <= count <= function.most:
            wanted = (
                f"{function.least}"
                if function.least == function.most
                else f"{function.least} to {function.most}"
            )
            raise TypeInvalid(f"{node.name}() takes {wanted} arguments (got {count})", node.at)
        if node.name in NEEDS_CLOCK and not self.has_clock:
            raise Unsupported(f"{node.name}() needs a clock", node.at)
        left = self.compile(node.left, scope)
        if left.kinds == TARGET and node.name != "is":
            raise Unsupported(f"{node.name}() of resolve() is not supported: nothing is fetched", node.at)
        if function.style == "type":
            return self._typed(left, function, Specifier(_type_written(node.arguments[0])))
        inner = left.kinds if function.style == "each" else scope
        arguments = [self._argument(node, argument, inner) for argument in node.arguments]
        return Compiled(_called(function, left, arguments), _result(function, left, arguments))

    def _argument(self, node: Call, argument: Expression, scope: Kinds) -> Compiled:
        if node.name == "sort" and isinstance(argument, Unary) and argument.sign == "-":
            key = self.compile(argument.operand, scope)
            return Compiled(Descending(key.run), key.kinds)
        # What repeat() and aggregate() hand on may have other types than what they began with.
        return self.compile(argument, None if node.name in ("repeat", "aggregate") else scope)

    def _typed(self, left: Compiled, function: Function, specifier: Specifier) -> Compiled:
        before, test = left.run, function.call
        kinds = frozenset({specifier.name}) if specifier.fhir and not specifier.system else None
        if function.result != "type":
            kinds = frozenset({function.result})
        return Compiled(lambda frame: test(before(frame), specifier), kinds)

    def _type_test(self, node: TypeTest, scope: Kinds) -> Compiled:
        left = self.compile(node.left, scope)
        if left.kinds == TARGET and node.sign != "is":
            raise Unsupported("as after resolve() is not supported: nothing is fetched", node.at)
        return self._typed(left, FUNCTIONS[node.sign], Specifier(node.type))

    def _index(self, node: Index, scope: Kinds) -> Compiled:
        left, index = self.compile(node.left, scope), self.compile(node.index, scope)
        items, place = left.run, index.run
        return Compiled(lambda frame: at(items(frame), place(frame)), left.kinds)

    def _unary(self, node: Unary, scope: Kinds) -> Compiled:
        operand = self.compile(node.operand, scope)
        before, sign = operand.run, node.sign

        def signed(frame: Frame) -> Items:
            value = single(before(frame), sign)
            if value is None:
                return []
            if isinstance(value, Quantity):
                return [Quantity(-value.value, value.unit, value.calendar)] if sign == "-" else [value]
            if isinstance(value, bool | str) or not hasattr(value, "__neg__"):
                raise EvaluationError(f"{sign} takes a number (got {name_of(value)})")
            return [-value if sign == "-" else value]

        return Compiled(signed, operand.kinds)

    def _binary(self, node: Binary, scope: Kinds) -> Compiled:
        left, right = self.compile(node.left, scope), self.compile(node.right, scope)
        one, other, sign = left.run, right.run, node.sign
        if sign in OPERATORS:
            return Compiled(_logical(one, other, sign), frozenset({"System.Boolean"}))
        if sign == "|":
            return Compiled(
                lambda frame: union(frame, one(frame), other(frame)), _both(left.kinds, right.kinds)
            )
        if sign in CALCULATIONS:
            return Compiled(lambda frame: calculate(one(frame), other(frame), sign))
        answer = QUESTIONS[sign]

        def asked(frame: Frame) -> Items:
            found = answer(frame, one(frame), other(frame), sign)
            return [] if found is None else [found]

        return Compiled(asked, frozenset({"System.Boolean"}))


def _root(name: str, scope: Kinds) -> Compiled:
    """Return `Patient` at the start of a path: what the path begins at, if it is one."""
    if scope is not None and not any(name in schema.ancestors(kind) for kind in scope):
        raise TypeInvalid(f"the expression begins at {_listed(scope)}, not at {name}")
    specifier = Specifier(name)
    kinds = (
        scope
        if scope is not None
        else (frozenset({name}) if name not in ("Resource", "DomainResource") else None)
    )
    return Compiled(lambda frame: [item for item in frame.this if specifier.matches(item)], kinds)


def _unknown_element(kinds: frozenset[str], name: str, at: int) -> TypeInvalid:
    reason = f"{_listed(kinds)} has no element {name!r}"
    for kind in kinds:
        for stem in schema.names_of(kind):
            written = name.removeprefix(stem)
            if (
                written != name
                and written
                and schema.is_type(written[0].lower() + written[1:]) | schema.is_type(written)
            ):
                return TypeInvalid(f"{reason} (write {stem}.ofType({_fhir_name(written)}))", at)
    return TypeInvalid(reason, at)


def _fhir_name(written: str) -> str:
    lower = written[0].lower() + written[1:]
    return lower if lower in schema.PRIMITIVES else written


def _listed(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "nothing"


def _type_written(node: Expression) -> str:
    """Return the type that an argument names: `Quantity`, `FHIR.Quantity`."""
    match node:
        case Path(left=Focus(name=""), name=name):
            return name
        case Path(left=Path(left=Focus(name=""), name=namespace), name=name):
            return f"{namespace}.{name}"
        case _:
            raise TypeInvalid("expected the name of a type", node.at)


def _called(function: Function, left: Compiled, arguments: list[Compiled]) -> Evaluate:
    call, before = function.call, left.run
    runs = [argument.run for argument in arguments]

    def by_values(frame: Frame) -> Items:
        return _spent(frame, call(before(frame), *[run(frame) for run in runs]))

    def by_frame(frame: Frame) -> Items:
        return _spent(frame, call(frame, before(frame), *[run(frame) for run in runs]))

    def by_item(frame: Frame) -> Items:
        return _spent(frame, call(frame, before(frame), *runs))

    return {"values": by_values, "framed": by_frame, "each": by_item}[function.style]


def _spent(frame: Frame, found: Items) -> Items:
    frame.world.spend(len(found) + 1)
    return found


def _result(function: Function, left: Compiled, arguments: list[Compiled]) -> Kinds:
    match function.result:
        case "any":
            return None
        case "items":
            return left.kinds
        case "body":
            return arguments[0].kinds
        case "both":
            return _both(left.kinds, arguments[0].kinds)
        case name:
            return frozenset({name})


def _both(left: Kinds, right: Kinds) -> Kinds:
    return None if left is None or right is None else left | right


def _logical(one: Evaluate, other: Evaluate, sign: str) -> Evaluate:
    operator = OPERATORS[sign]

    def logical(frame: Frame) -> Items:
        found = operator(truth(one(frame), sign), truth(other(frame), sign))
        return [] if found is None else [found]

    return logical


def _inside(frame: Frame, items: Items, others: Items, sign: str) -> bool | None:
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError(f"{sign} takes one item (got {len(items)})")
    among = Distinct(frame.world)
    for other in others:
        among.add(other)
    return among.has(items[0])


def _unknown_or_not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


CALCULATIONS = {"+", "-", "*", "/", "div", "mod", "&"}
QUESTIONS: dict[str, Callable[[Frame, Items, Items, str], bool | None]] = {
    "=": lambda _frame, one, other, _sign: equal(one, other),
    "!=": lambda _frame, one, other, _sign: _unknown_or_not(equal(one, other)),
    "~": lambda frame, one, other, _sign: equivalent(one, other, frame.world),
    "!~": lambda frame, one, other, _sign: not equivalent(one, other, frame.world),
    "in": _inside,
    "contains": lambda frame, one, other, sign: _inside(frame, other, one, sign),
    **dict.fromkeys(ordering.HOLDS, lambda _frame, one, other, sign: ordering.ordered(one, other, sign)),
}
_NODES: dict[type[Any], Callable[..., Compiled]] = {
    Literal: Compiler._literal,
    Focus: Compiler._focus,
    Constant: Compiler._constant,
    Path: Compiler._path,
    Call: Compiler._call,
    TypeTest: Compiler._type_test,
    Index: Compiler._index,
    Unary: Compiler._unary,
    Binary: Compiler._binary,
}
