"""Two conditions at once: the candidates of a drive beside all rows of a second condition.

A probe descends a tree for each candidate, to pages that are far from each other. The rows of one condition
lie together, and each is read at a twentieth of that, by its key alone. So where few candidates are found,
all rows of the other condition are read, and those kept whose version is among the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broadstreet.store.query.sql import (
    TRUE,
    Dialect,
    Sql,
    Stretch,
    first,
    fit_of,
    joined,
    probe,
    seen,
    stream,
    within,
)
from broadstreet.store.query.terms import Has, Rows, Slice, Term
from broadstreet.store.query.visible import Visible

OVERFLOW: Final = 2
"""What `found` is where the second condition has more rows than were to be read."""


def intersection(
    drive: Has, second: Has, others: Sequence[Term], stretch: Stretch, bound: int, dialect: Dialect
) -> Sql:
    """Return the statement that reads as `candidates` does, with up to `bound` rows of a second condition.

    If that has more, all rows are told as an `OVERFLOW`, and nothing is known of them.
    """
    visible, at, after, most, wanted = stretch
    inner, beside = stream(drive, None, after, most, dialect), _all_rows(second, bound, dialect)
    tests = [
        Sql("d.fit = 1 AND d.since <= ? AND d.since IN (SELECT unnest(met) FROM m)", (at,)),
        _still_seen(drive, visible, at),
        *(probe(term, dialect) for term in others if term is not second),
        *first(drive, dialect),
    ]
    found = joined("AND", tests, TRUE)
    text = (
        f"WITH c AS MATERIALIZED (SELECT d.*, row_number() OVER () AS number FROM ({inner.text}) d),"
        " m AS MATERIALIZED (SELECT count(*) AS had, array_agg(p.since)"
        " FILTER (WHERE p.fit = 1 AND p.since IN (SELECT since FROM c)) AS met"
        f" FROM ({beside.text}) p)"
        " SELECT value, since, tie, slice, number, found FROM (SELECT d.value, d.since, d.tie, d.slice,"
        f" d.number, CASE WHEN (SELECT had FROM m) > ? THEN {OVERFLOW}"
        f" WHEN {found.text} THEN 1 ELSE 0 END AS found"
        " FROM c d) x WHERE found <> 0 OR number = ? LIMIT ?"
    )
    return Sql(text, (*inner.values, *beside.values, bound, *found.values, most, wanted))


def _all_rows(second: Has, bound: int, dialect: Dialect) -> Sql:
    pieces = [_slice(rows, slice, dialect) for rows in second.rows for slice in rows.slices]
    text = " UNION ALL ".join(piece.text for piece in pieces)
    values = tuple(value for piece in pieces for value in piece.values)
    return Sql(f"SELECT * FROM ({text}) q LIMIT ?", (*values, bound + 1))


def _slice(rows: Rows, slice: Slice, dialect: Dialect) -> Sql:
    fit = fit_of(rows, slice, dialect)
    held = joined("AND", within(slice, dialect), TRUE)
    text = f"SELECT d.since AS since, {fit.text} AS fit FROM {rows.kind.table} d WHERE {held.text}"
    return Sql(text, (*fit.values, *held.values))


def _still_seen(drive: Has, visible: Visible, at: int) -> Sql:
    """Return the condition that a version holds and may be seen, which any row of it tells."""
    label = seen(visible, "p")
    text = (
        f"(SELECT 1 FROM {drive.kind.table} p WHERE p.since = d.since AND p.until > ? AND {label.text}"
        " LIMIT 1) IS NOT NULL"
    )
    return Sql(text, (at, *label.values))
