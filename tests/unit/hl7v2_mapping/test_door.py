"""What the door answers, and what is in the store when it does."""

from __future__ import annotations

import pytest

from broadstreet.connectors.hl7v2 import interpreting
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from broadstreet.model.ids import SeededIds
from broadstreet.store import inbox
from broadstreet.store.inbox import Retry
from broadstreet.store.protocol import StoreFull
from tests.hl7v2_hub import PID, PV1, ZONE, Hub


def test_a_visit_is_acknowledged_and_can_be_found(hub: Hub) -> None:
    assert hub.visit().code == "AA"
    patient, encounter = hub.one(fhir.Patient), hub.one(fhir.Encounter)
    assert patient.name[0].family == "KIM"
    assert encounter.subject.reference == f"Patient/{patient.id}"
    assert encounter.serviceProvider.reference == f"Organization/{hub.one(fhir.Organization).id}"


def test_the_same_bytes_again_are_acknowledged_and_add_nothing(hub: Hub) -> None:
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1))
    assert hub.send_bytes(raw).code == "AA"
    head = hub.store.head()
    assert hub.send_bytes(raw).code == "AA"
    assert hub.store.head() == head


def test_a_control_id_used_again_for_another_message_is_a_new_message(hub: Hub) -> None:
    hub.send("ADT^A04", ("PID", PID), ("PV1", PV1), id="7")
    assert hub.send("ADT^A04", ("PID", PID), ("PV1", PV1 | {"19": "V2"}), id="7").code == "AA"
    assert len(hub.all(fhir.Encounter)) == 2
    (feed,) = hub.store.select(inbox.FEED)
    assert dict(zip(inbox.FEED.columns, feed, strict=True))["reused"] == 1


@pytest.mark.parametrize(
    ("kind", "header", "code", "field"),
    [
        ("VXU^V04", {}, "200", 9),
        ("ADT^A19", {}, "201", 9),
        ("ADT^A99", {}, "201", 9),
        ("ADT^A04", {"version": "3.0"}, "203", 12),
        ("ADT^A04", {"processing": "X"}, "202", 11),
    ],
)
def test_what_the_hub_does_not_take_is_rejected_and_kept(
    hub: Hub, kind: str, header: dict[str, str], code: str, field: int
) -> None:
    answer = hub.send(kind, ("PID", PID), ("PV1", PV1), **header)
    problem = answer.problems[0]
    assert (answer.code, problem.code.value, problem.location.field) == ("AR", code, field)
    (held,) = hub.quarantined()
    assert (held.state, held.verdict) == ("held", "AR")


@pytest.mark.parametrize(
    ("segment", "field", "value"),
    [("PID", "7", "1985133"), ("PV1", "44", "yesterday"), ("PID", "3", None), ("PV1", "45", "20261301")],
)
def test_a_field_that_cannot_be_read_is_named_in_the_error(
    hub: Hub, segment: str, field: str, value: str | None
) -> None:
    body = {"PID": dict(PID), "PV1": dict(PV1)}
    body[segment][field] = value
    answer = hub.send("ADT^A04", *body.items())
    assert answer.code == "AE"
    place = answer.problems[0].location
    assert (place.segment, place.sequence, place.field) == (segment, 1, int(field))
    assert not hub.all(fhir.Patient)
    assert len(hub.quarantined()) == 1


@pytest.mark.parametrize("environment", ["T", "D", "T^T"])
def test_in_production_a_message_of_training_or_debugging_is_rejected_until_the_settings_change(
    hub: Hub, environment: str
) -> None:
    hub.take("P")
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1), processing=Raw(environment))
    answer = hub.send_bytes(raw)
    (problem,) = answer.problems
    assert (answer.code, problem.code.value, str(problem.location)) == ("AR", "202", "MSH-11")
    assert "hub for practice" in problem.text
    assert (len(hub.quarantined()), hub.all(fhir.Patient)) == (1, [])
    hub.take("PTD")
    assert hub.send_bytes(raw).code == "AA"
    assert len(hub.all(fhir.Patient)) == 1


def test_all_that_is_wrong_is_told_at_once(hub: Hub) -> None:
    answer = hub.send("ADT^A04", ("PID", PID | {"7": "x"}), ("PV1", PV1 | {"44": "y"}))
    assert [str(each.location) for each in answer.problems] == ["PID-7", "PV1-44"]


