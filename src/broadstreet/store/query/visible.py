"""Who may see what, as an expression over the labels of index rows; a search applies it to each candidate.

The policies of the trust room compile to it. It never reads a body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from broadstreet.store.index.kinds import LABELS

NAMES: Final = frozenset(column.name for column in LABELS)
MOST_VALUES: Final = 1_000


@dataclass(frozen=True)
class Everything:
    """All is visible."""


@dataclass(frozen=True)
class Nothing:
    """Nothing is visible."""


@dataclass(frozen=True)
class Eq:
    """The label has this value."""

    label: str
    value: int

    def __post_init__(self) -> None:
        _require_label(self.label)


@dataclass(frozen=True)
class OneOf:
    """The label has one of these values; at most 1,000."""

    label: str
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        _require_label(self.label)
        if len(self.values) > MOST_VALUES:
            raise ValueError(f"OneOf takes at most {MOST_VALUES:,} values (got {len(self.values):,})")


@dataclass(frozen=True)
class AtMost:
    """The label has this value or a smaller one: the sensitivity that someone is cleared for."""

    label: str
    value: int

    def __post_init__(self) -> None:
        _require_label(self.label)


@dataclass(frozen=True)
class And:
    """All of these."""

    parts: tuple[Visible, ...]


@dataclass(frozen=True)
class Or:
    """At least one of these."""

    parts: tuple[Visible, ...]


Visible: TypeAlias = Everything | Nothing | Eq | OneOf | AtMost | And | Or


def labels_in(visible: Visible) -> frozenset[str]:
    """Return the labels that an expression reads."""
    if isinstance(visible, And | Or):
        return frozenset().union(*map(labels_in, visible.parts))
    return frozenset() if isinstance(visible, Everything | Nothing) else frozenset({visible.label})


def _require_label(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"there is no label {name!r} (there are: {', '.join(sorted(NAMES))})")
