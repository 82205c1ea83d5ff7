"""The tables of the search index: one narrow table for each kind of value, alike on every back end.

This is the one place where they are written down. Each back end makes its tables from `KINDS`, rows are
bound in the order of `Kind.columns`, and queries name columns from here.

A row says: *the version `since` has this value at `part`, until the version `until` takes its place*. The
rest are labels, which decide who may see it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["integer", "real", "text"]
"""64-bit signed; 64-bit float, infinite where a range is open; text, compared by its bytes in UTF-8."""

FOREVER: Final = (1 << 47) - 1
"""`until` of a row that still holds: beyond every seq, and two bytes shorter than the largest integer."""

MOST_CHARACTERS: Final = 200
"""Longer texts are cut to this in `text` columns, and so are the texts that are searched for."""


SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
LONGEST: Final = (SECOND, 6 * HOUR, DAY, 31 * DAY, 366 * DAY)
"""The longest date ranges, in microseconds, of the widths 0 to 4; what is longer or open has width 5.

So a search for a window of time begins six hours before it among what lasts some hours, a month before it
among what lasts weeks, and looks at all that began earlier only among the few that last for years."""

EVERY: Final = 0
"""The part of which every version of a resource has one token: its type (without a system). By these rows a
type is searched where no condition names values, and what a version may be shown for is known."""

POINT, RANGE = 0, 1
"""The widths of numbers: low and high are the same, or not."""


@dataclass(frozen=True)
class Column:
    """A column; none is ever null."""

    name: str
    type: Type = "integer"


PART = Column("part")
SINCE = Column("since")
UNTIL = Column("until")

LABELS = tuple(map(Column, ("subject", "organisation", "district", "category", "sensitivity")))
"""What policy decides on, the same in every row of a version; 0 is unknown, and several for `subject`."""


@dataclass(frozen=True)
class Kind:
    """A table of the index.

    Attributes
    ----------
    name
        The kind of the parameters whose values it has; the table is `<name>_index`.
    values
        The columns that tell the value.
    key
        The clustered key. The value comes before `since`, so that rows of one value lie together in the order
        of the log. Of references the target comes first: what refers to one resident, in whatever part, is
        one place of the table, which is read at once and costs one page to write to.

    Every table has a second index, `(since, part)`: so a version's rows are found when it is superseded or
    purged, and a second condition is tested, version by version.
    """

    name: str
    values: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def table(self) -> str:
        """The name of the table."""
        return f"{self.name}_index"

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order in which rows are bound."""
        return (PART, *self.values, SINCE, UNTIL, *LABELS)


def _integers(*names: str) -> tuple[Column, ...]:
    return tuple(map(Column, names))


def _reals(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "real") for name in names)


_TEXT = (Column("text", "text"),)

TOKEN = Kind("token", _integers("code", "system"), ("part", "code", "since", "system"))
STRING = Kind("string", _TEXT, ("part", "text", "since"))
DATE = Kind("date", _integers("width", "low", "high"), ("part", "width", "low", "since", "high"))
REFERENCE = Kind("reference", _integers("target", "target_type"), ("target", "part", "since"))
NUMBER = Kind(
    "number",
    (Column("width"), *_reals("low", "high")),
    ("part", "width", "low", "since", "high"),
)
QUANTITY = Kind(
    "quantity",
    (*_integers("unit", "width"), *_reals("low", "high")),
    ("part", "unit", "width", "low", "since", "high"),
)
URI = Kind("uri", _TEXT, ("part", "text", "since"))
COMPOSITE = Kind(
    "composite",
    (*_integers("value", "width"), *_reals("low", "high")),
    ("part", "value", "width", "low", "since", "high"),
)

KINDS: Final = (TOKEN, STRING, DATE, REFERENCE, NUMBER, QUANTITY, URI, COMPOSITE)
"""In the order of the fields of `IndexRows`."""

BY_NAME: Final = {kind.name: kind for kind in KINDS}


def width_of_date(low: int, high: int) -> int:
    """Return the width, 0 to 5, of a date range in microseconds."""
    return bisect_left(LONGEST, high - low)


def width_of_number(low: float, high: float) -> int:
    """Return whether a number is a `POINT` or a `RANGE`."""
    return POINT if low == high else RANGE
