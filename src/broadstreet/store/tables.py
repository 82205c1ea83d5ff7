"""Tables of followers, and the few changes that may be made to them, told for any back end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
Kind = Literal["integer", "real", "text", "blob"]


@dataclass(frozen=True)
class Table:
    """A table that one follower owns: its columns, its primary key, its further indexes.

    One that `remembers` has for a while how what is gone came and went: once bodies are erased, nothing tells
    it again.
    """

    name: str
    columns: Mapping[str, Kind]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    remembers: bool = False

    def __post_init__(self) -> None:
        for column in (*self.key, *(c for index in self.indexes for c in index)):
            if column not in self.columns:
                raise ValueError(f"table {self.name} has no column {column} (has {', '.join(self.columns)})")


@dataclass(frozen=True)
class Upsert:
    """Write whole rows; a row with the same key is replaced."""

    table: Table
    rows: Sequence[Row]


@dataclass(frozen=True)
class Increment:
    """Add the numbers of each row to the row with the same key; columns in `replace` are set instead."""

    table: Table
    rows: Sequence[Row]
    replace: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delete:
    """Remove the rows with these keys."""

    table: Table
    keys: Sequence[Row]


@dataclass(frozen=True)
class Clear:
    """Make the table anew, without rows, in the columns that it has now."""

    table: Table


Change = Upsert | Increment | Delete | Clear


@dataclass(frozen=True)
class Between:
    """A condition on a column: `low <= column <= high`."""

    low: Value
    high: Value


@dataclass(frozen=True)
class OneOf:
    """A condition on a column: it holds one of these values."""

    values: Sequence[Value]


Condition = int | float | str | bytes | Between | OneOf


class TableReader(Protocol):
    """What a follower may read: its own tables, as they were committed."""

    def select(
        self,
        table: Table,
        where: Mapping[str, Condition] = {},
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Return the rows that meet every condition, all columns in the table's order."""
        ...


def merged(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the same effect in fewer pieces, no key twice in one of them.

    Changes of different tables do not touch each other; those of one table keep their order.
    """
    pieces: dict[str, list[_Piece]] = {}
    for change in changes:
        of_table = pieces.setdefault(change.table.name, [])
        if not of_table or not of_table[-1].takes(change):
            of_table.append(_Piece(change))
        of_table[-1].add(change)
    return [piece.change() for of_table in pieces.values() for piece in of_table]


class _Piece:
    """A run of changes of one kind to one table."""

    def __init__(self, first: Change) -> None:
        self.first = first
        self.rows: dict[Row, Row] = {}

    def takes(self, change: Change) -> bool:
        return type(change) is type(self.first) and getattr(change, "replace", ()) == getattr(
            self.first, "replace", ()
        )

    def add(self, change: Change) -> None:
        if isinstance(change, Clear):
            return
        if isinstance(change, Delete):
            self.rows.update((key, key) for key in change.keys)
            return
        width = len(change.table.columns)
        if (wrong := next((row for row in change.rows if len(row) != width), None)) is not None:
            raise ValueError(f"a row of table {change.table.name} has {width} values (got {len(wrong)})")
        places = [list(change.table.columns).index(name) for name in change.table.key]
        for row in change.rows:
            key = tuple(row[place] for place in places)
            held = self.rows.get(key)
            self.rows[key] = row if held is None or isinstance(change, Upsert) else _added(change, held, row)

    def change(self) -> Change:
        rows = list(self.rows.values())
        if isinstance(self.first, Clear):
            return self.first
        if isinstance(self.first, Delete):
            return replace(self.first, keys=rows)
        return replace(self.first, rows=rows)


def _added(change: Increment, held: Row, row: Row) -> Row:
    kept = {*change.table.key, *change.replace}
    return tuple(
        new if name in kept else old + new  # type: ignore[operator]
        for name, old, new in zip(change.table.columns, held, row, strict=True)
    )
