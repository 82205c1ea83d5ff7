"""Who asks, and what for: nothing about a resident is read without both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

from broadstreet.trust.rows import rows

Kind = Literal["person", "client", "device"]
"""A human being who signed in, another system, or a machine in the street."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"[a-z0-9][a-z0-9._@:-]{0,99}")


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes
    ----------
    name
        Unique among all principals; lower case.
    kind
        What it is.
    roles
        Names of `tables/roles.tsv`; they decide, with the purpose, what is seen.
    organisation
        Id of the Organization that it works for; empty if for none.
    district
        Code of the district that it is responsible for; empty if for none.
    resident
        Id of the Patient that it is, for residents who read what is known about themselves.
    """

    name: str
    kind: Kind
    roles: frozenset[str] = frozenset()
    organisation: str = ""
    district: str = ""
    resident: str = ""

    def __post_init__(self) -> None:
        require_name(self.name)
        if self.kind not in KINDS:
            raise ValueError(f"a principal is one of {', '.join(KINDS)} (is {self.kind!r})")
        if unknown := self.roles - roles():
            raise ValueError(f"roles are {', '.join(sorted(roles()))} (got {', '.join(sorted(unknown))})")


@dataclass(frozen=True)
class Purpose:
    """What something is read for.

    Attributes
    ----------
    name
        A name of `tables/purposes.tsv`.
    about
        Id of the Investigation, for the purpose `investigation`; empty for the others.
    """

    name: str
    about: str = field(default="")

    def __post_init__(self) -> None:
        known = purposes()
        if self.name not in known:
            raise ValueError(f"a purpose is one of {', '.join(known)} (is {self.name[:40]!r})")
        if known[self.name] and not self.about:
            raise ValueError(f"the purpose {self.name} names its {known[self.name]} (names none)")
        if self.about and not known[self.name]:
            raise ValueError(f"the purpose {self.name} is about nothing in particular (names {self.about!r})")


@cache
def purposes() -> dict[str, str]:
    """Return the purposes of use, and what each must name (empty: nothing)."""
    return {row["purpose"]: row["about"] for row in rows("purposes")}


@cache
def roles() -> frozenset[str]:
    """Return the names of all roles."""
    return frozenset(row["role"] for row in rows("roles"))


def require_name(name: str) -> None:
    """Refuse a name that could pass for another, or would not fit into a log.

    Raises
    ------
    ValueError
        If it has other characters than small letters, digits and `. _ @ : -`, or more than 100.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a name has 1 to 100 of the characters a-z 0-9 . _ @ : - and begins with a letter or digit"
            f" (is {name[:40]!r})"
        )
