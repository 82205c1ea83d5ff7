"""The counts are what a naive recount of the newest versions gives, in whatever order all came."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadstreet.model import records
from broadstreet.model.records import Timer
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import Batch, Store
from broadstreet.store.tables import Clear
from broadstreet.workflows.surveillance import Counts
from broadstreet.workflows.surveillance.tables import (
    CHANGED,
    COUNT,
    FACILITY,
    FINDING,
    RESIDENT,
    TABLES,
    VISIT,
)
from tests.backends import NAMES, NO_SERVER, Backend, has

ZONE = ZoneInfo("Asia/Seoul")
DAY = date(2026, 1, 5)
Rows = dict[str, list[tuple[Any, ...]]]
Version = tuple[str, str, dict[str, Any] | None]
"""Type, id and body of one version; None: deleted."""

_PATIENTS, _VISITS, _FINDINGS = ("p1", "p2", "p3"), ("e1", "e2"), ("f1", "f2")


def classify(complaint: str, codes: Sequence[str]) -> set[str]:
    """Name syndromes as words, two of them only together: an order of findings must not matter."""
    found = set(complaint.replace(".", " ").split()) | set(codes)
    return {name for name, needs in SYNDROMES.items() if needs <= found}


SYNDROMES = {"fever": {"R50.9"}, "ili": {"R50.9", "cough"}, "cough": {"cough"}, "gi": {"A09"}}


def to(kind: str, *ids: str) -> st.SearchStrategy[dict[str, str]]:
    return st.sampled_from(ids).map(lambda id: {"reference": f"{kind}/{id}"})


def resource(**elements: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a resource; an element that is drawn as None is left out."""
    return st.fixed_dictionaries(elements).map(
        lambda drawn: {k: v for k, v in drawn.items() if v is not None}
    )


def coded(*codes: str) -> dict[str, Any]:
    return {"coding": [{"code": code} for code in codes]}


