"""The cases of a line list, each with its days, groups and place on the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from broadstreet.analysis.transmission.faraway import far_away
from broadstreet.analysis.transmission.linelist import read_cases
from broadstreet.app.investigate import roles as columns
from broadstreet.app.investigate.aside import Aside, from_analysis, ragged_rows
from broadstreet.app.investigate.daycolumns import read_day_columns
from broadstreet.app.investigate.days import Days
from broadstreet.app.investigate.ids import id_of
from broadstreet.app.investigate.points import Points, read_points
from broadstreet.app.investigate.sentences import counted
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.guessing import holds_dates, listed
from broadstreet.app.reading.table import Table, is_missing, shown

_NO_GROUP = frozenset({"other", "others", "unk"})
_TAKEN = ("onset", "diagnosed", "isolated", "died", "exposed_from", "exposed_to")
_SHOWN = (*_TAKEN, "infected", "hospitalised", "reported")


@dataclass
class LineList:
    """Cases that can be analysed, and what became of the other rows.

    Attributes
    ----------
    file : str
    ids : list of str
    days : dict of list
        By role: ordinals, or numbers where not dated; None where missing.
    groups : dict of list
        By role: text, or None.
    points : list of (float, float) or None, or None
        In the coordinates that `axes` names; None where there are none, or most cannot be.
    traits : dict of list
        Home area and age, for controls.
    dated : bool
    rows : list of int
        Row of the file of each case.
    aside : list of Aside
    notes : list of str
        How columns were read.
    """

    file: str
    ids: list[str]
    days: dict[str, list[int | None]]
    groups: dict[str, list[str | None]]
    points: list[tuple[float, float] | None] | None
    axes: tuple[str, str] | None
    traits: dict[str, list[str | None]]
    dated: bool
    rows: list[int]
    aside: list[Aside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def has_days(self) -> bool:
        """Whether any case can be placed in time."""
        return any(day is not None for values in self.days.values() for day in values)

    def label(self, day: int | None) -> str | None:
        """Return a day as people write it."""
        if day is None:
            return None
        return date.fromordinal(day).isoformat() if self.dated else str(day)

    def first_day(self, at: int) -> tuple[str, int] | None:
        """Return what dates a case, and its day: the onset, else the first that is known of later events."""
        for role in ("onset", "diagnosed", "reported", "hospitalised", "isolated", "died", "exposed_to"):
            if role in self.days and (day := self.days[role][at]) is not None:
                return role, day
        return None

    def table(self) -> dict[str, list[Any]]:
        """Return the cases as the analysis takes them."""
        held: dict[str, list[Any]] = {"id": self.ids}
        held["onset"] = self._labels("onset")
        held |= {role: self._labels(role) for role in _TAKEN if role in self.days and role != "onset"}
        if seen := self.seen_instead():
            known = held.get("diagnosed", [None] * len(self.ids))
            held["diagnosed"] = [self._label(seen[at]) if at in seen else day for at, day in enumerate(known)]
        if "infected" in self.days:
            for role in ("exposed_from", "exposed_to"):
                held[role] = self._first_of(held.get(role), "infected")
        held |= self.groups
        if self.points is not None:
            held["x"] = [None if point is None else point[0] for point in self._metric()]
            held["y"] = [None if point is None else point[1] for point in self._metric()]
        return held

    def seen_instead(self) -> dict[int, int]:
        """Return the day of the report, else of the admission, of each case that has no onset, no diagnosis
        and no isolation: only there does it stand in for a diagnosis, since it isolates nobody.
        """
        known, others = (
            [[self.days[role][at] for role in roles if role in self.days] for at in range(len(self.ids))]
            for roles in (("onset", "diagnosed", "isolated"), ("reported", "hospitalised"))
        )
        return {
            at: next(day for day in days if day is not None)
            for at, days in enumerate(others)
            if any(day is not None for day in days) and all(day is None for day in known[at])
        }

    def _labels(self, role: str) -> list[Any]:
        return [self._label(day) for day in self.days.get(role, [None] * len(self.ids))]

    def _label(self, day: int | None) -> Any:
        return self.label(day) if self.dated else day

    def _first_of(self, given: list[Any] | None, role: str) -> list[Any]:
        """Return a column with its gaps filled from another."""
        other = self._labels(role)
        return other if given is None else [b if a is None else a for a, b in zip(given, other, strict=True)]

    def _metric(self) -> list[tuple[float, float] | None]:
        """Return points with equal units on both axes: of degrees those of latitude."""
        assert self.points is not None
        if self.axes != ("lon", "lat"):
            return self.points
        known = [point[1] for point in self.points if point]
        shrink = float(np.cos(np.radians(np.median(known)))) if known else 1.0
        km = 111.195  # a degree of latitude on a sphere of 6371.0088 km
        return [None if point is None else (point[0] * shrink * km, point[1] * km) for point in self.points]


def read_line_list(table: Table, file: str, given: Mapping[str, str], order: Order | None) -> LineList:
    """Read a line list: recognise its columns, set aside the rows that contradict themselves.

    Raises
    ------
    Unusable
        If a column that is named is not there, or days and months cannot be told apart.
    """
    roles = columns.of_line_list(table, given)
    read = read_day_columns(table, {role: roles[role] for role in _SHOWN if role in roles}, given, order)
    days = read.days
    pair = columns.coordinates(roles)
    aside: dict[int, str] = {}
    for role, one in days.items():
        for row, why in one.wrong.items():
            aside.setdefault(row, f'column "{shown(roles[role])}": {why}')
    for row, (role, when) in far_away({role: one.numbers() for role, one in days.items()}).items():
        said = date.fromordinal(int(when)).isoformat() if read.dated else f"{when:g}"
        name = shown(roles[role])
        aside.setdefault(row, f'column "{name}": {said} is more than 5 years from the other days of the list')
    placed = read_points(table, roles, pair) if pair else Points(None)
    held = _Rows(table, file, roles, days, read.dated, placed.values, pair)
    found = held.kept([row for row in range(len(table.rows)) if row not in aside])
    found.aside = [Aside(file, table.numbers[row], held.id(row), why) for row, why in sorted(aside.items())]
    found.aside += ragged_rows(table, file, roles.get("id"))
    kept = _without_contradictions(held, found)
    kept.notes = [
        *table.notes,
        *_notes(roles, given, kept),
        *_choices(table, roles, given),
        *_on_onsets(table, roles, kept),
    ]
    kept.notes += [*_no_groups(table, roles), *read.notes, *placed.notes]
    return kept


def _without_contradictions(held: _Rows, found: LineList) -> LineList:
    """Set aside what the analysis cannot use: double ids, onset after death, windows after onset, no date."""
    checked = read_cases(found.table(), tuple(found.groups), ("x", "y") if found.points else ())
    needs_day = found.has_days or (bool(found.days) and found.points is None)  # a map can do without
    wrong = [one for one in checked.set_aside if needs_day or not one.why.startswith("no onset")]
    later = from_analysis(wrong, found.file, found.rows)
    gone = {one.row for one in wrong}
    row_of = {number: row for row, number in enumerate(held.table.numbers)}
    kept = held.kept([row_of[number] for at, number in enumerate(found.rows) if at not in gone])
    kept.aside = sorted([*found.aside, *later], key=lambda one: one.row)
    return kept


@dataclass(frozen=True)
class _Rows:
    """All rows of the file, of which some are kept."""

    table: Table
    file: str
    roles: columns.Roles
    days: dict[str, Days]
    dated: bool
    points: list[tuple[float, float] | None] | None
    axes: tuple[str, str] | None

    def id(self, row: int) -> str:
        """Return the id of a row; its number where there is no such column."""
        if "id" not in self.roles:
            return f"row {self.table.numbers[row]}"
        return id_of(self.table.column(self.roles["id"])[row])

    def kept(self, rows: list[int]) -> LineList:
        """Return these rows as cases."""
        cells = {role: self.table.column(name) for role, name in self.roles.items()}
        ids = cells.get("id")
        return LineList(
            self.file,
            [id_of(ids[row]) if ids else f"row {self.table.numbers[row]}" for row in rows],
            {role: [one.values[row] for row in rows] for role, one in self.days.items()},
            {role: [_group(cells[role][row]) for row in rows] for role in columns.GROUPS if role in cells},
            None if self.points is None else [self.points[row] for row in rows],
            self.axes,
            {role: [_group(cells[role][row]) for row in rows] for role in ("home", "age") if role in cells},
            self.dated,
            [self.table.numbers[row] for row in rows],
        )


def _group(cell: str) -> str | None:
    text = cell.strip()
    return None if is_missing(text) or text.lower() in _NO_GROUP else id_of(text)


_SAID = {
    "id": "case ids", "onset": "onset", "exposed_from": "start of exposure", "exposed_to": "end of exposure",
    "infected": "day of infection", "isolated": "isolation", "hospitalised": "admission to hospital",
    "diagnosed": "diagnosis", "reported": "report", "died": "death", "x": "map", "y": "map", "lon": "map",
    "lat": "map", "home": "home area", "age": "age",
}  # fmt: skip


def _notes(roles: columns.Roles, given: Mapping[str, str], found: LineList) -> list[str]:
    told = [
        f'"{shown(name)}" as {_SAID.get(role, role)}{" (as told)" if role in given else ""}'
        for role, name in roles.items()
        if role != "infector" and (role in found.days or role not in columns.DATES)
        if found.points is not None or role not in (found.axes or ())
    ]
    notes = [f"Columns read: {', '.join(told)}."] if told else []
    if "id" not in roles:
        notes.append(
            "No column of case ids was recognised; cases are named by their row (say --column id=NAME)."
        )
    if "infector" in roles:
        notes.append(
            f'The column "{shown(roles["infector"])}" names infectors. It was not used: links are '
            "estimated from the rest of the list. To use such names, give them as --contacts."
        )
    return notes


def _no_groups(table: Table, roles: columns.Roles) -> list[str]:
    return [
        f'The column "{shown(name)}" says whether or how sure, not which {role}: it was not used for groups.'
        for role, name in columns.no_groups(table, roles).items()
    ]


def _choices(table: Table, roles: columns.Roles, given: Mapping[str, str]) -> list[str]:
    """Return what to say where more than one column may be meant."""
    told = [
        f'"{shown(roles[role])}" was read as {_SAID[role]}, not {listed(others)}'
        for role, others in columns.passed_over(table, roles).items()
        if role not in given
    ]
    return (
        [f"Several columns may be meant: {'; '.join(told)}. Say --column ROLE=NAME for another."]
        if told
        else []
    )


def _on_onsets(table: Table, roles: columns.Roles, found: LineList) -> list[str]:
    """Return what to say where days of onset are missing."""
    notes = []
    if seen := len(found.seen_instead()):
        notes.append(
            f"Of {counted(seen, 'case')} without onset or diagnosis the report or the admission was taken as "
            "the day of diagnosis."
        )
    dated = [name for name in table.names if name and holds_dates(table, name)]
    if "onset" not in roles and dated:
        notes.append(
            f"No column of onsets was recognised: say --column onset=NAME. These hold dates: {listed(dated)}."
        )
    return notes
