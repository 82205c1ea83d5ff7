"""Two conditions at once: the candidates of a drive beside all rows of a second condition.

A probe descends a tree for each candidate, to pages that are far from each other. The rows of one condition
lie together, and each is read at a small part of that, by its key alone. So where few candidates are found,
all rows of the other condition are read, and those kept whose version is among the candidates. Where they lie
in the order of positions, only those are read that lie between the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
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
    still_seen,
    stream,
    within,
)
from broadstreet.store.query.terms import Has, Rows, Slice, Term, by_position

OVERFLOW: Final = 2
"""What `found` is where the second condition has more rows than were to be read."""

_BETWEEN: Final = Sql("d.since BETWEEN (SELECT low FROM b) AND (SELECT high FROM b)")


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
        still_seen(drive, visible, at),
        *(probe(term, dialect) for term in others if term is not second),
        *first(drive, dialect),
    ]
    found = joined("AND", tests, TRUE)
    text = (
        f"WITH c AS MATERIALIZED (SELECT * FROM ({inner.text}) d),"
        " b AS MATERIALIZED (SELECT min(since) AS low, max(since) AS high FROM c),"
        " m AS MATERIALIZED (SELECT count(*) AS had, array_agg(p.since)"
        " FILTER (WHERE CASE WHEN p.since IN (SELECT since FROM c) THEN p.fit = 1 ELSE FALSE END) AS met"
        f" FROM ({beside.text}) p)"
        " SELECT value, since, tie, slice, number, found FROM (SELECT d.value, d.since, d.tie, d.slice,"
        f" row_number() OVER () AS number, CASE WHEN (SELECT had FROM m) > ? THEN {OVERFLOW}"
        f" WHEN {found.text} THEN 1 ELSE 0 END AS found"
        " FROM c d) x WHERE found <> 0 OR number = ? LIMIT ?"
    )
    return Sql(text, (*inner.values, *beside.values, bound, *found.values, most, wanted))


def _all_rows(second: Has, bound: int, dialect: Dialect) -> Sql:
    pieces = [
        _slices(rows, list(alike), by_position(second.kind), dialect)
        for rows in second.rows
        for _, alike in groupby(rows.slices, key=_but_the_last)
    ]
    text = " UNION ALL ".join(piece.text for piece in pieces)
    values = tuple(value for piece in pieces for value in piece.values)
    return Sql(f"SELECT * FROM ({text}) q LIMIT ?", (*values, bound + 1))


def _but_the_last(slice: Slice) -> tuple[object, ...]:
    """Return what slices have alike that differ in the value of their last column alone."""
    return slice.fixed[:-1], slice.fixed[-1][0], slice.bounds


def _slices(rows: Rows, alike: Sequence[Slice], ordered: bool, dialect: Dialect) -> Sql:
    """Return the statement that reads slices at once, those between the candidates if they are ordered so."""
    fit = fit_of(rows, alike[0], dialect)
    held = joined("AND", [*_within(alike, dialect), *([_BETWEEN] if ordered else [])], TRUE)
    text = f"SELECT d.since AS since, {fit.text} AS fit FROM {rows.kind.table} d WHERE {held.text}"
    return Sql(text, (*fit.values, *held.values))


def _within(alike: Sequence[Slice], dialect: Dialect) -> Iterator[Sql]:
    *fixed, (column, _) = alike[0].fixed
    yield from within(Slice(tuple(fixed), alike[0].bounds), dialect)
    values = tuple(slice.fixed[-1][1] for slice in alike)
    yield Sql(f"d.{column} IN ({', '.join('?' * len(values))})", values)
