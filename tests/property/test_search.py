"""Whatever is kept, asked and written meanwhile: a search finds what a look at every resource finds."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.model.search import span
from broadstreet.store.committer import Committer
from broadstreet.store.entry import NO_ROWS, Draft
from broadstreet.store.protocol import Store
from broadstreet.store.query import (
    ANY,
    AnyOf,
    Composite,
    Condition,
    Dated,
    Missing,
    Not,
    Number,
    Quantity,
    Refers,
    Text,
    Token,
    TooBroad,
    Uri,
    plan,
    search,
)
from broadstreet.store.query import reading as reading_module
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.transaction import Transaction, Wants
from tests.backends import NO_SERVER, Backend, has, rows_in

from . import search_oracle as oracle

START = datetime(2026, 1, 5, tzinfo=UTC)
UCUM = "http://unitsofmeasure.org"
SYSTEMS = [None, "http://loinc.org", "urn:local"]
CODES = ["a", "b"]
PREFIXES = ["eq", "ne", "lt", "gt", "le", "ge", "sa", "eb", "ap"]
DATES = [
    "2026",
    "2026-01",
    "2026-01-05",
    "2026-01-06",
    "2026-01-05T10:00:00Z",
    "2026-01-05T10:00:00.5+09:00",
    "2027",
]
NUMBERS = ["38", "38.0", "38.5", "101.3", "-1", "0", "0.80", "1E2"]
UNITS = [
    (UCUM, "Cel"),
    (UCUM, "[degF]"),
    (UCUM, "mg"),
    (None, None),
    ("urn:local", "tablets"),
    (None, "tablets"),
]
NAMES = ["김", "김철수", "Müller", "Muller", "mul", "Ångström"]
URIS = ["http://x.org/a", "http://x.org/a/b", "http://x.org/ab", "http://x.org/a/b|2", "urn:oid:1.2"]
PEOPLE = ["Patient/ann", "Patient/ben", "Group/g", "https://x.org/fhir/Patient/ann", "Patient/ann/_history/2"]
MEMORY = Path("/dev/shm")  # nothing here asks for durability, and disks are slow
IDS = ["r1", "r2", "r3", "r4"]

Opening = Callable[[], AbstractContextManager[Store]]
some = st.sampled_from


def few(values: Any, most: int = 2) -> Any:
    return st.lists(values, max_size=most)


def without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    lists = {name: [one for one in value if one] for name, value in found.items() if isinstance(value, list)}
    return {name: value for name, value in (found | lists).items() if value not in (None, [], {})}


def element(**parts: Any) -> Any:
    return st.fixed_dictionaries(parts).map(without_nothing)


def chance(values: Any) -> Any:
    return st.one_of(st.none(), values)


codings = element(system=some(SYSTEMS), code=some(CODES))
concepts = element(coding=few(codings), text=chance(some(NAMES)))
quantities = st.builds(
    lambda value, unit, comparator: without_nothing(
        {"value": msgspec.Raw(value.encode()), "system": unit[0], "code": unit[1], "comparator": comparator}
    ),
    some(NUMBERS),
    some(UNITS),
    some([None, None, None, "<", ">="]),
)
periods = element(start=chance(some(DATES)), end=chance(some(DATES)))
observations = element(
    resourceType=st.just("Observation"),
    status=some(["final", "preliminary"]),
    meta=element(tag=few(codings), profile=few(some(URIS))),
    code=concepts.map(lambda found: found or {"text": "x"}),
    subject=chance(element(reference=some(PEOPLE))),
    effectiveDateTime=chance(some(DATES)),
    valueQuantity=chance(quantities),
    component=few(element(code=codings.map(lambda c: {"coding": [c]}), valueQuantity=chance(quantities))),
)
visits = element(
    resourceType=st.just("Encounter"),
    status=some(["finished", "in-progress"]),
    **{"class": st.just({"code": "EMER"})},
    period=chance(periods),
    subject=chance(
        element(reference=some(PEOPLE), identifier=chance(element(system=some(SYSTEMS), value=some(CODES))))
    ),
)
patients = element(
    resourceType=st.just("Patient"),
    identifier=few(element(system=some(SYSTEMS), value=some(CODES))),
    name=few(element(family=chance(some(NAMES)), given=few(some(NAMES)), text=chance(some(NAMES)))),
    birthDate=chance(some(DATES[:4])),
    generalPractitioner=few(element(reference=some(["Practitioner/p", "Organization/o"]))),
)
assessments = element(
    resourceType=st.just("RiskAssessment"),
    status=st.just("final"),
    subject=st.just({"display": "x"}),
    prediction=few(
        element(probabilityDecimal=some(["0.1", "0.80", "0.5"]).map(lambda n: msgspec.Raw(n.encode())))
    ),
)
value_sets = element(resourceType=st.just("ValueSet"), status=st.just("draft"), url=chance(some(URIS)))
BODIES = {
    "Observation": observations,
    "Encounter": visits,
    "Patient": patients,
    "RiskAssessment": assessments,
    "ValueSet": value_sets,
}


def tokens(*names: str) -> Any:
    return st.builds(Token, some(names), some([*SYSTEMS, ANY]), some([*CODES, "final", "finished"]))


def dated(*names: str) -> Any:
    return st.builds(
        lambda name, prefix, term: Dated(name, prefix, *span(term)), some(names), some(PREFIXES), some(DATES)
    )


amounts = st.builds(
    lambda p, n, unit: Quantity("", p, Decimal(n), *unit), some(PREFIXES), some(NUMBERS), some(UNITS)
)
of_system = st.builds(Token, some(["code"]), some(SYSTEMS[1:]), st.none())
COMPOSITES = ["component-code-value-quantity", "code-value-quantity", "combo-code-value-quantity"]
MEASURED = ["value-quantity", "component-value-quantity", "combo-value-quantity"]
OPTIONAL = ["code", "subject", "date", "value-quantity", "patient", "_tag", "_id"]
CHANCES = [Decimal(text) for text in ("0.1", "0.10", "0.8", "0.5", "0.45")]
component_pairs = st.tuples(tokens("code"), amounts)
SIMPLE: dict[str, Any] = {
    "Observation": st.one_of(
        tokens("code", "status", "_tag", "combo-code"),
        of_system,
        dated("date", "_lastUpdated"),
        st.builds(Refers, some(["subject", "patient"]), some([*PEOPLE[:4], "ann"])),
        st.builds(lambda name, q: replace(q, parameter=name), some(MEASURED), amounts),
        st.builds(Composite, some(COMPOSITES), component_pairs),
        st.builds(Uri, some(["_profile"]), some(URIS), some(["exact", "below", "above"])),
        st.builds(Missing, some(OPTIONAL), st.booleans()),
        st.builds(Token, st.just("_id"), st.just(ANY), some(IDS)),
    ),
    "Encounter": st.one_of(
        dated("date", "_lastUpdated"),
        tokens("status", "subject"),
        st.builds(Refers, some(["subject", "patient"]), some(PEOPLE[:4])),
        st.builds(Missing, some(["date", "patient", "subject"]), st.booleans()),
    ),
    "Patient": st.one_of(
        tokens("identifier"),
        dated("birthdate"),
        st.builds(
            Text, some(["name", "family", "given"]), some(NAMES), some(["prefix", "exact", "contains"])
        ),
        st.builds(Refers, st.just("general-practitioner"), some(["Practitioner/p", "o"])),
        st.builds(Missing, some(["name", "birthdate", "family"]), st.booleans()),
    ),
    "RiskAssessment": st.builds(Number, st.just("probability"), some(PREFIXES), some(CHANCES)),
    "ValueSet": st.builds(Uri, st.just("url"), some(URIS), some(["exact", "below", "above"])),
}


def conditions_on(type: str) -> Any:
    simple = SIMPLE[type]
    lists = st.builds(lambda found: AnyOf(tuple(found)), st.lists(simple, min_size=1, max_size=3))
    either = st.one_of(simple, simple, lists)
    return st.lists(st.one_of(either, either, st.builds(Not, either)), max_size=3).map(tuple)


@dataclass(frozen=True)
class Change:
    """A resource put or, without a body, deleted."""

    type: str
    id: str
    body: bytes | None


def changes_of(type: str) -> Any:
    bodies = BODIES[type].map(msgspec.json.encode)
    return st.builds(Change, st.just(type), some(IDS), st.one_of(bodies, bodies, bodies, st.none()))


@dataclass(frozen=True)
class Apply:
    """The work of making changes."""

    changes: tuple[Change, ...]
    weight: int = 1
    size: int = 1

    def wants(self) -> Wants:
        return Wants()

    def apply(self, tx: Transaction) -> None:
        for change in self.changes:
            rows = NO_ROWS if change.body is None else tx.indexer.rows(fhir.decode(change.body))
            tx.put(
                Draft(
                    type=f"fhir/{change.type}",
                    id=change.id,
                    body=change.body,
                    source="t",
                    key=tx.new_id(),
                    rows=rows,
                )
            )


@contextmanager
def on_a_file() -> Iterator[Store]:
    """Yield an empty store in a file of its own."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        store = SqliteStore(Path(folder) / "log.db")
        yield store
        store.close()