def test_a_missing_segment_is_named(hub: Hub) -> None:
    answer = hub.send("ADT^A01", ("PID", PID))
    assert (answer.code, answer.problems[0].code.value, answer.problems[0].location.segment) == (
        "AE", "100", "PV1",
    )  # fmt: skip


def test_an_optional_field_that_cannot_be_read_is_left_out_and_counted(hub: Hub) -> None:
    assert hub.send("ADT^A04", ("PID", PID | {"8": "Q"}), ("PV1", PV1)).code == "AA"
    assert hub.one(fhir.Patient).gender is None
    assert hub.tolerated() == {"PID-8 cannot be read": 1}


def test_bytes_that_are_no_message_are_kept_too(hub: Hub) -> None:
    assert hub.send_bytes(b"GET / HTTP/1.1\r\n\r\n").code == "AE"
    assert hub.send_bytes(b"GET / HTTP/1.1\r\n\r\n").code == "AE"
    (held,) = hub.quarantined()
    assert held.attempts == 2


def test_a_refused_message_that_is_sent_again_counts_its_attempts(hub: Hub) -> None:
    raw = hub.message("ADT^A04", ("PID", PID | {"7": "x"}), ("PV1", PV1))
    hub.send_bytes(raw)
    assert hub.send_bytes(raw).code == "AE"
    assert hub.quarantined()[0].attempts == 2


def test_a_mended_message_is_mapped_from_quarantine(hub: Hub) -> None:
    hub.send("ADT^A04", ("PID", PID | {"7": "1985133"}), ("PV1", PV1))
    (held,) = hub.quarantined()
    raw = next(entry for entry in hub.store.entries(0) if entry.id == held.id)
    mended = raw.body.replace(b"1985133", b"19850103")
    receipt = hub.committer.commit(Retry(raw, held, hub.door.interpret, mended))
    assert receipt.state == "accepted"
    assert hub.one(fhir.Patient).birthDate == "1985-01-03"
    assert hub.quarantined()[0].state == "released"


def test_a_message_waiting_in_quarantine_is_mapped_as_it_is_once_the_reason_is_gone(hub: Hub) -> None:
    conflict = ("PV1", PV1 | {"19": "V9"})
    hub.send("ADT^A04", ("PID", PID | {"3": "other"}), conflict)
    assert hub.send("ADT^A08", ("PID", PID), conflict).code == "AE"
    hub.send("ADT^A40", ("PID", PID), ("MRG", {"1": "other"}))
    held = next(each for each in hub.quarantined() if each.state == "held")
    raw = next(entry for entry in hub.store.entries(0) if entry.id == held.id)
    assert hub.committer.commit(Retry(raw, held, hub.door.interpret)).state == "accepted"
    provenance = hub.all(fhir.Provenance)[-1]
    assert provenance.entity[0].what.identifier.value == raw.id


def no_room(*_: object) -> None:
    raise StoreFull("no room")


def test_without_room_the_sender_is_told_to_send_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1))

    with monkeypatch.context() as patch:
        patch.setattr(hub.store.writer(), "write", no_room)
        answer = hub.send_bytes(raw)
    assert (answer.code, answer.problems[0].code.value) == ("AE", "207")
    assert hub.store.head() == 0
    assert hub.send_bytes(raw).code == "AA"
    assert hub.one(fhir.Encounter).status == "in-progress"


