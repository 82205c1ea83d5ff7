"""One search: its conditions compiled, its position fixed, and read in order until the page is full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import Any, Final, Protocol

from broadstreet.model.search import parameters_of
from broadstreet.store.entry import Entry
from broadstreet.store.index import Indexer
from broadstreet.store.query import pages
from broadstreet.store.query.compiling import Compiler, terms_of
from broadstreet.store.query.conditions import AnyOf, Condition, Not, require_sound
from broadstreet.store.query.intersecting import OVERFLOW, intersection
from broadstreet.store.query.pages import Page
from broadstreet.store.query.plan import MOST_READ, Chosen, Estimate, Plan, Whole, choose
from broadstreet.store.query.results import TooBroad
from broadstreet.store.query.sql import (
    Dialect,
    Key,
    Sql,
    Stretch,
    among,
    candidates,
    found_alone,
    last_read,
    written,
)
from broadstreet.store.query.terms import Either, Term
from broadstreet.store.query.visible import Visible

MOST_EXAMINED: Final = 2_000
"""Rows that are examined for one page: a few milliseconds."""
_FIRST_CHUNK, _GROWTH, _LARGE_CHUNK = 64, 4, 2_048
_FEW: Final = 128
"""So many candidates are probed without a look at another way."""
_GOOD_ADVICE: Final = ("identifier", "patient", "subject", "encounter", "code", "family", "date", "status")
ENTRY: Final = (
    "e.seq, e.at, e.type, e.id, e.version, e.subject, e.actor, e.source, e.key, e.cause, e.seal, e.body"
)


class Backend(Protocol):
    """What a back end does for a search."""

    indexer: Indexer
    """What turns resources and conditions into index rows."""

    dialect: Dialect
    """The words of its SQL."""

    def run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement in its own words."""
        ...

    def searchable(self) -> int:
        """Return the position up to which the log can be searched: how far its index has come."""
        ...

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        ...

    def require_readable(self, at: int | None) -> None:
        """Refuse a position whose superseded rows are purged, and an index that is not whole.

        Raises
        ------
        PositionGone
            If the position is older than the last purge.
        StoreError
            If the index is being rebuilt.
        """
        ...


