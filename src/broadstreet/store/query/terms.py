"""What conditions become: rows that a version has or has not, told without the words of any back end.

A *match* compares a column with a value. *Rows* are those at one part with a fixed value and matches.
*Slices* are the contiguous stretches of the clustered key in which such rows lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from broadstreet.store.index import kinds
from broadstreet.store.index.kinds import Kind

Value: TypeAlias = int | float | str
Operator = Literal["=", "<", "<=", ">", ">=", "contains"]


class Match(NamedTuple):
    """A comparison of a column with a value."""

    column: str
    operator: Operator
    value: Value


Clause: TypeAlias = tuple[Match, ...]
"""At least one of these holds."""


@dataclass(frozen=True)
class Order:
    """In which order the rows of one slice lie: by `column`, then by `since`, then by `tie`."""

    column: str
    tie: str | None
    descending: bool

    @property
    def told(self) -> str:
        """Say it in words."""
        return _TOLD[self.column]


_BY_POSITION = Order("since", None, descending=True)
_BY_TEXT = Order("text", None, descending=False)
_BY_LOW = Order("low", "high", descending=True)
_TOLD = {"since": "newest version first", "text": "by text", "low": "latest or highest first"}
ORDERS: Final = {
    kinds.TOKEN: Order("since", "system", descending=True),
    kinds.REFERENCE: _BY_POSITION,
    kinds.STRING: _BY_TEXT,
    kinds.URI: _BY_TEXT,
    **dict.fromkeys((kinds.DATE, kinds.NUMBER, kinds.QUANTITY, kinds.COMPOSITE), _BY_LOW),
}


def by_position(kind: Kind) -> bool:
    """Say whether the rows of one slice lie in the order of their positions."""
    return ORDERS[kind].column == "since"


@dataclass(frozen=True)
class Slice:
    """A stretch of a table's clustered key: columns with one value each, and bounds on the next column."""

    fixed: tuple[tuple[str, int], ...]
    bounds: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows of one part: columns with one value each, and clauses that all hold."""

    kind: Kind
    fixed: tuple[tuple[str, int], ...]
    clauses: tuple[Clause, ...]
    slices: tuple[Slice, ...] = ()
    """Where such rows lie; none if they lie nowhere in particular, and no search can begin with them."""


@dataclass(frozen=True)
class Has:
    """The version has at least one of these rows, which are of one kind."""

    told: str
    rows: tuple[Rows, ...]

    @property
    def kind(self) -> Kind:
        """The kind of the rows."""
        return self.rows[0].kind

    @property
    def drives(self) -> bool:
        """Whether a search can begin with these rows."""
        return all(rows.slices for rows in self.rows)


@dataclass(frozen=True)
class Window:
    """The version's position is in `first <= since <= last`."""

    told: str
    first: int
    last: int


@dataclass(frozen=True)
class All:
    """All of these."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Either:
    """At least one of these; with none, never."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Without:
    """Not this."""

    term: Term


Term: TypeAlias = Has | Window | All | Either | Without


def flat(terms: tuple[Term, ...]) -> list[Term]:
    """Return the terms that all must hold, those inside `All` as well."""
    return [one for term in terms for one in (flat(term.terms) if isinstance(term, All) else [term])]


def describe(term: Term) -> str:
    """Say in words what a term asks for."""
    if isinstance(term, Has | Window):
        return term.told
    if isinstance(term, Without):
        return f"not ({describe(term.term)})"
    if not term.terms:
        return "always" if isinstance(term, All) else "never"
    word = " and " if isinstance(term, All) else " or "
    return word.join(f"({describe(one)})" for one in term.terms)
