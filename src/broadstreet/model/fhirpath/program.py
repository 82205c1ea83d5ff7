"""An expression, ready to be asked of resources."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from typing import Any

from broadstreet.model.clock import Clock
from broadstreet.model.fhir.rules import Node
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.compiler import TARGET, Compiled, Compiler
from broadstreet.model.fhirpath.errors import EvaluationError, FhirpathError, TypeInvalid, Unsupported
from broadstreet.model.fhirpath.evaluation import Frame, Items, World, plain
from broadstreet.model.fhirpath.parser import parse
from broadstreet.model.fhirpath.plain import Each, Get, compile_plain, compile_straight
from broadstreet.model.fhirpath.syntax import Binary, Call, Expression, Focus, Index, Path, TypeTest


class Program:
    """An expression, compiled.

    Attributes
    ----------
    expression
        As it was written.
    types
        The types of what it returns (`code`, `System.Boolean`); None where any is possible.
    quick
        The same for an item that is known to be of the type; None if the expression is not a plain path.
    straight
        The steps of a path that leads to one item at most, each of which may give None; None if it is none.
    """

    def __init__(
        self, expression: str, compiled: Compiled, kind: str | None, constants: Mapping[str, Items]
    ) -> None:
        self.expression = expression
        self.types = compiled.kinds
        self._run = compiled.run
        self._kind = schema.struct(kind) if kind else None
        self._constants = dict(constants)
        self.clock: Clock | None = None
        self.quick: Each | None = None
        self.straight: tuple[Get, ...] | None = None
        self.quick_for: type[Node] | None = None

    def __call__(self, item: Any, resource: Any = None) -> Items:
        """Return what the expression says of a resource or an element.

        Parameters
        ----------
        item
            What the expression begins at.
        resource
            What `%resource` stands for, where `item` is an element of it.

        Returns
        -------
        list
            Elements as structs; primitives as Python's values, dates and times of a resource as text;
            what the expression itself makes as `Date`, `DateTime`, `Time` and `Quantity`.

        Raises
        ------
        EvaluationError
            If the item does not fit the expression.
        """
        if self.quick is not None and isinstance(item, self.quick_for or Node):
            return self.quick(item)
        found = [plain(value) for value in self.typed(item, resource)]
        return [value for value in found if value is not None] if None in found else found

    def typed(self, item: Any, resource: Any = None) -> Items:
        """Return the same, primitives of FHIR with their types, as `Primitive`."""
        if self._kind is not None and not isinstance(item, self._kind):
            raise EvaluationError(
                f"expected {self._kind.__name__}, got {type(item).__name__}", expression=self.expression
            )
        world = World(item if resource is None else resource, self._constants, self.clock)
        try:
            return self._run(Frame([item], world, [], []))
        except EvaluationError as error:
            raise error.within(self.expression) from None
        except decimal.DecimalException:
            raise EvaluationError("a number is out of bounds", expression=self.expression) from None
        except RecursionError:
            raise EvaluationError("nested too deep", expression=self.expression) from None


def compile(
    expression: str,
    type: str | None = None,
    *,
    constants: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> Program:
    """Compile an expression of FHIRPath.

    Parameters
    ----------
    expression
        At most `MAX_LENGTH` characters and `MAX_DEPTH` levels.
    type
        The resource or datatype that it begins at; with it, elements that do not exist are refused.
    constants
        What `%name` stands for: a value of Python, a struct, or a list of them.
    clock
        What `now()` and `today()` ask; without it they are refused.

    Returns
    -------
    Program
        To be called with a resource.

    Raises
    ------
    SyntaxInvalid, TypeInvalid, Unsupported
        All are `FhirpathError`, with the place in the expression.
    """
    if type is not None and schema.struct(type) is None:
        raise TypeInvalid(f"FHIR R4 has no resource or datatype named {type!r}")
    tree = parse(expression)
    known = {name: value if isinstance(value, list) else [value] for name, value in (constants or {}).items()}
    try:
        compiled = Compiler(known, clock is not None).compile(tree, frozenset({type}) if type else None)
        if compiled.kinds == TARGET:
            raise Unsupported(
                "resolve() tells the type that a reference leads to, it does not fetch", tree.at
            )
    except FhirpathError as error:
        raise error.within(expression) from None
    except RecursionError:
        raise Unsupported("nested too deep", None, expression) from None
    program = Program(expression, compiled, type, known)
    program.clock = clock
    start = type or _start(tree)
    if start is not None:
        program.quick = compile_plain(tree, start)
        program.straight = compile_straight(tree, start)
        program.quick_for = schema.struct(start)
    return program


def _start(node: Expression) -> str | None:
    """Return the type that a path begins with, as `Patient` in `Patient.name`."""
    while True:
        match node:
            case Path(left=Focus(name=""), name=name):
                return name if schema.struct(name) else None
            case Path() | Call() | TypeTest() | Index() | Binary():
                node = node.left
            case _:
                return None
