"""Two conditions at once: the candidates of a drive beside all rows of a second condition.

A probe descends a tree for each candidate, to pages that are far from each other. The rows of one condition
lie together, and each is read at a small part of that, by its key alone. So where few candidates are found,
all rows of the other condition are read, and those kept whose version is among the candidates. Where they lie
in the order of positions, only those are read that lie between the candidates. Where most of them lie in a
zone of positions, as what was recorded on one day does, the candidates in the zone are probed, and no more is
read for the others than the rows outside of it: those within are passed over in the index, at a third of the
cost, and are no more than the zone has positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from broadstreet.store.index.kinds import Kind
from broadstreet.store.query.plan import Whole, Zone
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
from broadstreet.store.query.terms import Has, Slice, Term, by_position

OVERFLOW: Final = 2
"""What `found` is where the second condition has more rows than were to be read."""

_BETWEEN: Final = Sql("d.since BETWEEN (SELECT low FROM b) AND (SELECT high FROM b)")


def intersection(
    drive: Has, whole: Whole, others: Sequence[Term], stretch: Stretch, bound: int, dialect: Dialect
) -> Sql:
    """Return the statement that reads as `candidates` does, with up to `bound` rows of a second condition.

    If that has more, all rows are told as an `OVERFLOW`, and nothing is known of them.
    """
    visible, at, after, most, wanted = stretch
    second, zone = whole
    inner, beside, fit = stream(drive, None, after, most, dialect), *_all_rows(second, zone, bound, dialect)
    tests = [
        Sql("d.fit = 1 AND d.since <= ?", (at,)),
        _met(second, zone, dialect),
        still_seen(drive, visible, at),
        *(probe(term, dialect) for term in others if term is not second),
        *first(drive, dialect),
    ]
    found = joined("AND", tests, TRUE)
    text = (
        f"WITH c AS MATERIALIZED (SELECT * FROM ({inner.text}) d),"
        " b AS MATERIALIZED (SELECT min(since) AS low, max(since) AS high FROM c),"
        " m AS MATERIALIZED (SELECT count(*) AS had, array_agg(d.since)"
        f" FILTER (WHERE CASE WHEN d.since IN (SELECT since FROM c) THEN {fit.text} = 1"
        f" ELSE FALSE END) AS met FROM ({beside.text}) d)"
        " SELECT value, since, tie, slice, number, found FROM (SELECT d.value, d.since, d.tie, d.slice,"
        f" row_number() OVER () AS number, CASE WHEN (SELECT had FROM m) > ? THEN {OVERFLOW}"
        f" WHEN {found.text} THEN 1 ELSE 0 END AS found"
        " FROM c d) x WHERE found <> 0 OR number = ? LIMIT ?"
    )
    read = (*inner.values, *fit.values, *beside.values)
    return Sql(text, (*read, bound, *found.values, most, wanted))


def _met(second: Has, zone: Zone | None, dialect: Dialect) -> Sql:
    met = "d.since IN (SELECT unnest(met) FROM m)"
    if zone is None:
        return Sql(met)
    probed = probe(second, dialect)
    text = f"CASE WHEN d.since BETWEEN ? AND ? THEN {probed.text} ELSE {met} END"
    return Sql(text, (*zone, *probed.values))


def _all_rows(second: Has, zone: Zone | None, bound: int, dialect: Dialect) -> tuple[Sql, Sql]:
    """Return the statement that reads all rows outside of a zone, and what is 1 for those that fit.

    Few are ever asked.
    """
    pieces = [
        (rows, list(alike)) for rows in second.rows for _, alike in groupby(rows.slices, key=_but_the_last)
    ]
    told = sorted({test.column for rows in second.rows for clause in rows.clauses for test in clause})
    columns = [f"d.{column}" for column in told if column != "since"]
    read = [
        _slices(rows.kind, alike, side, [*columns, f"{number} AS piece"], dialect)
        for number, (rows, alike) in enumerate(pieces)
        for side in _sides(rows.kind, zone)
    ]
    text = " UNION ALL ".join(piece.text for piece in read)
    values = tuple(value for piece in read for value in piece.values)
    fits = [fit_of(rows, alike[0], dialect) for rows, alike in pieces]
    return Sql(f"SELECT * FROM ({text}) q LIMIT ?", (*values, bound + 1)), _by_piece(fits)


def _by_piece(fits: Sequence[Sql]) -> Sql:
    if len(set(fits)) == 1:
        return fits[0]
    text = " ".join(f"WHEN {number} THEN {fit.text}" for number, fit in enumerate(fits))
    return Sql(f"CASE d.piece {text} END", tuple(value for fit in fits for value in fit.values))


def _but_the_last(slice: Slice) -> tuple[object, ...]:
    """Return what slices have alike that differ in the value of their last column alone."""
    return slice.fixed[:-1], slice.fixed[-1][0], slice.bounds


def _sides(kind: Kind, zone: Zone | None) -> Sequence[Sql]:
    """Return which positions are read: between the candidates, if rows are ordered so, or off a zone."""
    if by_position(kind):
        return (_BETWEEN,)
    return (Sql("d.since < ?", (zone.first,)), Sql("d.since > ?", (zone.last,))) if zone else (TRUE,)


def _slices(kind: Kind, alike: Sequence[Slice], side: Sql, columns: Sequence[str], dialect: Dialect) -> Sql:
    """Return the statement that reads slices at once, at certain positions."""
    held = joined("AND", [*_within(alike, dialect), side], TRUE)
    return Sql(
        f"SELECT {', '.join(['d.since', *columns])} FROM {kind.table} d WHERE {held.text}", held.values
    )


def _within(alike: Sequence[Slice], dialect: Dialect) -> Iterator[Sql]:
    *fixed, (column, _) = alike[0].fixed
    yield from within(Slice(tuple(fixed), alike[0].bounds), dialect)
    values = tuple(slice.fixed[-1][1] for slice in alike)
    yield Sql(f"d.{column} IN ({', '.join('?' * len(values))})", values)