@pytest.fixture(scope="module")
def on_a_server() -> Iterator[Opening]:
    """Yield what opens an empty store on a server: in one schema, for it takes long to make one."""
    if not has("postgres"):
        pytest.skip(NO_SERVER)
    server = Backend("postgres", Path())
    kept = server.open()
    names = [table.name for table in kept.tables() if table.name not in ("meta", "lease")]  # type: ignore[attr-defined]
    kept.close()

    @contextmanager
    def opened() -> Iterator[Store]:
        rows_in(server.address(), f"TRUNCATE {', '.join(names)}; DELETE FROM meta WHERE name = 'purged'")
        store = server.open()
        yield store
        store.close()

    yield opened
    server.close()


@contextmanager
def kept(opening: Opening, changes: list[Change]) -> Iterator[tuple[Store, Committer]]:
    """Yield a store with these changes, in up to three commits, each a second after the one before."""
    clock = DrivenClock(START)
    with opening() as store:
        committer = Committer(store, clock, SeededIds(clock, 1))
        try:
            for number in range(3):
                clock.advance(START + timedelta(seconds=number))
                committer.commit(Apply(tuple(changes[number::3])))
            yield store, committer
        finally:
            committer.close()


def pages(
    store: Store,
    type: str,
    conditions: tuple[Condition, ...],
    at: int | None,
    limits: list[int],
    meanwhile: Any,
) -> list[int]:
    """Read page after page, each of another size; return the seqs in the order in which they came."""
    seqs: list[int] = []
    page = None
    for limit in itertools.islice(itertools.cycle(limits), 500):
        try:
            found = store.search(type, conditions, at=at if page is None else None, page=page, limit=limit)
            seqs += [entry.seq for entry in found.entries]
            page = found.next
        except TooBroad as stopped:
            page = stopped.next
        if page is None:
            return seqs
        next(meanwhile, int)()
    raise AssertionError("the pages do not end")


