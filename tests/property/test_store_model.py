"""The store against a naive model: whatever is written, in whatever batches, both say the same."""

from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import TestCase

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.model.search import parts_of
from broadstreet.store.committer import Committer
from broadstreet.store.entry import NO_ROWS, Draft, Entry, IndexRows
from broadstreet.store.index import Indexer
from broadstreet.store.index.kinds import KINDS
from broadstreet.store.protocol import PositionGone
from broadstreet.store.query import Condition, Dated, Refers, Token
from broadstreet.store.reindex import reindex
from broadstreet.store.transaction import Transaction, Wants
from tests.backends import NO_SERVER, Backend, has, rows_in

TYPE = "fhir/Encounter"
IDS = ["e1", "e2", "e3"]
CODES = ["arrived", "finished"]
PATIENTS = ["Patient/ann", "Patient/ben"]
DAYS = range(6)
(STATUS,), (SUBJECT,), (DATE,) = (
    [part.number for part in parts_of("Encounter", name)] for name in ("status", "subject", "date")
)

CONDITIONS: list[tuple[Condition, ...]] = [
    *[(Token("status", None, code),) for code in CODES],
    *[(Refers("subject", patient),) for patient in PATIENTS],
    *[(Dated("date", "ap", low, low + 2),) for low in range(0, 6, 2)],
    (Token("status", None, CODES[0]), Refers("subject", PATIENTS[0])),
    (Refers("subject", PATIENTS[1]), Dated("date", "ap", 1, 4)),
]


@dataclass(frozen=True)
class Put:
    """Put a version of a resource; without codes and so on it is deleted."""

    id: str
    key: str
    codes: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    span: tuple[int, int] = (0, 1)
    deleted: bool = False

    @property
    def body(self) -> bytes | None:
        return None if self.deleted else repr((self.codes, self.patients, self.span)).encode()

    def rows(self, indexer: Indexer) -> IndexRows:
        if self.deleted:
            return NO_ROWS
        return IndexRows(
            tokens=tuple((STATUS, indexer.hashed(code), 0) for code in self.codes),
            dates=((DATE, 0, *self.span),),
            references=tuple((SUBJECT, indexer.hashed(patient), 0) for patient in self.patients),
        )


@dataclass(frozen=True)
class Append:
    """Append an entry that has no versions."""

    key: str
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """Do several things; take them back if it fails."""

    steps: tuple[Put | Append, ...]
    fails: bool


@dataclass(frozen=True)
class Job:
    """A work: its steps, whether it then fails, and whether it says beforehand what it reads."""

    steps: tuple[Put | Append | Attempt, ...]
    fails: bool
    announces: bool


@dataclass
class Row:
    """A row of the model's log."""

    seq: int
    type: str
    id: str
    version: int
    key: str
    body: bytes | None
    put: Put | None = None


@dataclass
class Model:
    """A log as a list; every question is answered by walking through it."""

    rows: list[Row] = field(default_factory=list)

    def known(self, key: str) -> bool:
        return any(row.key == key for row in self.rows)

    def newest(self, id: str, at: int | None = None) -> Row | None:
        versions = [row for row in self.rows if row.put and row.id == id and (at is None or row.seq <= at)]
        return versions[-1] if versions else None

    def do(self, step: Put | Append | Attempt) -> Any:
        if isinstance(step, Attempt):
            before = len(self.rows)
            done = [self.do(each) for each in step.steps]
            if step.fails:
                del self.rows[before:]
            return done
        if self.known(step.key):
            return None
        seq = len(self.rows) + 1
        if isinstance(step, Append):
            self.rows.append(Row(seq, "t/raw", step.key, 1, step.key, step.body))
            return seq
        held = self.newest(step.id)
        if step.body == (held.body if held else None):
            return None
        self.rows.append(Row(seq, TYPE, step.id, held.version + 1 if held else 1, step.key, step.body, step))
        return seq

    def run(self, job: Job) -> list[Any] | None:
        before = len(self.rows)
        seen = [(self.do(step), self.look()) for step in job.steps]
        if job.fails:
            del self.rows[before:]
            return None
        return seen

    def look(self) -> Any:
        """Return what a work sees: the newest versions, and who has a code."""
        newest = [self.newest(id) for id in IDS]
        here = [row for row in newest if row and row.body is not None]
        return (
            [row.seq if row and row.body is not None else None for row in newest],
            [sorted(row.seq for row in here if row.put and code in row.put.codes) for code in CODES],
        )

    def search(self, conditions: tuple[Condition, ...], at: int) -> list[tuple[int, int]]:
        newest = [self.newest(id, at) for id in IDS]
        found = [row for row in newest if row and row.put and all(_meets(row.put, c) for c in conditions)]
        return sorted((row.seq, row.version) for row in found)


