"""From conditions to terms: one function for each kind of condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final, Protocol

from broadstreet.model.search import Kind as ParameterKind
from broadstreet.model.search import Parameter, fold, parameter
from broadstreet.model.search.parts import TYPE_NUMBERS, PartRef, components_of, parts_of
from broadstreet.model.search.quantities import measured
from broadstreet.store.index import Indexer, kinds
from broadstreet.store.index.keys import cut, real
from broadstreet.store.query import ranges
from broadstreet.store.query.conditions import (
    ANY,
    AnyOf,
    Composite,
    Condition,
    Dated,
    Missing,
    Not,
    Number,
    Quantity,
    Refers,
    Text,
    Token,
    Uri,
)
from broadstreet.store.query.singular import is_singular
from broadstreet.store.query.terms import (
    All,
    Clause,
    Either,
    Has,
    Match,
    Rows,
    Slice,
    Term,
    Window,
    Without,
    flat,
)

NEVER: Final = Either(())
_MOST_PARTS_OF_A_PATH: Final = 64

NO_SEQ: Final = 0
"""The log begins with 1."""

Numbers = tuple[int, ...]


class Log(Protocol):
    """What the log answers by itself."""

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        ...

    def versions(self, type: str, ids: Sequence[str], at: int) -> list[int]:
        """Return the seqs of the newest entries of these resources at a position."""
        ...


@dataclass(frozen=True)
class Compiler:
    """Compiles conditions on one type, for a search at a position."""

    type: str
    indexer: Indexer
    log: Log
    at: int

    def term(self, condition: Condition) -> Term:
        """Return the term of a condition.

        Raises
        ------
        ValueError
            If the type has no such parameter, or it cannot be searched so; it tells how it can.
        """
        if isinstance(condition, Not):
            return Without(self.term(condition.condition))
        if isinstance(condition, AnyOf):
            return _either([self.term(one) for one in condition.conditions])
        if isinstance(condition, Missing):
            return self._missing(condition)
        if condition.parameter == "_id":
            return self._identified(condition)
        if condition.parameter == "_lastUpdated":
            return self._committed(condition)
        return self._on_values(parameter(self.type, condition.parameter), condition)

    def every(self) -> Has:
        """Return what every version of the type has."""
        return Has(f"any {self.type}", (self._marker(()),))

    # -- what has no values of its own -----------------------------------------------------------

    def _marker(self, bounds: tuple[Match, ...]) -> Rows:
        fixed = (("part", kinds.EVERY), ("code", self.indexer.hashed(self.type)))
        return Rows(kinds.TOKEN, fixed, tuple((test,) for test in bounds), (Slice(fixed, bounds),))

    def _identified(self, condition: Condition) -> Term:
        if not isinstance(condition, Token) or condition.code is None:
            raise ValueError("_id is searched as a token: Token('_id', ANY, '<id>')")
        if condition.system not in (ANY, None):
            return NEVER
        # For an id that is not there a seq is looked up that no row has: both then take the same time.
        found = self.log.versions(self.type, [condition.code], self.at) or [NO_SEQ]
        return Has("_id", tuple(self._marker((Match("since", "=", seq),)) for seq in found))

    def _committed(self, condition: Condition) -> Term:
        """Find versions by the time of their commit, an instant: the log is in its order."""
        if not isinstance(condition, Dated):
            raise ValueError("_lastUpdated is searched as a date: Dated('_lastUpdated', 'ge', low, high)")
        before, until = self.log.seq_at(condition.low - 1), self.log.seq_at(condition.high - 1)
        windows: Mapping[str, tuple[tuple[int, int], ...]] = {
            "eq": ((before + 1, until),),
            "ap": ((before + 1, until),),
            "ne": ((1, before), (until + 1, self.at)),
            **dict.fromkeys(("lt", "eb"), ((1, before),)),
            **dict.fromkeys(("gt", "sa"), ((until + 1, self.at),)),
            "le": ((1, until),),
            "ge": ((before + 1, self.at),),
        }
        found = windows[condition.prefix]
        told = f"_lastUpdated {condition.prefix}"
        return _either([Window(f"{told}: positions {first} to {last}", first, last) for first, last in found])

    def _missing(self, condition: Missing) -> Term:
        known = parameter(self.type, condition.parameter)
        if known.name in ("_id", "_lastUpdated"):
            return NEVER if condition.missing else All(())
        told = f"{known.name} is given"
        groups = components_of(self.type, known.name) or (parts_of(self.type, known.name),)
        found = All(tuple(self._any_value(told, group) for group in groups))
        return Without(found) if condition.missing else found

    def _any_value(self, told: str, parts: Sequence[PartRef]) -> Term:
        terms: list[Term] = []
        for part in parts:
            table = kinds.BY_NAME[part.kind]
            clauses = _of_types(part) if table is kinds.REFERENCE else ()
            terms.append(Has(told, (Rows(table, (("part", part.number),), clauses),)))
            if table is kinds.REFERENCE:
                terms.append(_by_identifier_alone(told, part))
        return Either(tuple(terms))

    # -- values ----------------------------------------------------------------------------------

    def _on_values(self, known: Parameter, condition: Condition) -> Term:
        expected, compile_it = _KINDS[type(condition)]
        if known.kind not in expected:
            raise ValueError(
                f"{self.type}.{known.name} is searched as a {known.kind}, not as a {expected[0]}"
            )
        if isinstance(condition, Composite):
            return self._composite(known, condition)
        return compile_it(self, known.name, parts_of(self.type, known.name), condition)

    def _token(self, name: str, parts: Sequence[PartRef], condition: Token) -> Term:
        system, code = condition.system, condition.code
        if code is None and system in (ANY, None):
            raise ValueError(f"a token on {name} names a code, or at least a system")
        clauses: tuple[Clause, ...] = ()
        if system is not ANY:
            clauses = ((Match("system", "=", self.indexer.hashed(system)),),)
        rows = []
        for part in parts:
            if code is None:
                rows.append(Rows(kinds.TOKEN, (("part", part.number),), clauses))
            else:
                fixed = (("part", part.number), ("code", self.indexer.hashed(code)))
                rows.append(Rows(kinds.TOKEN, fixed, clauses, (Slice(fixed),)))
        return Has(f"{name} is a token", tuple(rows))

    def _reference(self, name: str, parts: Sequence[PartRef], condition: Refers) -> Term:
        target = condition.target
        if "/" not in target and ":" not in target:
            return self._bare(name, parts, condition)
        rows = []
        for part in parts:
            fixed = (("part", part.number), ("target", self.indexer.hashed(target)))
            rows.append(Rows(kinds.REFERENCE, fixed, _of_types(part), (Slice(fixed),)))
        return Has(f"{name} refers to a resource", tuple(rows))

    def _bare(self, name: str, parts: Sequence[PartRef], condition: Refers) -> Term:
        told = {target for part in parts for target in part.targets}
        targets = tuple(sorted(told)) or parameter(self.type, name).targets
        if not targets or "Resource" in targets:
            raise ValueError(
                f"{self.type}.{name} may refer to anything: say what, as in Patient/{condition.target[:40]}"
            )
        return _either(
            [self._reference(name, parts, Refers(name, f"{one}/{condition.target}")) for one in targets]
        )

    def _text(self, name: str, parts: Sequence[PartRef], condition: Text) -> Term:
        text = cut(fold(condition.text))
        if not text:
            raise ValueError(f"a text to search {name} for has at least one letter")
        if condition.match == "contains":
            fixed = tuple((("part", part.number),) for part in parts)
            clause = (Match("text", "contains", text),)
            rows = tuple(Rows(kinds.STRING, one, (clause,), (Slice(one),)) for one in fixed)
            return Has(f"{name} contains a text", rows)
        exactly = condition.match == "exact"
        told = f"{name} {'is' if exactly else 'begins with'} a text"
        return Has(told, _texts(kinds.STRING, parts, _is(text) if exactly else _begins(text)))

    def _uri(self, name: str, parts: Sequence[PartRef], condition: Uri) -> Term:
        uri = cut(condition.uri)
        if not uri:
            raise ValueError(f"a URI to search {name} for is not empty")
        told = f"{name} is a URI" if condition.match == "exact" else f"{name} is {condition.match} a URI"
        rows = _texts(kinds.URI, parts, _is(uri))
        if condition.match == "below":
            rows += _texts(kinds.URI, parts, _begins(uri if uri.endswith("/") else f"{uri}/"))
        if condition.match == "above":
            for above in _above(uri):
                rows += _texts(kinds.URI, parts, _is(above))
        return Has(told, rows)

    def _dated(self, name: str, parts: Sequence[PartRef], condition: Dated) -> Term:
        found = ranges.dates(condition.prefix, condition.low, condition.high)
        rows = []
        for part in parts:
            fixed = (("part", part.number),)
            rows.append(Rows(kinds.DATE, fixed, found.clauses, ranges.date_slices(fixed, found)))
        return Has(f"{name} is {condition.prefix} a date", tuple(rows))

    def _number(self, name: str, parts: Sequence[PartRef], condition: Number) -> Term:
        low, high = ranges.range_of(condition.prefix, condition.number)
        found = ranges.numbers(condition.prefix, real(low), real(high))
        rows = []
        for part in parts:
            fixed = (("part", part.number),)
            rows.append(Rows(kinds.NUMBER, fixed, found.clauses, ranges.number_slices(fixed, found)))
        return Has(f"{name} is {condition.prefix} a number", tuple(rows))

    def _quantity(self, name: str, parts: Sequence[PartRef], condition: Quantity) -> Term:
        unit, found = self._measured(condition)
        rows = []
        for part in parts:
            fixed = (("part", part.number), ("unit", unit))
            rows.append(Rows(kinds.QUANTITY, fixed, found.clauses, ranges.number_slices(fixed, found)))
        return Has(f"{name} is {condition.prefix} a quantity", tuple(rows))

    def _measured(self, condition: Quantity) -> tuple[int, ranges.Comparison]:
        """Return the unit as the index has it, and the comparison in that unit."""
        bounds = ranges.range_of(condition.prefix, condition.number)
        value = measured(bounds, condition.system, condition.code, None)
        if value.base is not None:
            low, high = real(value.base_low, -inf), real(value.base_high, inf)
            return self.indexer.hashed(value.base), ranges.numbers(condition.prefix, low, high)
        found = ranges.numbers(condition.prefix, real(bounds[0]), real(bounds[1]))
        if condition.code is None:
            return 0, found
        return self.indexer.keys.unit(condition.system, condition.code), found

    # -- composites ------------------------------------------------------------------------------

    def _composite(self, known: Parameter, condition: Composite) -> Term:
        if len(condition.components) != len(known.components):
            raise ValueError(
                f"{self.type}.{known.name} is made of {', '.join(c.name for c in known.components)}:"
                f" it takes {len(known.components)} conditions (got {len(condition.components)})"
            )
        for asked, component in zip(condition.components, known.components, strict=True):
            _require_kind(known, component.name, component.kind, asked)
        terms: list[Term] = []
        groups = components_of(self.type, known.name)
        if groups:
            pairs = zip(groups, known.components, condition.components, strict=True)
            terms.append(All(tuple(self._component(c.name, parts, asked) for parts, c, asked in pairs)))
        if parts := parts_of(self.type, known.name):
            terms.append(self._together(known, parts, condition))
        return _either(terms)

    def _component(self, name: str, parts: Sequence[PartRef], asked: Condition) -> Term:
        _, compile_it = _KINDS[type(asked)]
        return compile_it(self, name, parts, asked)

    def _together(self, known: Parameter, parts: Sequence[PartRef], condition: Composite) -> Has:
        texts: list[str] = []
        found: tuple[ranges.Comparison, ...] = ()
        for asked in condition.components:
            if isinstance(asked, Dated | Number | Quantity):
                if found:
                    raise ValueError(f"{self.type}.{known.name} can have one component that is compared")
                text, comparison = self._ordered(asked)
                texts += text
                found = (comparison,)
            else:
                texts.append(_way(known, asked))
        value = self.indexer.keys.composite(texts)
        clauses = found[0].clauses if found else ()
        rows = []
        for part in parts:
            fixed = (("part", part.number), ("value", value))
            slices = ranges.number_slices(fixed, found[0] if found else _POINT)
            rows.append(Rows(kinds.COMPOSITE, fixed, clauses, slices if found else slices[:1]))
        return Has(f"{known.name} has values that stand together", tuple(rows))

    def _ordered(self, asked: Dated | Number | Quantity) -> tuple[list[str], ranges.Comparison]:
        if isinstance(asked, Quantity):
            unit, comparison = self._measured(asked)
            return [f"={unit}"], comparison
        if isinstance(asked, Number):
            low, high = ranges.range_of(asked.prefix, asked.number)
            return [], ranges.numbers(asked.prefix, real(low), real(high))
        return [], ranges.dates(asked.prefix, asked.low, asked.high)


_POINT: Final = ranges.Comparison((), lambda _longest: ())


def terms_of(compiler: Compiler, conditions: Iterable[Condition]) -> list[Term]:
    """Compile conditions, and join those that ask for a range of the same single value."""
    return _joined(compiler.type, flat(tuple(compiler.term(condition) for condition in conditions)))


def _either(terms: list[Term]) -> Term:
    """Return what asks for one of these; rows of one kind become one list, with which a search can begin."""
    if len(terms) == 1:
        return terms[0]
    possible = [term for term in terms if term != NEVER]
    has = [term for term in possible if isinstance(term, Has)]
    if has and len(has) == len(possible) and len({term.kind for term in has}) == 1:
        told = " or ".join(dict.fromkeys(term.told for term in has))
        return Has(told, tuple(dict.fromkeys(rows for term in has for rows in term.rows)))
    return Either(tuple(possible))


def _joined(type: str, terms: list[Term]) -> list[Term]:
    """Join ranges of one value that cannot be two, so that a window has a beginning and an end."""
    found: list[Term] = []
    places: dict[tuple[Any, ...], int] = {}
    for term in terms:
        key = _place_of(type, term)
        if key is None or key not in places:
            if key is not None:
                places[key] = len(found)
            found.append(term)
            continue
        held = found[places[key]]
        assert isinstance(held, Has)
        assert isinstance(term, Has)
        found[places[key]] = _both(held, term)
    return found


def _place_of(type: str, term: Term) -> tuple[Any, ...] | None:
    """Return where the rows of a term stand, if it is a range and each version has one such row at most."""
    if not isinstance(term, Has) or "width" not in {column.name for column in term.kind.values}:
        return None
    parts = tuple(dict(rows.fixed)["part"] for rows in term.rows)
    if len(set(parts)) != len(parts) or not is_singular(type, parts):
        return None
    return term.kind, tuple(rows.fixed for rows in term.rows)


def _both(one: Has, other: Has) -> Has:
    rows = []
    for left, right in zip(one.rows, other.rows, strict=True):
        slices = [Slice(a.fixed, a.bounds + b.bounds) for a, b in zip(left.slices, right.slices, strict=True)]
        rows.append(Rows(left.kind, left.fixed, left.clauses + right.clauses, tuple(slices)))
    return Has(f"{one.told} and {other.told}", tuple(rows))


def _require_kind(known: Parameter, name: str, kind: str, asked: Condition) -> None:
    expected, _ = _KINDS.get(type(asked), ((), None))
    if kind not in expected:
        raise ValueError(f"component {name} of {known.name} is a {kind}: {type(asked).__name__} does not fit")


def _way(known: Parameter, asked: Condition) -> str:
    """Return a component that must be equal, in one of the ways in which the index writes it."""
    if isinstance(asked, Token) and asked.code is not None:
        return f"={asked.code}" if asked.system is ANY else f"{asked.system or ''}|{asked.code}"
    if isinstance(asked, Refers):
        return f"={asked.target}"
    raise ValueError(f"a component of {known.name} is a code, a reference, or a value that is compared")


def _by_identifier_alone(told: str, part: PartRef) -> Term:
    """Find references that have nothing but an identifier: what type that is of, no one can tell."""
    fixed = (("part", part.number),)
    named = Has(told, (Rows(kinds.TOKEN, fixed, ()),))
    return All((named, Without(Has(told, (Rows(kinds.REFERENCE, fixed, ()),)))))


def _of_types(part: PartRef) -> tuple[Clause, ...]:
    if not part.targets:
        return ()
    return (tuple(Match("target_type", "=", TYPE_NUMBERS[name]) for name in part.targets),)


def _texts(kind: kinds.Kind, parts: Sequence[PartRef], bounds: tuple[Match, ...]) -> tuple[Rows, ...]:
    clauses = tuple((test,) for test in bounds)
    fixed = [(("part", part.number),) for part in parts]
    return tuple(Rows(kind, one, clauses, (Slice(one, bounds),)) for one in fixed)


def _is(text: str) -> tuple[Match, ...]:
    return (Match("text", ">=", text), Match("text", "<=", text))


def _begins(prefix: str) -> tuple[Match, ...]:
    following = _following(prefix)
    return (
        Match("text", ">=", prefix),
        *([Match("text", "<", following)] if following else []),
    )


def _following(prefix: str) -> str:
    """Return the first text, by its bytes in UTF-8, after all that begin with a prefix; empty if none is."""
    prefix = prefix.rstrip("\U0010ffff")
    if not prefix:
        return ""
    last = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if last == 0xD800 else last)


def _above(uri: str) -> list[str]:
    """Return the URIs that have this one below them: `a/b`, `a/b/` and `a/`... of `a/b/c`."""
    scheme, separator, path = uri.partition("://")
    if not separator:
        scheme, path = "", uri
    steps = path.rstrip("/").split("/")[:_MOST_PARTS_OF_A_PATH]
    above = ["/".join(steps[:n]) for n in range(1, len(steps))]
    return [f"{scheme}{separator}{one}{end}" for one in above for end in ("", "/")]


_KINDS: Final[Mapping[type[Any], tuple[tuple[ParameterKind, ...], Callable[..., Term]]]] = {
    Token: (("token", "reference"), Compiler._token),
    Text: (("string",), Compiler._text),
    Dated: (("date",), Compiler._dated),
    Refers: (("reference",), Compiler._reference),
    Number: (("number",), Compiler._number),
    Quantity: (("quantity",), Compiler._quantity),
    Uri: (("uri",), Compiler._uri),
    Composite: (("composite",), Compiler._composite),
}
"""For each condition the kinds of parameters that it fits, and how it is compiled."""