def test_what_a_failed_commit_has_seen_is_not_remembered(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        with monkeypatch.context() as patch:
            if number == 1:
                patch.setattr(hub.store.writer(), "write", no_room)
            hub.visit("A04", PV1_19=f"V{number}", PV1_3=f"WARD{number}")
    hub.visit("A04", PV1_19="V1", PV1_3="WARD1")
    wards = {location.id for location in hub.all(fhir.Location)}
    assert {each.location[0].location.reference for each in hub.all(fhir.Encounter)} == {
        f"Location/{id}" for id in wards
    }


def test_the_provenance_leads_back_to_the_message(hub: Hub) -> None:
    hub.visit()
    message = next(entry for entry in hub.store.entries(0) if entry.type == "hl7v2/Message")
    provenance = hub.one(fhir.Provenance)
    assert provenance.entity[0].what.identifier.value == message.id
    assert provenance.activity.coding[0].code == "A04"
    assert provenance.occurredDateTime == "2026-01-05T08:01:00+09:00"
    put = [e for e in hub.store.entries(0) if e.type.startswith("fhir/") and e.type != "fhir/Provenance"]
    assert {each.reference for each in provenance.target} == {f"{e.type[5:]}/{e.id}" for e in put}
    assert {entry.cause for entry in put} == {message.seq}


def test_a_sender_with_a_zone_of_its_own_is_read_in_it(hub: Hub) -> None:
    from zoneinfo import ZoneInfo

    hub.door._zones = {"CLINIC": ZoneInfo("Europe/London")}
    hub.visit()
    assert hub.one(fhir.Encounter).period.start == "2026-01-05T08:00:00+00:00"


def test_a_text_that_could_never_be_read_again_is_refused_and_leaves_the_patient_as_they_were(
    hub: Hub,
) -> None:
    hub.visit()
    answer = hub.send("ADT^A31", ("PID", PID | {"5": "N" * (2**20 + 1)}))
    assert (answer.code, answer.problems[0].code.value) == ("AE", "104")
    assert "Patient.name[0].family" in answer.problems[0].text
    assert hub.send("ADT^A31", ("PID", PID | {"8": "M"})).code == "AA"
    assert hub.one(fhir.Patient).gender == "male"


def test_more_repetitions_than_a_message_may_have_are_refused_before_they_are_read(hub: Hub) -> None:
    answer = hub.send("ADT^A31", ("PID", PID | {"13": Raw("~".join(["1"] * 10_002))}))
    assert (answer.code, answer.problems[0].code.value) == ("AE", "104")
    assert hub.quarantined()[0].source == "hl7v2:EHR|CLINIC"


def test_a_patient_does_not_collect_numbers_without_end(hub: Hub) -> None:
    numbers = [Raw("~".join(["4711", *(f"{n}-{m}" for m in range(900))])) for n in range(2)]
    codes = [hub.send("ADT^A31", ("PID", PID | {"3": each})).code for each in numbers]
    assert codes == ["AA", "AE"]


@pytest.mark.parametrize(
    "header",
    [
        f"MSH|^~\\&|EHR|{'F' * 5_000}|||20260105||ADT^A31|1|P|2.5.1",
        f"MSH|^~\\&|EHR|CLINIC|||20260105||ADT^A31|1|P|2.5.1||||||{'ASCII~' * 1_000}",
    ],
    ids=["MSH-4", "MSH-18"],
)
def test_a_huge_header_field_is_refused_and_not_remembered(
    hub: Hub, header: str, request: pytest.FixtureRequest
) -> None:
    answer = hub.send_bytes(f"{header}\rPID|||4711\r".encode())
    assert answer.code == "AE"
    assert str(answer.problems[0].location) in request.node.name


def test_a_message_is_mapped_later_however_often_its_control_id_was_used(hub: Hub) -> None:
    two = PID | {"3": Raw("1~2")}
    for number in ("1", "2"):
        hub.send("ADT^A28", ("PID", PID | {"3": number}))
    held = hub.message("ADT^A31", ("PID", two), id="X")
    assert hub.send_bytes(held).code == "AE"
    for n in range(20):
        hub.send("ADT^A28", ("PID", PID | {"3": f"N{n}"}), id="X")
    hub.send("ADT^A40", ("PID", PID | {"3": "1"}), ("MRG", {"1": "2"}))
    assert hub.send_bytes(held).code == "AA"


def test_what_went_wrong_is_logged_without_what_the_message_says(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("PARK^JUN 19500101")

    monkeypatch.setattr(interpreting, "carry_out", fail)
    assert hub.visit().code == "AE"
    assert "ValueError" in caplog.text
    assert "PARK" not in caplog.text


def test_a_sender_that_states_no_character_set_is_read_in_its_own(hub: Hub) -> None:
    indexer, ids = hub.store.indexer, SeededIds(hub.clock, 3)
    hub.door = Door(hub.committer, indexer, hub.clock, ids, zone=ZONE, fallbacks={"SEOUL": "cp949"})
    for facility, codec, name in (("SEOUL", "cp949", "김"), ("LIMA", "latin-1", "Muñoz")):
        text = f"MSH|^~\\&|EHR|{facility}^1|||20260105||ADT^A28|1|P|2.5\rPID|||{facility}||{name}\r"
        assert hub.send_bytes(text.encode(codec)).code == "AA"
    assert {each.name[0].family for each in hub.all(fhir.Patient)} == {"김", "Muñoz"}
