"""From terms to SQL, in the few words in which SQLite and PostgreSQL differ.

A search is one statement: the slices that it begins with are read in the order of their clustered keys and
merged, each row is probed for what else must hold, and reading ends with the page or with the limit.

Probes are subqueries with `LIMIT 1` and compared with null, not `EXISTS`: PostgreSQL would turn those into
joins, whose cost depends on its guess of how many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from broadstreet.store.query.terms import (
    ORDERS,
    All,
    Clause,
    Either,
    Has,
    Match,
    Order,
    Rows,
    Slice,
    Term,
    Value,
    Window,
)
from broadstreet.store.query.visible import (
    And,
    AtMost,
    Eq,
    Everything,
    Nothing,
    OneOf,
    Or,
    Visible,
    labels_in,
)


@dataclass(frozen=True)
class Dialect:
    """The words in which back ends differ."""

    placeholder: str
    """What stands for a value: `?`, or `$` with the value's number."""
    contains: str
    """The function that tells where a text contains another, 0 for nowhere."""
    merges: bool
    """Whether slices that are joined by UNION ALL are read side by side, no further than needed."""
    intersects: bool
    """Whether reading all rows of a second condition costs a small part of as many probes of it."""
    numbers: bool
    """Whether to number the rows that are read costs next to nothing."""
    among: str
    """That a number is among those of one value, `{1,2}`; empty if it takes as many values as numbers."""


SQLITE: Final = Dialect("?", "instr", merges=True, intersects=False, numbers=False, among="")
POSTGRES: Final = Dialect(
    "$", "strpos", merges=False, intersects=True, numbers=True, among="= ANY (CAST(? AS bigint[]))"
)


class Sql(NamedTuple):
    """A piece of a statement, with `?` for each of its values."""

    text: str
    values: tuple[Value, ...] = ()


class Key(NamedTuple):
    """Where in the order of a search a row stands; without a tie, after all rows of its version there."""

    value: Value
    since: int
    tie: Value | None = None
    slice: int = 0


class Stretch(NamedTuple):
    """What is read for a part of a page: candidates after a key, at most so many, until enough are found."""

    visible: Visible
    at: int
    after: Key | None
    most: int
    wanted: int


@lru_cache(maxsize=256)
def written(text: str, placeholder: str) -> str:
    """Return a statement with a back end's placeholder for each of its values."""
    if placeholder == "?":
        return text
    begin, *rest = text.split("?")
    return begin + "".join(f"{placeholder}{number}{piece}" for number, piece in enumerate(rest, 1))


TRUE, FALSE = Sql("1 = 1"), Sql("1 = 0")


def among(numbers: Sequence[int], dialect: Dialect) -> Sql:
    """Return the condition that what stands before it is among numbers."""
    if dialect.among:  # one statement, and so one plan, for however many
        return Sql(dialect.among, (f"{{{','.join(map(str, numbers))}}}",))
    return Sql(f"IN ({', '.join('?' * len(numbers))})", tuple(numbers))


def joined(word: str, pieces: Iterable[Sql], empty: Sql) -> Sql:
    """Join conditions with AND or OR."""
    pieces = list(pieces)
    if len(pieces) <= 1:
        return pieces[0] if pieces else empty
    text = f" {word} ".join(piece.text for piece in pieces)
    return Sql(f"({text})", tuple(value for piece in pieces for value in piece.values))


def candidates(
    drive: Has, others: Sequence[Term], stretch: Stretch, dialect: Dialect = SQLITE, *, by_keys: bool = False
) -> Sql:
    """Return the statement that reads candidates in order, and tells which of them are found.

    Its rows are `(value, since, tie, slice, number, found)`: what was found, and the last one that was read
    where reading ended at `most`. With `by_keys` the drive is read by its keys alone, and whether a version
    holds and may be seen is looked up for those that meet the others.
    """
    inner = stream(drive, None if by_keys else stretch.visible, stretch.after, stretch.most, dialect)
    found = (_tests_by_keys if by_keys else _tests)(drive, others, stretch, dialect)
    text = (
        "SELECT value, since, tie, slice, number, found FROM (SELECT d.value, d.since, d.tie, d.slice,"
        f" row_number() OVER () AS number, CASE WHEN {found.text} THEN 1 ELSE 0 END AS found"
        f" FROM ({inner.text}) d) x WHERE found = 1 OR number = ? LIMIT ?"
    )
    return Sql(text, (*found.values, *inner.values, stretch.most, stretch.wanted))


def found_alone(drive: Has, others: Sequence[Term], stretch: Stretch, dialect: Dialect = SQLITE) -> Sql:
    """Return the statement that reads candidates in order, and tells those alone that are found.

    Its rows are like those of `candidates`, but not numbered: on SQLite numbering costs four times as much as
    passing over a row that may not be seen.
    """
    inner = stream(drive, stretch.visible, stretch.after, stretch.most, dialect)
    found = _tests(drive, others, stretch, dialect)
    text = (
        "SELECT d.value, d.since, d.tie, d.slice, 0 AS number, 1 AS found"
        f" FROM ({inner.text}) d WHERE {found.text} LIMIT ?"
    )
    return Sql(text, (*inner.values, *found.values, stretch.wanted))


