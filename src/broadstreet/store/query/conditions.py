"""What a search asks for: conditions, each on one search parameter; all of them must hold.

Values come as they are written, not yet folded, hashed or converted. The prefixes are those of FHIR.

Source: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal, TypeAlias

from broadstreet.model.search import span

MOST_CONDITIONS: Final = 32
MOST_CHOICES: Final = 200
"""Values in all lists of one search together."""
MOST_CHARACTERS: Final = 8_192
"""Of one value: longer than any address on the web that is in use."""
MOST_DIGITS: Final = 100
DEEPEST: Final = 4

Prefix = Literal["eq", "ne", "lt", "gt", "le", "ge", "sa", "eb", "ap"]
PREFIXES: Final = ("eq", "ne", "lt", "gt", "le", "ge", "sa", "eb", "ap")


class Whichever(Enum):
    """The system of a token does not matter."""

    ANY = "any"

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = Whichever.ANY


@dataclass(frozen=True)
class Token:
    """Has this code.

    Attributes
    ----------
    parameter
        A search parameter, such as `code`; `_id` is one.
    system
        The system that the code must be of; None for none, `ANY` for any.
    code
        The code; None for any of the system.
    """

    parameter: str
    system: str | Whichever | None
    code: str | None


@dataclass(frozen=True)
class Text:
    """Has a text that begins with these words, is them, or contains them; case and accents do not matter."""

    parameter: str
    text: str
    match: Literal["prefix", "exact", "contains"] = "prefix"


@dataclass(frozen=True)
class Dated:
    """Has a date that compares so with the span `[low, high)` of a search term, microseconds in UTC.

    `ap` finds every date that overlaps the span. `_lastUpdated` is when the version was committed.
    """

    parameter: str
    prefix: Prefix
    low: int
    high: int

    @classmethod
    def of(cls, parameter: str, term: str) -> Dated:
        """Read a term as it is searched: `ge2026-03`.

        Raises
        ------
        ValueError
            If it is no date.
        """
        prefix, rest = _without_prefix(term)
        return cls(parameter, prefix, *span(rest))


@dataclass(frozen=True)
class Refers:
    """Refers to this resource: `Patient/0199...` or a URL; a bare id is of the parameter's types."""

    parameter: str
    target: str


@dataclass(frozen=True)
class Number:
    """Has a number that compares so with a search term; the digits, as of `Decimal("0.80")`, count."""

    parameter: str
    prefix: Prefix
    number: Decimal


@dataclass(frozen=True)
class Quantity:
    """Has a quantity that compares so with a search term.

    In a unit of UCUM, it is found in any unit of the same dimension; without a unit, by its number alone.
    """

    parameter: str
    prefix: Prefix
    number: Decimal
    system: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Uri:
    """Has this URI, one `below` it, or one `above` it."""

    parameter: str
    uri: str
    match: Literal["exact", "below", "above"] = "exact"


@dataclass(frozen=True)
class Composite:
    """Has values that stand together and meet these conditions, one for each component, in their order.

    The parameters of the conditions do not matter: the composite says what they are.
    """

    parameter: str
    components: tuple[Condition, ...]


@dataclass(frozen=True)
class Missing:
    """Has no value for the parameter; or, if not `missing`, has one."""

    parameter: str
    missing: bool = True


@dataclass(frozen=True)
class AnyOf:
    """Meets at least one of these."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """Does not meet this: no value does."""

    condition: Condition


Condition: TypeAlias = (
    Token | Text | Dated | Refers | Number | Quantity | Uri | Composite | Missing | AnyOf | Not
)


def require_sound(conditions: Sequence[Condition]) -> None:
    """Refuse conditions that are too many, too deep, too long or no values at all.

    Raises
    ------
    ValueError
        If there is such a condition; it tells the limit.
    """
    if len(conditions) > MOST_CONDITIONS:
        raise ValueError(f"a search has at most {MOST_CONDITIONS} conditions (has {len(conditions)})")
    choices = 0
    for condition in conditions:
        for one in _flat(condition):
            choices += 1
            _require_sound(one)
    if choices > MOST_CHOICES:
        raise ValueError(f"a search has at most {MOST_CHOICES} values in its lists (has {choices})")


def _flat(condition: Condition, depth: int = 0) -> Iterator[Condition]:
    if depth > DEEPEST:
        raise ValueError(f"conditions stand at most {DEEPEST} deep in each other")
    if isinstance(condition, Not):
        yield from _flat(condition.condition, depth + 1)
    elif isinstance(condition, AnyOf | Composite):
        inner = condition.conditions if isinstance(condition, AnyOf) else condition.components
        if not 1 <= len(inner) <= MOST_CHOICES:
            raise ValueError(f"a list of conditions has 1 to {MOST_CHOICES} of them (has {len(inner)})")
        for one in inner:
            yield from _flat(one, depth + 1)
    else:
        yield condition


def _require_sound(condition: Condition) -> None:
    for name in ("system", "code", "text", "target", "uri"):
        value = getattr(condition, name, None)
        if isinstance(value, str):
            _require_text(value, f"{name} of a condition on {_shown(condition)}")
    number = getattr(condition, "number", None)
    if number is not None:
        _require_number(number)
    prefix = getattr(condition, "prefix", "eq")
    if prefix not in PREFIXES:
        raise ValueError(f"a prefix is one of {', '.join(PREFIXES)} (is {str(prefix)[:20]!r})")


def _shown(condition: Condition) -> str:
    return repr(getattr(condition, "parameter", ""))[:40]


def _require_text(value: str, what: str) -> None:
    if len(value) > MOST_CHARACTERS:
        raise ValueError(f"the {what} has at most {MOST_CHARACTERS:,} characters (has {len(value):,})")
    if "\0" in value:
        raise ValueError(f"the {what} has a NUL character, which no value has")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"the {what} has half of a surrogate pair, which is no character")


def _require_number(number: Decimal) -> None:
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"a number to search for is finite (is {number})")
    if len(digits) > MOST_DIGITS or abs(exponent) > MOST_DIGITS:
        raise ValueError(
            f"a number to search for has at most {MOST_DIGITS} digits before and after the point"
        )


def _without_prefix(term: str) -> tuple[Prefix, str]:
    for prefix in PREFIXES:
        if term.startswith(prefix):
            return prefix, term[2:]
    return "eq", term