PATIENT = resource(
    birthDate=st.sampled_from([None, "2024-01-05", "2021-01-06", "1980", "1961-01", "1960-02-30", "1850"]),
    address=st.sampled_from(
        [None, [], [{"district": "D1"}], [{"postalCode": "D2"}], [{"district": "D3", "postalCode": "D1"}]]
    ),
    link=st.none() | to("Patient", *_PATIENTS).map(lambda other: [{"other": other, "type": "replaced-by"}]),
)
MOMENTS = ["2026-01-05", "2026-01-05T23:30:00+09:00", "2026-01-05T15:30:00Z", "2026-01-04T16:00:00Z", "2026"]
ENCOUNTER = resource(
    status=st.sampled_from(
        ["finished", "in-progress", "arrived", "planned", "cancelled", "entered-in-error"]
    ),
    subject=to("Patient", *_PATIENTS),
    serviceProvider=st.none() | to("Organization", "o1", "o2"),
    period=st.sampled_from(MOMENTS).map(lambda start: {"start": start}),
    reasonCode=st.sampled_from([None, [{"text": "cough"}], [{"text": "nausea"}, coded("A09")]]),
)
CONDITION = resource(
    code=st.sampled_from([{**coded("R50.9"), "text": "nausea"}, {"text": "cough"}, coded("A09", "B01")]),
    encounter=to("Encounter", *_VISITS),
    verificationStatus=st.sampled_from([None, None, coded("confirmed"), coded("entered-in-error")]),
)
OBSERVATION = resource(
    status=st.sampled_from(["final", "final", "entered-in-error"]),
    code=st.just({"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}),
    encounter=to("Encounter", *_VISITS),
    valueQuantity=st.sampled_from(
        [
            {"value": 38.0, "code": "Cel"},
            {"value": 37.9, "code": "Cel"},
            {"value": 100.4, "code": "[degF]"},
            None,
        ]
    ),
)
ORGANIZATION = resource(name=st.sampled_from(["Clinic", "Hospital", None]))


def versions(kind: str, ids: Sequence[str], body: Any) -> st.SearchStrategy[Version]:
    seldom = st.integers(0, 9).flatmap(lambda n: st.none() if n == 9 else body)
    return st.tuples(st.just(kind), st.sampled_from(ids), seldom)


ONE = st.one_of(
    versions("Patient", _PATIENTS, PATIENT),
    versions("Encounter", _VISITS, ENCOUNTER),
    versions("Condition", _FINDINGS, CONDITION),
    versions("Observation", _FINDINGS, OBSERVATION),
    versions("Organization", ["o1", "o2"], ORGANIZATION),
)
HISTORIES = st.integers(0, 40).flatmap(lambda size: st.lists(ONE, min_size=size, max_size=size))


@pytest.fixture(scope="module", params=NAMES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if not has(request.param):
        pytest.skip(NO_SERVER)
    backend = Backend(request.param, tmp_path_factory.mktemp("counts"))
    store = backend.open()
    store.writer().define(TABLES)
    yield store
    store.close()
    backend.close()


def projected(store: Store, log: Sequence[Version | date], cuts: Sequence[int]) -> Rows:
    """Project a log, cut into batches of these lengths over and over, into empty tables; return them."""
    store.writer().write(Batch(changes=[Clear(table) for table in TABLES]))
    counts, entries, done, number = Counts(ZONE, classify), _entries(log), 0, 0
    while done < len(entries):
        length = cuts[number % len(cuts)]
        changes = counts.project(entries[done : done + length], store)
        store.writer().write(Batch(changes=changes))
        done, number = done + length, number + 1
    return {table.name: sorted(store.select(table), key=repr) for table in TABLES}


def _entries(log: Sequence[Version | date]) -> list[Entry]:
    entries = []
    for seq, each in enumerate(log, 1):
        if isinstance(each, date):
            due = datetime.combine(each + timedelta(days=1), datetime.min.time(), UTC)
            timer = Timer(id=f"day-closed-{each}", name="day-closed", due=due, status="due", day=each)
            type, id, body = "bs/Timer", timer.id, records.encode(timer)
        else:
            type, id = f"fhir/{each[0]}", each[1]
            body = None if each[2] is None else json.dumps({"resourceType": each[0], **each[2]}).encode()
        entries.append(Entry(seq, 0, type, id, 1, None, None, "test", str(seq), None, 0, body))
    return entries


def recounted(log: Sequence[Version]) -> dict[tuple[str, str, str, int], int]:
    """Count from the newest versions, as one would explain it to a colleague."""
    newest = {(kind, id): body for kind, id, body in log if kind != "Timer"}
    now = {key: body for key, body in newest.items() if body is not None}
    counted: Counter[tuple[str, str, str, int]] = Counter()
    for (kind, id), visit in now.items():
        day = _day_of(visit.get("period", {}).get("start"))
        if kind != "Encounter" or visit["status"] in ("cancelled", "entered-in-error") or day is None:
            continue
        places = ["city"]
        home = _home_of(visit.get("subject", {}).get("reference", "Patient/"), now)
        places += [f"district:{home}"] if home else []
        provider = visit.get("serviceProvider", {}).get("reference")
        source = provider.removeprefix("Organization/") if provider else ""
        if home and source:
            counted["visits", f"district:{home}", f"reporter:{source}", day] += 1
        places += [f"facility:{source}"] if provider else []
        band = _band_of(visit.get("subject", {}).get("reference", "Patient/"), now, day)
        for stream in ["visits", *classify(*_said_about(id, visit, now))]:
            counted.update((stream, place, "all", day) for place in places)
            if band:
                counted[stream, "city", band, day] += 1
    return dict(counted)


def _band_of(patient: str, now: dict[tuple[str, str], dict[str, Any]], day: int) -> str:
    born, passed = None, []
    while patient not in passed and ("Patient", patient.removeprefix("Patient/")) in now:
        passed.append(patient)
        record = now["Patient", patient.removeprefix("Patient/")]
        born = record.get("birthDate") or born
        patient = record["link"][0]["other"]["reference"] if record.get("link") else ""
    if born is None:
        return ""
    on = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    age = int(on[:4]) - int(born[:4]) - (on[5:] < f"{born[5:] or '01'}-01"[:5])
    if age > 130:
        return ""
    return next(f"age:{band}" for first, band in BANDS if age >= first)


BANDS = ((65, "65+"), (18, "18-64"), (5, "5-17"), (0, "0-4"))


def _day_of(start: str | None) -> int | None:
    if start is None or start == "2026":
        return None
    day = (
        date.fromisoformat(start)
        if len(start) == 10
        else datetime.fromisoformat(start).astimezone(ZONE).date()
    )
    return (day - date(1970, 1, 1)).days


def _home_of(patient: str, now: dict[tuple[str, str], dict[str, Any]]) -> str | None:
    home, passed = None, []
    while patient not in passed and ("Patient", patient.removeprefix("Patient/")) in now:
        passed.append(patient)
        record = now["Patient", patient.removeprefix("Patient/")]
        first = (record.get("address") or [{}])[0]
        home = first.get("district") or first.get("postalCode") or home
        patient = record["link"][0]["other"]["reference"] if record.get("link") else ""
    return home


def _said_about(id: str, visit: dict[str, Any], now: Any) -> tuple[str, set[str]]:
    reasons = list(visit.get("reasonCode", []))
    for (kind, _), found in now.items():
        if kind not in ("Condition", "Observation") or found.get("encounter") != {
            "reference": f"Encounter/{id}"
        }:
            continue
        wrong = found.get("status") == "entered-in-error" or "entered-in-error" in json.dumps(
            found.get("verificationStatus", "")
        )
        hot = found.get("valueQuantity", {}).get("value", 0) >= 38
        if kind == "Condition" and not wrong:
            reasons.append(found["code"])
        if kind == "Observation" and not wrong and hot:
            reasons.append({"coding": [{"code": "R50.9"}]})
    words = " ".join(r["text"] for r in reasons if "text" in r)
    return words, {coding["code"] for reason in reasons for coding in reason.get("coding", [])}


def reordered(log: Sequence[Version], order: random.Random) -> list[Version]:
    """Mix the log; the versions of one resource keep their order."""
    mixed = list(log)
    order.shuffle(mixed)
    queues: dict[tuple[str, str], list[Version]] = {}
    for each in log:
        queues.setdefault(each[:2], []).append(each)
    return [queues[each[:2]].pop(0) for each in mixed]


CUTS = st.lists(st.integers(1, 12), min_size=1, max_size=4)
SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(log=HISTORIES, cuts=CUTS, order=st.randoms(use_true_random=False))
def test_counts_are_a_recount_of_the_newest_versions_in_whatever_order_they_came(
    store: Store, log: list[Version], cuts: list[int], order: random.Random
) -> None:
    tables = projected(store, log, cuts)
    counts = {row[:4]: row[4] for row in tables[COUNT.name]}
    assert counts == recounted(log)
    assert all(n > 0 for n in counts.values())
    again = projected(store, reordered(log, order), [len(log) or 1])
    for table in (COUNT, VISIT, RESIDENT, FINDING, FACILITY):
        assert again[table.name] == tables[table.name]


TIMERS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([DAY - timedelta(1), DAY, DAY + timedelta(1)]))
)


@SETTINGS
@given(log=HISTORIES, cuts=CUTS, timers=TIMERS)
def test_all_tables_are_the_same_however_the_log_is_cut_into_batches(
    store: Store, log: list[Version], cuts: list[int], timers: list[tuple[int, date]]
) -> None:
    mixed: list[Version | date] = list(log)
    for place, day in timers:
        mixed.insert(min(place, len(mixed)), day)
    by_one = projected(store, mixed, [1])
    assert projected(store, mixed, cuts) == by_one
    assert projected(store, mixed, [len(mixed) or 1]) == by_one


@SETTINGS
@given(log=HISTORIES)
def test_what_changes_after_a_day_was_closed_is_marked_and_nothing_else_is(
    store: Store, log: list[Version]
) -> None:
    late = [row[:4] for row in projected(store, [DAY + timedelta(2), *log], [7])[CHANGED.name]]
    assert projected(store, [DAY - timedelta(9), *log], [7])[CHANGED.name] == []
    tested = {
        cell
        for cell in recounted(log)
        if cell[0] != "visits"
        and not cell[1].startswith("facility:")
        and (cell[2] == "all" or cell[1] == "city")
    }
    assert tested <= set(late)
    assert all(cell[1] == "city" or cell[1].startswith("facility:") for cell in late if cell[0] == "visits")