def last_read(drive: Has, stretch: Stretch, dialect: Dialect = SQLITE) -> Sql:
    """Return the statement that tells the last row that is read where there are `most`, else nothing."""
    inner = stream(drive, None, stretch.after, stretch.most, dialect)
    text = (
        "SELECT value, since, tie, slice, number, 0 AS found FROM"
        f" (SELECT d.*, row_number() OVER () AS number FROM ({inner.text}) d) x WHERE number = ?"
    )
    return Sql(text, (*inner.values, stretch.most))


def _tests(drive: Has, others: Sequence[Term], stretch: Stretch, dialect: Dialect) -> Sql:
    at, visible = stretch.at, stretch.visible
    tests = [
        Sql("d.fit = 1 AND d.since <= ? AND d.until > ?", (at, at)),
        *([] if isinstance(visible, Everything) else [seen(visible, "d")]),
        *(probe(term, dialect) for term in others),
        *first(drive, dialect),
    ]
    return joined("AND", tests, TRUE)


def _tests_by_keys(drive: Has, others: Sequence[Term], stretch: Stretch, dialect: Dialect) -> Sql:
    tests = [
        Sql("d.fit = 1 AND d.since <= ?", (stretch.at,)),
        *(probe(term, dialect) for term in others),
        still_seen(drive, stretch.visible, stretch.at),
        *first(drive, dialect),
    ]
    return joined("AND", tests, TRUE)


def still_seen(drive: Has, visible: Visible, at: int) -> Sql:
    """Return the condition that a version holds and may be seen, which any row of it tells."""
    label = seen(visible, "p")
    text = (
        f"(SELECT 1 FROM {drive.kind.table} p WHERE p.since = d.since AND p.until > ? AND {label.text}"
        " LIMIT 1) IS NOT NULL"
    )
    return Sql(text, (at, *label.values))


def sample(drive: Has, most: int, dialect: Dialect = SQLITE) -> Sql:
    """Return the statement that counts the first rows of a drive, and tells between which values they lie.

    Where it matters, it tells between which positions as well.
    """
    inner = stream(drive, None, None, most, dialect)
    between = "min(since), max(since)" if dialect.intersects else "0, 0"
    return Sql(f"SELECT count(*), min(value), max(value), {between} FROM ({inner.text}) d", inner.values)


def stream(
    drive: Has, visible: Visible | None, after: Key | None, most: int, dialect: Dialect = SQLITE
) -> Sql:
    """Return the statement that reads the slices of a drive in the order of their keys, up to `most` rows.

    With `visible` they have the labels that it needs, and their end; without, what their key tells alone.
    """
    order = ORDERS[drive.kind]
    labels = [] if visible is None else ["until", *sorted(labels_in(visible))]
    slices = [(rows, slice) for rows in drive.rows for slice in rows.slices]
    pieces = [
        _slice(rows, slice, order, number, labels, after, dialect)
        for number, (rows, slice) in enumerate(slices)
    ]
    if len(pieces) == 1:
        return _limited(pieces[0], order, 3, most)
    if not dialect.merges:
        pieces = [_limited(piece, order, 3, most) for piece in pieces]
        pieces = [Sql(f"SELECT * FROM ({piece.text}) s", piece.values) for piece in pieces]
    text = " UNION ALL ".join(piece.text for piece in pieces)
    return _limited(Sql(text, tuple(value for piece in pieces for value in piece.values)), order, 4, most)


def _limited(rows: Sql, order: Order, columns: int, most: int) -> Sql:
    """Return the first rows by value, since, tie and, of several slices, by slice."""
    direction = "DESC" if order.descending else "ASC"
    by = ", ".join(f"{column} {direction}" for column in range(1, columns + 1))
    return Sql(f"{rows.text} ORDER BY {by} LIMIT ?", (*rows.values, most))


def probe(term: Term, dialect: Dialect = SQLITE) -> Sql:
    """Return the condition that the version `d.since` meets a term."""
    if isinstance(term, Has):
        return joined("OR", [_exists(rows, (), dialect) for rows in term.rows], FALSE)
    if isinstance(term, Window):
        return Sql("d.since BETWEEN ? AND ?", (term.first, term.last))
    if isinstance(term, All):
        return joined("AND", [probe(one, dialect) for one in term.terms], TRUE)
    if isinstance(term, Either):
        return joined("OR", [probe(one, dialect) for one in term.terms], FALSE)
    inner = probe(term.term, dialect)
    return Sql(f"NOT ({inner.text})", inner.values)


