"""The policy: a table of who may see what, read once and resolved for one principal and one purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast, get_args

from broadstreet.trust.categories import Sensitivity, named
from broadstreet.trust.principals import Principal, Purpose, purposes, roles
from broadstreet.trust.rows import rows

Scope = Literal["self", "case", "approved", "organisation", "district", "city"]
View = Literal["count", "pseudonymous", "limited", "full"]
VIEWS: tuple[View, ...] = get_args(View)
"""From the least to the most that is shown."""


@dataclass(frozen=True)
class Rule:
    """A row of the policy; `categories` are their numbers."""

    role: str
    purpose: str
    categories: frozenset[int]
    scope: Scope
    view: View
    most: Sensitivity


@dataclass(frozen=True)
class Grant:
    """What one principal may see for one purpose: rules that differ only in their categories are one."""

    categories: frozenset[int]
    scope: Scope
    most: Sensitivity


@dataclass(frozen=True)
class Grants:
    """All that one principal may see for one purpose, in one view; without any, nothing."""

    view: View
    grants: tuple[Grant, ...] = ()


NOTHING = Grants("count")


class Policy:
    """Rules, checked: one role sees one view for one purpose.

    Raises
    ------
    ValueError
        If a rule has an unknown word, or a role has two views for one purpose.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        views: dict[tuple[str, str], View] = {}
        for rule in self.rules:
            _require_known(rule)
            held = views.setdefault((rule.role, rule.purpose), rule.view)
            if held != rule.view:
                raise ValueError(
                    f"the role {rule.role} has one view for the purpose {rule.purpose}"
                    f" (has {held} and {rule.view})"
                )

    def grants(self, principal: Principal, purpose: Purpose) -> Grants:
        """Return what a principal may see for a purpose.

        Of several roles, those count that show the most; what another role would show less of is left out.
        """
        fit = [rule for rule in self.rules if rule.role in principal.roles and rule.purpose == purpose.name]
        if not fit:
            return NOTHING
        view = max((rule.view for rule in fit), key=VIEWS.index)
        merged: dict[tuple[Scope, Sensitivity], frozenset[int]] = {}
        for rule in fit:
            if rule.view == view:
                key = (rule.scope, rule.most)
                merged[key] = merged.get(key, frozenset()) | rule.categories
        return Grants(view, tuple(Grant(found, *key) for key, found in merged.items()))


@cache
def standing() -> Policy:
    """Return the policy of `tables/policy.tsv`."""
    return Policy(_rule(row) for row in rows("policy"))


def _rule(row: dict[str, str]) -> Rule:
    return Rule(
        row["role"],
        row["purpose"],
        named(row["category"]),
        cast(Scope, row["scope"]),
        cast(View, row["view"]),
        Sensitivity.named(row["most"]),
    )


def _require_known(rule: Rule) -> None:
    for word, known in (
        (rule.role, sorted(roles())),
        (rule.purpose, list(purposes())),
        (rule.scope, list(get_args(Scope))),
        (rule.view, list(VIEWS)),
    ):
        if word not in known:
            raise ValueError(f"a rule of the policy says one of {', '.join(known)} (says {word!r})")
