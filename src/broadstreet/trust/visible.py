"""From what a policy grants to an expression over the labels of index rows, which every search applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from broadstreet.store.query.visible import (
    MOST_VALUES,
    And,
    AtMost,
    Eq,
    Everything,
    Nothing,
    OneOf,
    Or,
    Visible,
)
from broadstreet.trust.policy import Grant, Grants, Scope
from broadstreet.trust.principals import Principal

Hash = Callable[[str], int]


@dataclass(frozen=True)
class Where:
    """What scopes mean for one request: who asks, and which residents an investigation is about."""

    principal: Principal
    case: Sequence[str] = ()
    approved: Sequence[str] = ()


def visible(grants: Grants, where: Where, hashed: Hash) -> Visible:
    """Return the expression for what is granted; `hashed` is the store's keyed hash."""
    parts = tuple(_of(grant, where, hashed) for grant in grants.grants)
    return Or(parts) if parts else Nothing()


def _of(grant: Grant, where: Where, hashed: Hash) -> Visible:
    scope = _SCOPES[grant.scope](where, hashed)
    if isinstance(scope, Nothing):
        return scope
    categories = OneOf("category", tuple(sorted(grant.categories)))
    return And((categories, AtMost("sensitivity", int(grant.most)), scope))


def _same(label: str, value: str, hashed: Hash) -> Visible:
    return Eq(label, hashed(value)) if value else Nothing()


def _among(residents: Sequence[str], hashed: Hash) -> Visible:
    values = tuple(sorted({hashed(resident) for resident in residents}))
    chunks = [values[n : n + MOST_VALUES] for n in range(0, len(values), MOST_VALUES)]
    return Or(tuple(OneOf("subject", chunk) for chunk in chunks)) if chunks else Nothing()


_SCOPES: Final[dict[Scope, Callable[[Where, Hash], Visible]]] = {
    "self": lambda where, hashed: _same("subject", where.principal.resident, hashed),
    "case": lambda where, hashed: _among(where.case, hashed),
    "approved": lambda where, hashed: _among(where.approved, hashed),
    "organisation": lambda where, hashed: _same("organisation", where.principal.organisation, hashed),
    "district": lambda where, hashed: _same("district", where.principal.district, hashed),
    "city": lambda _, __: Everything(),
}