class Search:
    """One search: its conditions compiled, its position fixed, its drive chosen."""

    def __init__(
        self, backend: Backend, type: str, conditions: Sequence[Condition], visible: Visible,
        at: int | None, page: str | None,
    ) -> None:  # fmt: skip
        require_sound(conditions)
        parameters_of(type)  # an unknown type is refused
        self.backend, self.type, self.visible = backend, type, visible
        self.conditions = tuple(conditions)
        self.fingerprint = pages.fingerprint(type, self.conditions, visible)
        begun = pages.read(page, self.fingerprint, backend.indexer) if page is not None else None
        self.asked = at if begun is None else begun.at
        self.at = _position(backend.searchable(), at, begun)
        self.after = begun.key if begun else None
        compiler = Compiler(type, backend.indexer, self, self.at)
        terms = terms_of(compiler, conditions)
        self.never = any(isinstance(term, Either) and not term.terms for term in terms)
        self.chosen = self._choose(terms, compiler, begun.drive if begun else None)

    def _choose(self, terms: list[Term], compiler: Compiler, number: int | None) -> Chosen:
        if self.never:
            every = compiler.every()
            return Chosen(0, every, tuple(terms), {id(every): Estimate(0, exact=True)})
        return choose(terms, compiler.every(), self.at, self._run, self.backend.dialect, number)

    def read(self, limit: int, most: int) -> tuple[list[int], Key | None, int]:
        """Return the seqs of a page, after which key the next begins (None: there is none), and the cost."""
        found: list[Key] = []
        reached, examined = self.after, 0
        for rows, chunk in self._chunks(most, limit + 2):
            for value, since, tie, slice, number, is_found in rows:
                reached = self.after = Key(value, since, tie, slice)
                if is_found and (not found or found[-1].since != since):
                    found.append(Key(value, since))
                if len(found) > limit:
                    return [key.since for key in found[:limit]], found[limit - 1], examined + number
            read = rows[-1][4] if rows else 0
            examined += read
            if len(rows) < limit + 2 and read < chunk:
                return [key.since for key in found], None, examined
        return [key.since for key in found], None if self.never else reached, examined

    def _chunks(self, most: int, wanted: int) -> Iterator[tuple[list[Any], int]]:
        """Read on from `after`, more with each statement."""
        second = self._at_once(wanted)
        first = max(_FIRST_CHUNK, wanted) if second is None else _LARGE_CHUNK
        chunk = min(first, most) if self.backend.dialect.numbers else most
        examined = found = 0
        while chunk and not self.never:
            rows = self._some(chunk, wanted, second)
            yield rows, chunk
            examined += rows[-1][4] or len(rows)
            found += sum(row[5] for row in rows)
            second = self._second(min(_needed(wanted - found, examined, found), most - examined))
            chunk = min(chunk * _GROWTH if second is None else _LARGE_CHUNK, most - examined)

    def _at_once(self, wanted: int) -> Whole | None:
        intersects = self.backend.dialect.intersects and not self.never
        return self.chosen.at_once(wanted, _LARGE_CHUNK, self.at) if intersects else None

    def _second(self, candidates: int) -> Whole | None:
        """Return the condition whose rows are all read at less cost than so many probes, if there is one."""
        if not self.backend.dialect.intersects or candidates < _FEW:
            return None
        self.chosen = self.chosen.estimated(self._run, self.backend.dialect)
        return self.chosen.second(min(candidates, _LARGE_CHUNK), _LARGE_CHUNK, self.at)

    def _some(self, chunk: int, wanted: int, second: Whole | None) -> list[Any]:
        """Read the next candidates and which of them are found, by all rows of a second condition if told."""
        stretch = Stretch(self.visible, self.at, self.after, chunk, wanted)
        drive, others, dialect = self.chosen.drive, self.chosen.others, self.backend.dialect
        if second is not None:
            rows = self._run(intersection(drive, second, others, stretch, MOST_READ, dialect))
            if not rows or rows[0][5] != OVERFLOW:
                return rows
        if dialect.numbers:
            return self._run(candidates(drive, others, stretch, dialect, by_keys=bool(others)))
        rows = self._run(found_alone(drive, others, stretch, dialect))
        if len(rows) < wanted:  # all were read: where does the next page begin?
            rows += self._run(last_read(drive, stretch, dialect))
        return rows

    def entries(self, seqs: Sequence[int]) -> list[Entry]:
        """Return the entries with these seqs, in their order."""
        if not seqs:
            return []
        held = among(seqs, self.backend.dialect)
        rows = self._run(Sql(f"SELECT {ENTRY} FROM entry e WHERE e.seq {held.text}", held.values))
        found = {row[0]: Entry(*row) for row in rows}
        return [found[seq] for seq in seqs]

    def seq_at(self, at: int) -> int:
        """Return the newest seq that was committed at or before an instant in microseconds, or 0."""
        return self.backend.seq_at(at)

    def versions(self, type: str, ids: Sequence[str], at: int) -> list[int]:
        """Return the seqs of the newest entries of these resources at a position."""
        sql = "SELECT max(e.seq) FROM entry e WHERE e.id = ? AND e.type = ? AND e.seq <= ?"
        found = [self._run(Sql(sql, (id, f"fhir/{type}", at)))[0][0] for id in ids]
        return [seq for seq in found if seq is not None]

    def token(self, key: Key) -> str:
        """Return the token of the page that begins after a key."""
        return pages.write(Page(self.at, self.chosen.number, key), self.fingerprint, self.backend.indexer)

    def too_broad(self, reached: Key, examined: int) -> TooBroad:
        """Say what was searched in vain, and which condition would help."""
        used = {name for condition in self.conditions for name in _names(condition)}
        known = parameters_of(self.type)
        advice = [name for name in _GOOD_ADVICE if name in known and name not in used][:3]
        return TooBroad(
            f"{examined:,} rows were examined and nothing was found: add a condition that fewer"
            f" {self.type} resources meet, such as one on {' or '.join(advice) or 'another parameter'}",
            examined,
            self.token(reached),
        )

    def plan(self) -> Plan:
        """Return how it is done, for people."""
        return self.chosen.told(self.type, self.at, MOST_EXAMINED, self.backend.dialect)

    def _run(self, statement: Sql) -> list[Any]:
        return self.backend.run(written(statement.text, self.backend.dialect.placeholder), statement.values)


def _needed(wanted: int, examined: int, found: int) -> int:
    """Return about how many candidates more must be read to find so many.

    The pace so far is that of a few: it is taken to be as slow as it may well be, by one standard deviation.
    """
    return max(wanted, 0) * examined // max(found - isqrt(found), 1)


def _names(condition: Condition) -> Iterator[str]:
    if isinstance(condition, Not):
        yield from _names(condition.condition)
    elif isinstance(condition, AnyOf):
        for one in condition.conditions:
            yield from _names(one)
    else:
        yield condition.parameter


def _position(newest: int, at: int | None, page: Page | None) -> int:
    position = at if at is not None else page.at if page else newest
    if page is not None and position != page.at:
        raise ValueError(
            f"the page token is of position {page.at}, not of {position}: leave the position out"
        )
    if not 0 <= position <= newest:
        raise ValueError(f"a position is 0 to {newest}, the newest that is indexed (is {position})")
    return position
