"""When visits began and ended: days, with the times of day in the same cell or in columns of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time

from broadstreet.app.investigate import roles
from broadstreet.app.investigate.days import read_days
from broadstreet.app.investigate.sentences import counted
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.guessing import some_of
from broadstreet.app.reading.table import Table, is_missing, shown

_CLOCK = (
    r"(\d{1,2})[:hH](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(?:([AaPp])\.?[Mm]\.?)?\s*(?:Uhr|Z|[+-]\d{2}:?\d{2})?"
)
_TIME = re.compile(_CLOCK)
_LAST = re.compile(rf"(?:^|.*[T ]){_CLOCK}\s*")
"""A time of day alone, or behind a day."""
_MAYBE_TIME = re.compile(r".*\d:\d.*")
_CLOCKS = {
    "end": rf"{roles.VISITS['end']}|out|.*_(out|end|to|until)",
    "start": rf"{roles.VISITS['start']}|in|.*_(in|start|from|begin)|time.*|hour|uhrzeit|hora|heure|시간|时间",
}
"""Names of columns that hold times of day only."""
_HALF_A_DAY, _DAY = 12, 86_400
_END = _DAY - 1

When = tuple[int, int | None]
"""A day, and the seconds of it that have passed where a time is known."""


@dataclass
class Moments:
    """When visits began and ended.

    Attributes
    ----------
    columns : dict of list
        `start`, and `end` where the table tells: a day as the analysis takes it, with its time where there is
        one; None where missing.
    wrong : dict of int to str
        Why rows cannot be used.
    dated : bool or None
        Whether days are dates; None where there are none.
    notes : list of str
        How days were read where that is not as usual, and what was not used, in sentences.
    """

    columns: dict[str, list[str | float | None]] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    dated: bool | None = None
    notes: list[str] = field(default_factory=list)


def clock_columns(table: Table) -> list[str]:
    """Return the columns of which most cells are times of day without a day."""
    return [name for name in table.names if name and _holds_times(table, name)]


def _holds_times(table: Table, name: str) -> bool:
    cells = some_of(table, name)
    return sum(bool(_TIME.fullmatch(cell.strip())) for cell in cells) > len(cells) / 2


def read_moments(
    table: Table, file: str, found: Mapping[str, str], clocks: list[str], order: Order | None
) -> Moments:
    """Return when visits began and ended, by the columns of their days and those of times alone.

    Raises
    ------
    Unusable
        If day and month cannot be told apart.
    """
    read = Moments()
    times = roles.find(table, _CLOCKS, {*table.names} - {*clocks})
    read.notes += [
        f'The column "{shown(name)}" of {file} holds times of day without a role: it was not used.'
        for name in clocks
        if name not in times.values()
    ]
    moments: dict[str, list[When | None]] = {}
    unread: dict[int, str] = {}
    for role in ("start", "end"):
        if role not in found and role not in times:
            continue
        days = read_days(table, found.get(role, found["start"]), order)
        cells = table.column(times.get(role, found.get(role, found["start"])))
        if not days.is_empty:
            read.dated = days.dated
        read.wrong |= days.wrong
        if days.told and role in found:
            read.notes.append(f'{file}: the column "{shown(found[role])}" {days.told}')
        moments[role] = _joined(days.values, cells, unread)
    if unread:
        read.notes.append(_unread(table, file, unread))
    if "end" in moments:
        moments["end"] = _ends(moments["start"], moments["end"], once="end" not in found)
        backwards = zip(moments["start"], moments["end"], strict=True)
        for row, (begin, end) in enumerate(backwards):
            if begin and end and _seconds(end) < _seconds(begin):
                read.wrong.setdefault(row, "the visit ends before it begins")
    read.columns = {role: [_label(when, bool(read.dated)) for when in moments[role]] for role in moments}
    return read


def _joined(days: list[int | None], cells: list[str], unread: dict[int, str]) -> list[When | None]:
    """Return days with the times that cells hold; take note of what looks like a time and is none."""
    moments: list[When | None] = []
    for row, (day, cell) in enumerate(zip(days, cells, strict=True)):
        seconds = None if is_missing(cell) else _seconds_of(cell)
        if seconds is None and _MAYBE_TIME.fullmatch(cell):
            unread.setdefault(row, cell)
        moments.append(None if day is None else (day, seconds))
    return moments


def _seconds_of(cell: str) -> int | None:
    """Return the time of day that a cell ends with, in seconds; None where there is none."""
    match = _LAST.fullmatch(cell)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if (hour, minute, second) == (24, 0, 0):
        return _END
    if match[4] and 1 <= hour <= _HALF_A_DAY:
        hour = hour % _HALF_A_DAY + (_HALF_A_DAY if match[4] in "pP" else 0)
    try:
        told = time(hour, minute, second)
    except ValueError:
        return None
    return (told.hour * 60 + told.minute) * 60 + told.second


def _ends(begins: list[When | None], ends: list[When | None], *, once: bool) -> list[When | None]:
    """Return ends that fit their begins: a day without a time lasts until midnight, and where the day stands
    once, an end before the begin is on the next day.
    """
    fitting: list[When | None] = []
    for begin, end in zip(begins, ends, strict=True):
        if begin is None or end is None or begin[1] is None:
            fitting.append(end)
        elif end[1] is None:
            fitting.append(None if once else (end[0], _END))
        else:
            fitting.append((end[0] + (once and end[1] < begin[1]), end[1]))
    return fitting


def _seconds(when: When) -> int:
    return when[0] * _DAY + (when[1] or 0)


def _label(when: When | None, dated: bool) -> str | float | None:
    if when is None:
        return None
    day, seconds = when
    if not dated:
        return day if seconds is None else day + seconds / _DAY
    said = date.fromordinal(day).isoformat()
    if seconds is None:
        return said
    return f"{said}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _unread(table: Table, file: str, unread: dict[int, str]) -> str:
    row, cell = next(iter(unread.items()))
    example = f'row {table.numbers[row]}: "{shown(cell.strip(), 30)}"'
    return (
        f"{counted(len(unread), 'time')} of {file} cannot be read ({example}): the day counts without it. "
        "Write times as 08:30."
    )
