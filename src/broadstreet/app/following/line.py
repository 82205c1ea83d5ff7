"""What the hub and the process that runs its followers say to each other, one after the other.

The process speaks, the hub answers: with the process's own question an order reaches it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from broadstreet.store.advance import Advance
from broadstreet.store.protocol import Cursor, StoreError

What = Literal["resume", "promote", "end"]


@dataclass(frozen=True)
class Wait:
    """The process waits until the log is beyond a position; it tells how its followers are."""

    beyond: int
    timeout: float
    stands: Mapping[str, Cursor]
    faults: Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """The process has done what it was ordered, or could not."""

    number: int
    outcome: Any
    faults: Mapping[str, str]


@dataclass(frozen=True)
class Order:
    """The hub wants something of the process."""

    number: int
    what: What
    name: str = ""


@dataclass(frozen=True)
class Answer:
    """What the hub answers to everything: the error if there is one, the head of the log, what it wants."""

    error: StoreError | None
    head: int
    waited_for: int
    orders: Sequence[Order] = ()


Asked = Advance | Wait | Done