def _slice(
    rows: Rows, slice: Slice, order: Order, number: int, labels: Sequence[str], after: Key | None,
    dialect: Dialect,
) -> Sql:  # fmt: skip
    tie = order.tie or "since"
    fit = fit_of(rows, slice, dialect)
    where = [
        *within(slice, dialect),
        *([_beyond(after, order, tie, number)] if after else []),
    ]
    held = joined("AND", where, TRUE)
    text = (
        f"SELECT d.{order.column} AS value, d.since AS since, d.{tie} AS tie, {number} AS slice,"
        f" {fit.text} AS fit{''.join(f', d.{label}' for label in labels)}"
        f" FROM {rows.kind.table} d WHERE {held.text}"
    )
    return Sql(text, (*fit.values, *held.values))


def within(slice: Slice, dialect: Dialect) -> list[Sql]:
    """Return the conditions that a row lies in a slice."""
    fixed = [Sql(f"d.{column} = ?", (value,)) for column, value in slice.fixed]
    return fixed + [_test(test, "d", dialect) for test in slice.bounds]


def _beyond(after: Key, order: Order, tie: str, number: int) -> Sql:
    """Return the condition that a row of a slice stands after a key: within the same row, by slice."""
    sign = "<" if order.descending else ">"
    columns, values = [f"d.{order.column}"], [after.value]
    if order.column != "since":
        columns.append("d.since")
        values.append(after.since)
    if after.tie is not None and tie != "since":
        columns.append(f"d.{tie}")
        values.append(after.tie)
    same = after.tie is not None and (number < after.slice if order.descending else number > after.slice)
    sign += "=" if same else ""
    if len(columns) == 1:
        return Sql(f"{columns[0]} {sign} ?", tuple(values))
    marks = ", ".join("?" * len(columns))
    return Sql(f"({', '.join(columns)}) {sign} ({marks})", tuple(values))


def first(drive: Has, dialect: Dialect) -> list[Sql]:
    """Return the condition that no other row of the version, which would be found as well, stands earlier.

    Where versions are in the order of their positions, their rows lie together and need no such test.
    """
    order = ORDERS[drive.kind]
    if order.column == "since":
        return []
    earlier = Sql(f"p.{order.column} {'>' if order.descending else '<'} d.value")
    found = joined("OR", [_exists(rows, (earlier,), dialect) for rows in drive.rows], FALSE)
    return [Sql(f"NOT {found.text}" if found.text.startswith("(") else f"NOT ({found.text})", found.values)]


def _exists(rows: Rows, more: tuple[Sql, ...], dialect: Dialect) -> Sql:
    where = [
        Sql("p.since = d.since"),
        *(Sql(f"p.{column} = ?", (value,)) for column, value in rows.fixed),
        *(_clause(clause, "p", dialect) for clause in rows.clauses),
        *more,
    ]
    held = joined("AND", where, TRUE)
    return Sql(f"(SELECT 1 FROM {rows.kind.table} p WHERE {held.text} LIMIT 1) IS NOT NULL", held.values)


def fit_of(rows: Rows, slice: Slice, dialect: Dialect) -> Sql:
    """Return 1 for a row that meets the clauses, those left out that the bounds of the slice imply."""
    bounds = {(test,) for test in slice.bounds}
    clauses = [_clause(clause, "d", dialect) for clause in rows.clauses if clause not in bounds]
    held = joined("AND", clauses, TRUE)
    return Sql(f"CASE WHEN {held.text} THEN 1 ELSE 0 END", held.values) if clauses else Sql("1")


def _clause(clause: Clause, alias: str, dialect: Dialect) -> Sql:
    return joined("OR", [_test(test, alias, dialect) for test in clause], FALSE)


def _test(test: Match, alias: str, dialect: Dialect) -> Sql:
    if test.operator == "contains":
        return Sql(f"{dialect.contains}({alias}.{test.column}, ?) > 0", (test.value,))
    return Sql(f"{alias}.{test.column} {test.operator} ?", (test.value,))


def seen(visible: Visible, alias: str) -> Sql:
    """Return the condition that the labels of a row let it be seen."""
    if isinstance(visible, Everything | Nothing):
        return TRUE if isinstance(visible, Everything) else FALSE
    if isinstance(visible, And | Or):
        word, empty = ("AND", TRUE) if isinstance(visible, And) else ("OR", FALSE)
        return joined(word, [seen(part, alias) for part in visible.parts], empty)
    if isinstance(visible, OneOf):
        marks = ", ".join("?" * len(visible.values))
        return Sql(f"{alias}.{visible.label} IN ({marks})", visible.values) if visible.values else FALSE
    assert isinstance(visible, Eq | AtMost)
    sign = "=" if isinstance(visible, Eq) else "<="
    return Sql(f"{alias}.{visible.label} {sign} ?", (visible.value,))
