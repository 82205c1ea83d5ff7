"""The tables that come beside the line list: contacts, visits, controls and the layers of a map."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broadstreet.app.investigate import roles
from broadstreet.app.investigate.aside import Aside, ragged_rows
from broadstreet.app.investigate.ids import id_of
from broadstreet.app.investigate.moments import clock_columns, read_moments
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.guessing import holds_numbers, listed
from broadstreet.app.reading.table import Table, Unusable, is_missing, read_table, shown

_HIGHEST = 1e9
"""Squares of coordinates up to it do not overflow."""


@dataclass
class Beside:
    """A table as the analysis takes it.

    Attributes
    ----------
    file : str
    columns : dict of list
    rows : list of int
        Row of the file of each row.
    aside : list of Aside
    dated : bool or None
        Whether days are dates; None where there are none.
    notes : list of str
        How it was read where that is not as usual, and what was not used, in sentences.
    """

    file: str
    columns: dict[str, list[Any]]
    rows: list[int]
    aside: list[Aside] = field(default_factory=list)
    dated: bool | None = None
    notes: list[str] = field(default_factory=list)


def contacts(path: Path, encoding: str) -> Beside:
    """Read declared contacts: who infected whom, or who met whom.

    Raises
    ------
    Unusable
        If there are no two columns of ids.
    """
    table = read_table(path, encoding, tolerant=True)
    found = roles.find(table, roles.CONTACTS)
    pair = next(
        (p for p in (("infector", "case"), ("id", "contact"), ("case", "contact")) if set(p) <= set(found)),
        None,
    )
    if pair is None:
        raise Unusable(
            f"{path.name}: expected columns infector and case, or id and contact, found {listed(table.names)}"
        )
    names = ("infector", "case") if pair == ("infector", "case") else ("id", "contact")
    columns = {
        to: [_cell(cell) for cell in table.column(found[role])] for role, to in zip(pair, names, strict=True)
    }
    aside = ragged_rows(table, path.name, found[pair[0]])
    return Beside(path.name, columns, table.numbers, aside, notes=_notes(table, path.name))


def visits(path: Path, encoding: str, order: Order | None) -> Beside:
    """Read visits: who was where, and when.

    Raises
    ------
    Unusable
        If a column is missing.
    """
    table = read_table(path, encoding, tolerant=True)
    clocks = clock_columns(table)
    found = roles.required(table, roles.VISITS, path.name, ("id", "place", "start"), clocks)
    when = read_moments(table, path.name, found, clocks, order)
    read = Beside(path.name, {}, table.numbers, ragged_rows(table, path.name, found["id"]))
    for role in ("id", "place"):
        read.columns[role] = [_cell(cell) for cell in table.column(found[role])]
    read.columns |= when.columns
    read.dated, read.notes = when.dated, [*_notes(table, path.name), *when.notes]
    return _without(read, when.wrong, "id")


def controls(path: Path, encoding: str) -> Beside:
    """Read controls: people without the disease.

    Raises
    ------
    Unusable
        If there is no column of ids.
    """
    table = read_table(path, encoding, tolerant=True)
    patterns = roles.CONTROLS | {name: roles.GROUPS[name] for name in ("household", "workplace")}
    found = roles.required(table, patterns, path.name, ("id",))
    return Beside(
        path.name,
        {role: [_cell(c) for c in table.column(name)] for role, name in found.items()},
        table.numbers,
        ragged_rows(table, path.name, found["id"]),
        notes=_notes(table, path.name),
    )


def layer(path: Path, encoding: str, patterns: dict[str, str], axes: tuple[str, str]) -> Beside:
    """Read a layer of the map, with a name or a number at each point; rows without a point are set aside.

    Raises
    ------
    Unusable
        If a column is missing.
    """
    table = read_table(path, encoding, tolerant=True)
    name = next(iter(patterns))
    found = roles.required(table, roles.COORDINATES, path.name, axes)
    found |= roles.find(table, patterns, found.values())
    if name == "site" and name in found and holds_numbers(table, found[name]):
        found[name] = _first_text(table, [found[axis] for axis in axes], path.name, name)
    if name not in found:
        found[name] = _first_text(table, found.values(), path.name, name)
    aside = ragged_rows(table, path.name, found[name])
    names = [_cell(cell) for cell in table.column(found[name])]
    read = Beside(path.name, {name: names}, table.numbers, aside, notes=_notes(table, path.name))
    wrong: dict[int, str] = {}
    for role in (*axes, *(("population",) if name == "population" else ())):
        read.columns[role] = _numbers(table, found[role], wrong)
    for row, value in enumerate(read.columns[name]):
        if value is None:
            wrong.setdefault(row, f"the {name} is missing")
    return _without(read, wrong, name)


def _first_text(table: Table, taken: Iterable[str], file: str, wanted: str) -> str:
    used = set(taken)
    free = [name for name in table.names if name and name not in used]
    text = [name for name in free if not holds_numbers(table, name)]
    if not (text or free):
        raise Unusable(f"{file}: expected a column for {wanted}, found {listed(table.names)}")
    return (text or free)[0]


def _numbers(table: Table, name: str, wrong: dict[int, str]) -> list[float]:
    """Return the numbers of a column, NaN where there is none."""
    numbers = []
    for row, cell in enumerate(table.column(name)):
        try:
            number = float(cell.replace(",", "."))
        except ValueError:
            number = math.nan
        if not abs(number) <= _HIGHEST:  # neither of NaN
            wrong.setdefault(row, f'column "{shown(name)}": expected a number, found "{shown(cell, 40)}"')
        numbers.append(number)
    return numbers


def _notes(table: Table, file: str) -> list[str]:
    return [f"{file}: {note}" for note in table.notes]


def _cell(cell: str) -> str | None:
    return None if is_missing(cell) else id_of(cell)


def _without(read: Beside, wrong: dict[int, str], name: str) -> Beside:
    """Set aside the rows that are wrong, each with its name."""
    names = read.columns[name]
    read.aside += [
        Aside(read.file, read.rows[row], str(names[row] or ""), why) for row, why in sorted(wrong.items())
    ]
    kept = [row for row in range(len(read.rows)) if row not in wrong]
    read.columns = {key: [cells[row] for row in kept] for key, cells in read.columns.items()}
    read.rows = [read.rows[row] for row in kept]
    return read