cases = some(["Observation", "Observation", "Patient", *BODIES]).flatmap(
    lambda type: st.tuples(
        st.just(type),
        st.lists(changes_of(type), min_size=1, max_size=12),
        st.lists(
            st.tuples(conditions_on(type), st.one_of(st.none(), st.floats(0, 1))), min_size=1, max_size=12
        ),
        changes_of(type),
    )
)


drawn = {
    "case": cases,
    "limits": st.lists(st.integers(1, 3), min_size=1, max_size=3),
    "most": st.integers(4, 12),
    "few": some([0, 64]),
    "read": some([1, plan.MOST_READ]),  # of a second condition on PostgreSQL, if it has no more
    "zone": some([None, None, plan.Zone(0, 0), plan.Zone(3, 7), plan.Zone(0, 99)]),  # where it is said to lie
}


@settings(deadline=None, max_examples=settings.default.max_examples * 3)  # type: ignore[union-attr]
@given(**drawn)
def test_a_search_finds_what_a_look_at_every_resource_finds(
    case: Any, limits: list[int], most: int, few: int, read: int, zone: plan.Zone | None
) -> None:
    require_what_a_look_finds(on_a_file, case, limits, most, few, read, zone)


@settings(
    deadline=None,
    max_examples=settings.default.max_examples // 2,  # type: ignore[union-attr]  # each empties a schema
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(**drawn)
def test_so_it_does_on_postgresql(
    on_a_server: Opening, case: Any, limits: list[int], most: int, few: int, read: int, zone: plan.Zone | None
) -> None:
    require_what_a_look_finds(on_a_server, case, limits, most, few, read, zone)


def require_what_a_look_finds(
    opening: Opening, case: Any, limits: list[int], most: int, few: int, read: int, zone: plan.Zone | None
) -> None:
    type, changes, searches, later = case
    with (
        kept(opening, changes) as (store, committer),
        mock.patch.object(search, "_FIRST_CHUNK", 1),
        mock.patch.object(search, "_FEW", 0),
        mock.patch.object(search, "MOST_READ", read),
        mock.patch.object(reading_module, "MOST_EXAMINED", most),
        mock.patch.object(plan, "FEW", few),
        mock.patch.object(plan.Chosen, "_zone", return_value=zone),
    ):
        later_on = iter([lambda: committer.commit(Apply((later,)))])
        for conditions, share in searches:
            log = store.entries(0)
            at = len(log) if share is None else int(share * len(log))
            seqs = pages(store, type, conditions, None if share is None else at, limits, later_on)
            assert set(seqs) == oracle.found(log, type, conditions, at), conditions
            assert len(seqs) == len(set(seqs)), "each resource once"
            assert store.count_found(type, conditions, at=at).number == len(seqs)
            assert str(store.explain(type, conditions, at=at))