def _meets(put: Put, condition: Condition) -> bool:
    if put.deleted:
        return False
    if isinstance(condition, Token):
        return condition.code in put.codes
    if isinstance(condition, Refers):
        return condition.target in put.patients
    return put.span[0] < condition.high and put.span[1] > condition.low


class Failed(Exception):
    """What a work raises that is meant to fail."""


@dataclass(frozen=True)
class Running:
    """A job as a work for the committer; returns what it did and saw."""

    job: Job
    weight: int = 1
    size: int = 100

    def wants(self) -> Wants:
        if not self.job.announces:
            return Wants()
        return Wants(resources=tuple((TYPE, id) for id in IDS), keys=(("test", "k1"), ("test", "k2")))

    def apply(self, tx: Transaction) -> list[Any]:
        seen = [(self.do(tx, step), self.look(tx)) for step in self.job.steps]
        if self.job.fails:
            raise Failed
        return seen

    def do(self, tx: Transaction, step: Put | Append | Attempt) -> Any:
        if isinstance(step, Append):
            return tx.append(Draft(type="t/raw", id=step.key, body=step.body, source="test", key=step.key))
        if isinstance(step, Put):
            rows = step.rows(tx.indexer)
            return tx.put(
                Draft(type=TYPE, id=step.id, body=step.body, source="test", key=step.key, rows=rows)
            )
        done: list[Any] = []
        try:
            with tx.attempt():
                done += [self.do(tx, each) for each in step.steps]
                if step.fails:
                    raise Failed
        except Failed:
            pass
        return done

    def look(self, tx: Transaction) -> Any:
        newest = [tx.current(TYPE, id) for id in IDS]
        codes = [[entry.seq for entry in tx.find("Encounter", "status", None, code)] for code in CODES]
        return [entry.seq if entry else None for entry in newest], codes


keys = st.sampled_from([f"k{n}" for n in range(40)])
puts = st.builds(
    Put,
    id=st.sampled_from(IDS),
    key=keys,
    codes=st.lists(st.sampled_from(CODES), unique=True).map(tuple),
    patients=st.lists(st.sampled_from(PATIENTS), unique=True).map(tuple),
    span=st.tuples(st.sampled_from(DAYS), st.integers(1, 3)).map(lambda s: (s[0], s[0] + s[1])),
    deleted=st.sampled_from([False, False, False, True]),
)
appends = st.builds(Append, key=keys, body=st.binary(max_size=4))
steps = st.one_of(puts, puts, appends)
attempts = st.builds(Attempt, st.lists(steps, min_size=1, max_size=3).map(tuple), st.booleans())
jobs = st.builds(
    Job,
    st.lists(st.one_of(steps, steps, attempts), min_size=1, max_size=4).map(tuple),
    fails=st.sampled_from([False, False, False, True]),
    announces=st.booleans(),
)


