"""Ask what would follow from an action before it is taken: the words of the question and of the answer.

Workflows and pages know these words and the protocol; who answers (the synthetic city today) is wired at
the top.
"""

from __future__ import annotations

from typing import Annotated, Protocol

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Day = Annotated[int, msgspec.Meta(ge=0)]
Days = Annotated[int, msgspec.Meta(ge=0, le=365)]


class _Action(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="action",
):
    """Something done from `first_day` to `last_day` (to the end where it is not given); days from 0."""

    first_day: Day = 0
    last_day: Day | None = None

    def is_on(self, day: int) -> bool:
        """Return whether it is done on a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


class Isolate(_Action, frozen=True, kw_only=True, tag="isolate"):
    """Reported cases stay at home for `days`, from the day after the report and `delay` more."""

    adherence: Share = 0.8
    delay: Days = 0
    days: Days = 10


class QuarantineContacts(_Action, frozen=True, kw_only=True, tag="quarantine"):
    """Contacts of a reported case stay at home for `days`.

    Contacts are those of `least_minutes` or more in a day, from two days before onset until the report; a
    share `traced` of them is found.
    """

    traced: Share = 0.7
    adherence: Share = 0.7
    delay: Days = 1
    days: Days = 14
    least_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 15


class Close(_Action, frozen=True, kw_only=True, tag="close"):
    """Places are closed: some by number, or all of a kind (`class`, `venue`, ...), maybe of one district."""

    places: tuple[int, ...] = ()
    kind: str | None = None
    district: str | None = None


class TestDistrict(_Action, frozen=True, kw_only=True, tag="test"):
    """A share of the residents of a district is tested on each day; results are told after `delay` days."""

    __test__ = False  # no test of pytest

    district: str
    coverage: Share = 0.2
    delay: Days = 1


class Vaccinate(_Action, frozen=True, kw_only=True, tag="vaccinate"):
    """`doses` a day for people of these ages; a share of those who get one is protected `after` days."""

    pathogen: str
    doses: Annotated[int, msgspec.Meta(ge=1)]
    efficacy: Share = 0.9
    after: Days = 14
    youngest: Annotated[int, msgspec.Meta(ge=0, le=120)] = 0
    oldest: Annotated[int, msgspec.Meta(ge=0, le=120)] = 120
    district: str | None = None


Action = Isolate | QuarantineContacts | Close | TestDistrict | Vaccinate


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Means without and with the actions, and the mean difference (with less without) with its interval."""

    without: float
    with_actions: float
    difference: float
    low: float
    high: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: by name of the number, from so many paired runs, with intervals of this level."""

    numbers: dict[str, Difference]
    runs: int
    level: float


class WhatIf(Protocol):
    """Answers what would follow from actions."""

    def ask(self, actions: tuple[Action, ...]) -> Answer:
        """Return what would follow.

        Raises
        ------
        ValueError
            If an action names a district, place, kind or pathogen that is not known.
        """
        ...
