"""Which of the columns that are named like dates hold days, and why the others were not used."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from broadstreet.app.investigate.days import Days, read_days
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.guessing import holds_flags
from broadstreet.app.reading.table import Table, is_missing, shown

_EVENTS = ("infected", "diagnosed", "isolated", "hospitalised", "reported", "died")
"""What a list may flag with yes and no: it happened, or did not."""


@dataclass(frozen=True)
class DayColumns:
    """Days by role, all dates or all numbers.

    Attributes
    ----------
    days : dict of Days
    dated : bool
    notes : list of str
        Why columns were not used, in sentences.
    """

    days: dict[str, Days]
    dated: bool
    notes: list[str]


def read_day_columns(
    table: Table, roles: Mapping[str, str], given: Container[str], order: Order | None
) -> DayColumns:
    """Read the columns of these roles. Those of the onset, and those given, are kept whatever they hold, so
    that each of their cells is reported.

    Raises
    ------
    Unusable
        If day and month cannot be told apart.
    """
    held, notes = {}, []
    for role, name in roles.items():
        if role not in given and role in _EVENTS and holds_flags(table, name):
            notes.append(_unused(table, role, name, "says whether, not when"))
            continue
        days = read_days(table, name, order)
        if role in given or role == "onset" or not days.is_empty:
            held[role] = days
        elif days.wrong:
            notes.append(_unused(table, role, name, "holds no day"))
    dated = _are_dated(held)
    days_of: dict[str, Days] = {}
    for role, one in held.items():
        if one.is_empty or one.dated == dated:
            days_of[role] = one
        elif role in given or role == "onset":
            days_of[role] = _all_wrong(table, roles[role], one, dated)
        else:
            notes.append(_unused(table, role, roles[role], _other_kind(one.dated)))
    notes += [f'The column "{shown(roles[role])}" {one.told}' for role, one in days_of.items() if one.told]
    return DayColumns(days_of, dated, notes)


def _are_dated(held: Mapping[str, Days]) -> bool:
    """Tell whether days are dates: as the onsets are, else as any column is."""
    known = [one for one in held.values() if not one.is_empty]
    if "onset" in held and not held["onset"].is_empty:
        return held["onset"].dated
    return any(one.dated for one in known)


def _other_kind(dated: bool) -> str:
    return "holds dates, the onsets are numbers" if dated else "holds numbers, the other columns dates"


def _all_wrong(table: Table, name: str, days: Days, dated: bool) -> Days:
    wanted = "a date as 2026-01-31" if dated else "a whole number of days, as the onsets are"
    wrong = {
        row: f'expected {wanted}, found "{shown(cell, 30)}"'
        for row, cell in enumerate(table.column(name))
        if not is_missing(cell)
    }
    return Days([None] * len(days.values), wrong, dated)


def _unused(table: Table, role: str, name: str, why: str) -> str:
    row, cell = next((r, c) for r, c in enumerate(table.column(name)) if not is_missing(c))
    found = f'row {table.numbers[row]}: "{shown(cell.strip(), 30)}"'
    return (
        f'The column "{shown(name)}" {why} ({found}): it was not used. Say --column {role}=NAME for another, '
        "or with this name to have each of its cells reported."
    )