class StoreIsTheModel(RuleBasedStateMachine):
    """Drives a store and the model side by side."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.backend = Backend(self.kind, self.folder)
        self.model, self.purged = Model(), 0
        self.open()

    def open(self) -> None:
        clock = SystemClock()
        self.store = self.backend.open()
        self.committer = Committer(self.store, clock, RandomIds(clock))

    def close(self) -> None:
        self.committer.close()
        self.store.close()

    def teardown(self) -> None:
        self.every_position_reads_as_it_was()
        self.close()
        self.backend.close()
        shutil.rmtree(self.folder)

    @rule(job=jobs)
    def one_commits_alone(self, job: Job) -> None:
        future = self.committer.submit(Running(job))
        self._agree(future, self.model.run(job))

    @rule(many=st.lists(jobs, min_size=2, max_size=6))
    def several_share_a_commit(self, many: list[Job]) -> None:
        before = self.committer.batches
        with self._committer_busy():
            futures = [self.committer.submit(Running(job)) for job in many]
        for future, expected in zip(futures, [self.model.run(job) for job in many], strict=True):
            self._agree(future, expected)
        assert self.committer.batches == before + 1

    @rule()
    def the_hub_starts_again(self) -> None:
        self.close()
        self.open()

    @rule(share=st.floats(0, 1))
    def old_positions_are_purged(self, share: float) -> None:
        position = int(share * len(self.model.rows))
        self.committer.between(lambda writer: writer.purge(position))
        self.purged = max(self.purged, position)

    @precondition(lambda self: self.model.rows)
    @rule()
    def the_index_is_rebuilt(self) -> None:
        before = self._index_rows()
        by_body = {row.body: row.put for row in self.model.rows if row.put}

        def rows_of(entry: Entry) -> IndexRows:
            put = by_body[entry.body]
            assert put is not None
            return put.rows(self.store.indexer)

        assert reindex(self.store, self.committer, rows_of, [TYPE]) == len(self.model.rows)
        after = self._index_rows()
        assert before == {row for row in after if row[-1] > self.purged}, "rebuilt == live"
        self.purged = 0

    @rule()
    def every_position_reads_as_it_was(self) -> None:
        for at in range(len(self.model.rows) + 1):
            if at < self.purged:
                self._is_gone(at)
                continue
            for conditions in CONDITIONS:
                found = self.store.search("Encounter", conditions, at=at).entries
                assert sorted((e.seq, e.version) for e in found) == self.model.search(conditions, at)
            for id in IDS:
                held, entry = self.model.newest(id, at), self.store.current(TYPE, id, at=at)
                assert (entry and entry.body) == (held and held.body)

    @invariant()
    def the_log_is_the_model(self) -> None:
        entries = self.store.entries(0, limit=10_000)
        assert [(e.seq, e.type, e.id, e.version, e.key, e.body) for e in entries] == [
            (r.seq, r.type, r.id, r.version, r.key, r.body) for r in self.model.rows
        ]
        assert self.committer.head == self.store.head() == len(self.model.rows)

    @invariant()
    def the_newest_versions_are_the_models(self) -> None:
        here = [row for id in IDS if (row := self.model.newest(id)) and row.body is not None]
        assert [(e.id, e.version, e.body) for e in self.store.currents(TYPE)] == [
            (row.id, row.version, row.body) for row in here
        ]
        for conditions in CONDITIONS:
            found = self.store.search("Encounter", conditions).entries
            assert sorted((e.seq, e.version) for e in found) == self.model.search(
                conditions, len(self.model.rows)
            )

    def _agree(self, future: Any, expected: list[Any] | None) -> None:
        if expected is None:
            assert isinstance(future.exception(), Failed)
        else:
            assert future.result() == expected

    def _is_gone(self, at: int) -> None:
        with pytest.raises(PositionGone) as gone:
            self.store.search("Encounter", CONDITIONS[0], at=at)
        assert (gone.value.asked, gone.value.oldest) == (at, self.purged)

    def _index_rows(self) -> set[tuple[Any, ...]]:
        rows = set()
        for kind in KINDS:
            columns = [column.name for column in kind.columns if column.name != "until"]
            sql = f"SELECT '{kind.name}', {', '.join(columns)}, until FROM {kind.table}"
            rows |= set(rows_in(self.backend.address(), sql))
        return rows

    def _committer_busy(self) -> _Busy:
        return _Busy(self.committer)


class _Busy:
    """Keeps the committer from committing, so that what is handed in meanwhile shares one commit."""

    def __init__(self, committer: Committer) -> None:
        self.held, self.gate = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=committer.between, args=(self._hold,))

    def _hold(self, _: object) -> None:
        self.held.set()
        self.gate.wait()

    def __enter__(self) -> None:
        self.thread.start()
        self.held.wait()

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self.thread.join()


class SqliteIsTheModel(StoreIsTheModel):
    kind = "sqlite"


class PostgresIsTheModel(StoreIsTheModel):
    kind = "postgres"


def _tested(machine: type[StoreIsTheModel], share: int) -> type[TestCase]:
    case: type[TestCase] = machine.TestCase
    case.settings = settings(  # type: ignore[attr-defined]
        max_examples=settings.default.max_examples // share,  # type: ignore[union-attr]
        stateful_step_count=25,
    )
    return pytest.mark.skipif(not has(machine.kind), reason=NO_SERVER)(case)


TestSqliteIsTheModel = _tested(SqliteIsTheModel, share=2)
TestPostgresIsTheModel = _tested(PostgresIsTheModel, share=4)
