"""What each event does to a visit, its bed, its status and its diagnoses; also out of order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from tests.hl7v2_hub import PID, PV1, Hub

FLU, COLD = Raw("J11.1^Influenza^I10"), Raw("J00^Common cold^I10")


def dg1(code: Any = FLU, **more: Any) -> tuple[str, dict[str, Any]]:
    return ("DG1", {"1": "1", "3": code} | more)


def stays(hub: Hub) -> list[tuple[str, str, str | None, str | None]]:
    names = {f"Location/{place.id}": place.name for place in hub.all(fhir.Location)}
    return [
        (names[each.location.reference], each.status, each.period.start, each.period.end)
        for each in hub.one(fhir.Encounter).location
    ]


def verified(hub: Hub) -> dict[str, str | None]:
    return {
        each.code.coding[0].code: each.verificationStatus and each.verificationStatus.coding[0].code
        for each in hub.all(fhir.Condition)
    }


def at(minute: int) -> str:
    return f"202601051{minute // 60}{minute % 60:02d}00"


def fhir_time(minute: int) -> str:
    return f"2026-01-05T1{minute // 60}:{minute % 60:02d}:00+09:00"


def test_a_visit_has_class_period_number_and_place(hub: Hub) -> None:
    hub.visit("A04", PV1_7=Raw("D7^PARK^JIHO^^^DR"), PV1_10="EMR", PV1_14="7")
    encounter = hub.one(fhir.Encounter)
    assert (encounter.class_.code, encounter.status) == ("EMER", "in-progress")
    assert encounter.period.start == "2026-01-05T08:00:00+09:00"
    assert (encounter.identifier[0].system, encounter.identifier[0].value) == (
        "urn:broadstreet:namespace:CLINIC", "V1",
    )  # fmt: skip
    assert encounter.participant[0].type[0].coding[0].code == "ATND"
    assert hub.one(fhir.Practitioner).name[0].family == "PARK"
    assert encounter.serviceType.coding[0].code == "EMR"
    assert encounter.hospitalization.admitSource.coding[0].code == "7"


def test_a_bed_is_part_of_a_room_of_a_ward_of_a_site(hub: Hub) -> None:
    hub.visit("A01")
    places = {place.id: place for place in hub.all(fhir.Location)}
    bed = next(place for place in places.values() if place.name == "2")
    chain = [bed]
    while chain[-1].partOf:
        chain.append(places[chain[-1].partOf.reference.removeprefix("Location/")])
    assert [(p.physicalType.coding[0].code, p.name) for p in chain] == [
        ("bd", "2"), ("ro", "101"), ("wa", "ER"), ("si", "CLINIC"),
    ]  # fmt: skip


def test_a_transfer_keeps_where_the_patient_was(hub: Hub) -> None:
    hub.visit("A01", PV1_44="20260105100000")
    hub.visit("A02", at=at(30), PV1_3="ICU")
    assert stays(hub) == [
        ("2", "completed", fhir_time(0), fhir_time(30)),
        ("ICU", "active", fhir_time(30), None),
    ]


def test_the_event_time_is_taken_before_the_message_time(hub: Hub) -> None:
    hub.visit("A01", PV1_44="20260105100000")
    event = ("EVN", {"2": at(31), "6": at(20)})
    hub.send("ADT^A02", event, ("PID", PID), ("PV1", PV1 | {"3": "ICU"}), at=at(40))
    assert stays(hub)[1][2] == fhir_time(20)


def test_a_cancelled_transfer_is_taken_out_of_the_history(hub: Hub) -> None:
    hub.visit("A01", PV1_44="20260105100000")
    hub.visit("A02", at=at(30), PV1_3="ICU")
    hub.visit("A12", at=at(35))
    assert stays(hub) == [("2", "active", fhir_time(0), None)]


def test_a_discharge_ends_the_visit_and_its_cancellation_opens_it_again(hub: Hub) -> None:
    hub.visit("A01", PV1_44="20260105100000")
    hub.visit("A03", at=at(50), PV1_45=at(45), PV1_36="01")
    encounter = hub.one(fhir.Encounter)
    assert (encounter.status, encounter.period.end) == ("finished", fhir_time(45))
    assert encounter.hospitalization.dischargeDisposition.coding[0].code == "01"
    assert stays(hub)[0][1:] == ("completed", fhir_time(0), fhir_time(45))
    hub.visit("A13", at=at(55))
    encounter = hub.one(fhir.Encounter)
    assert (encounter.status, encounter.period.end) == ("in-progress", None)
    assert stays(hub)[0][1:] == ("active", fhir_time(0), None)


def test_a_discharge_without_its_time_ends_with_the_event(hub: Hub) -> None:
    hub.visit("A01", PV1_44="20260105100000")
    hub.visit("A03", at=at(50))
    assert hub.one(fhir.Encounter).period.end == fhir_time(50)


def test_a_discharge_before_the_admission_is_left_out_and_counted(hub: Hub) -> None:
    assert hub.visit("A03", PV1_45="20250101").code == "AA"
    assert hub.one(fhir.Encounter).period.end is None
    assert hub.tolerated() == {"PV1-45 before PV1-44": 1}


def test_a_cancelled_visit_stays_cancelled_until_it_is_registered_again(hub: Hub) -> None:
    hub.visit("A04")
    hub.visit("A11")
    hub.visit("A08")
    assert hub.one(fhir.Encounter).status == "cancelled"
    hub.visit("A04")
    assert hub.one(fhir.Encounter).status == "in-progress"


def test_an_update_changes_what_it_names_and_keeps_the_rest(hub: Hub) -> None:
    hub.visit("A04", ("PV2", {"3": Raw("^fever")}), PV1_10="EMR", PV1_14="7")
    hub.visit("A08", PV1_2=None, PV1_3=None, PV1_10="MED", PV1_14="")
    encounter = hub.one(fhir.Encounter)
    assert encounter.class_.code == "EMER"
    assert encounter.reasonCode[0].text == "fever"
    assert encounter.serviceType.coding[0].code == "MED"
    assert encounter.hospitalization is None  # its only part was deleted
    assert len(encounter.location) == 1


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (row.event, row.status)
        for row in tables.events().values()
        if row.visit in {"update", "move", "rename"}
    ],
)
def test_an_event_about_an_unknown_visit_makes_it(hub: Hub, event: str, status: str) -> None:
    assert hub.visit(event, ("MRG", {"1": "x"})).code == "AA"
    expected = "in-progress" if status == "keep" else status
    assert hub.one(fhir.Encounter).status == expected


def test_a_planned_visit_begins_but_does_not_become_planned_again(hub: Hub) -> None:
    hub.visit("A05", PV1_2="P", PV1_44=None)
    encounter = hub.one(fhir.Encounter)
    assert (encounter.status, encounter.class_.code, encounter.period) == ("planned", "PRENC", None)
    assert stays(hub)[0][1] == "planned"
    hub.visit("A01", PV1_2="I")
    hub.visit("A05", PV1_2="P")
    assert hub.one(fhir.Encounter).status == "in-progress"


def test_a_change_of_class_keeps_the_class_before(hub: Hub) -> None:
    hub.visit("A04", PV1_44="20260105100000")
    hub.visit("A06", at=at(30), PV1_2="I")
    encounter = hub.one(fhir.Encounter)
    assert encounter.class_.code == "IMP"
    (past,) = encounter.classHistory
    assert (past.class_.code, past.period.start, past.period.end) == ("EMER", fhir_time(0), fhir_time(30))


def test_a_class_that_is_not_in_the_table_leaves_what_the_event_implies(hub: Hub) -> None:
    hub.visit("A01", PV1_2="ff")
    assert hub.one(fhir.Encounter).class_.code == "IMP"
    assert hub.tolerated() == {"PV1-2 cannot be read": 1}


# -- late ----------------------------------------------------------------------------------------


def test_a_late_registration_fills_gaps_and_overwrites_nothing(hub: Hub) -> None:
    hub.visit("A03", at=at(50), PV1_10="MED", PV1_44=None, PV1_45=at(45))
    hub.visit("A04", at=at(5), PV1_10="EMR", PV1_14="7", PV1_44=at(0))
    encounter = hub.one(fhir.Encounter)
    assert encounter.status == "finished"
    assert encounter.serviceType.coding[0].code == "MED"
    assert encounter.hospitalization.admitSource.coding[0].code == "7"
    assert encounter.period.end == fhir_time(45)


def test_a_late_transfer_finds_its_place_in_the_history(hub: Hub) -> None:
    hub.visit("A01", at=at(1), PV1_44=at(0))
    hub.visit("A02", at=at(40), PV1_3="WEST")
    hub.visit("A02", at=at(20), PV1_3="ICU")
    assert stays(hub) == [
        ("2", "completed", fhir_time(0), fhir_time(20)),
        ("ICU", "completed", fhir_time(20), fhir_time(40)),
        ("WEST", "active", fhir_time(40), None),
    ]


def test_a_transfer_back_that_came_in_time_stands_against_a_late_one(hub: Hub) -> None:
    hub.visit("A01", at=at(1), PV1_44=at(0))
    hub.visit("A08", at=at(40))
    hub.visit("A02", at=at(20), PV1_3="ICU")
    assert hub.one(fhir.Encounter).meta.lastUpdated == "2026-01-05T01:40:00.000000Z"
    assert [stay[0] for stay in stays(hub)] == ["2", "ICU"]


def test_a_late_discharge_does_not_end_a_visit_that_was_opened_again(hub: Hub) -> None:
    hub.visit("A01", at=at(1), PV1_44=at(0))
    hub.visit("A13", at=at(50))
    hub.visit("A03", at=at(40), PV1_45=at(39))
    encounter = hub.one(fhir.Encounter)
    assert (encounter.status, encounter.period.end) == ("in-progress", None)


def test_a_cancellation_holds_even_if_it_comes_late(hub: Hub) -> None:
    hub.visit("A04", at=at(1))
    hub.visit("A08", at=at(40))
    hub.visit("A11", at=at(20))
    assert hub.one(fhir.Encounter).status == "cancelled"


def test_a_late_demographic_update_does_not_overwrite_a_newer_one(hub: Hub) -> None:
    hub.send("ADT^A31", ("PID", PID | {"5": Raw("LEE^MINA")}), at=at(40))
    hub.send("ADT^A31", ("PID", PID | {"5": Raw("KIM^MINA"), "16": "M"}), at=at(20))
    patient = hub.one(fhir.Patient)
    assert patient.name[0].family == "LEE"
    assert patient.maritalStatus.coding[0].code == "M"


def test_a_time_far_in_the_future_is_not_believed(hub: Hub) -> None:
    event = ("EVN", {"2": "20290101"})
    hub.send("ADT^A04", event, ("PID", PID), ("PV1", PV1 | {"10": "EMR"}), at=at(1))
    hub.visit("A08", at=at(2), PV1_10="MED")
    assert hub.one(fhir.Encounter).serviceType.coding[0].code == "MED"


EVENTS = {
    "A04": {"PV1_44": at(0), "PV1_10": "EMR"},
    "A02": {"PV1_3": "ICU", "PV1_44": at(0)},
    "A08": {"PV1_3": "ICU", "PV1_44": at(0), "PV1_10": "MED"},
    "A03": {"PV1_3": "ICU", "PV1_44": at(0), "PV1_10": "MED", "PV1_45": at(45)},
}


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS)))
def test_the_visit_comes_out_the_same_in_whatever_order_its_messages_come(
    hub: Hub, order: tuple[str, ...]
) -> None:
    minutes = {"A04": 1, "A02": 20, "A08": 30, "A03": 50}
    for event in order:
        assert hub.visit(event, at=at(minutes[event]), **EVENTS[event]).code == "AA"
    encounter = hub.one(fhir.Encounter)
    assert encounter.status == "finished"
    assert (encounter.period.start, encounter.period.end) == (fhir_time(0), fhir_time(45))
    assert encounter.class_.code == "EMER"
    assert encounter.serviceType.coding[0].code == "MED"
    assert [stay[0] for stay in stays(hub)][-1] == "ICU"
    assert stays(hub)[-1][1:2] + stays(hub)[-1][3:] == ("completed", fhir_time(45))


# -- diagnoses -----------------------------------------------------------------------------------


def test_a_diagnosis_has_code_text_and_visit(hub: Hub) -> None:
    hub.visit("A04", dg1(**{"5": "20260105", "6": "A"}))
    condition, encounter = hub.one(fhir.Condition), hub.one(fhir.Encounter)
    coding = condition.code.coding[0]
    assert (coding.system, coding.code) == ("http://hl7.org/fhir/sid/icd-10", "J11.1")
    assert condition.code.text == "Influenza"
    assert condition.encounter.reference == f"Encounter/{encounter.id}"
    assert encounter.diagnosis[0].condition.reference == f"Condition/{condition.id}"
    assert encounter.diagnosis[0].use.coding[0].code == "AD"
    assert encounter.reasonCode[0].text == "Influenza"


def test_the_coding_system_and_the_text_may_stand_beside_the_code(hub: Hub) -> None:
    hub.visit("A04", ("DG1", {"2": "I10", "3": "J11.1", "4": "Flu"}))
    code = hub.one(fhir.Condition).code
    assert (code.coding[0].system, code.coding[0].code, code.text) == (
        "http://hl7.org/fhir/sid/icd-10", "J11.1", "Flu",
    )  # fmt: skip


def test_a_diagnosis_that_is_no_longer_sent_was_entered_in_error(hub: Hub) -> None:
    hub.visit("A04", dg1())
    hub.visit("A08", dg1(COLD))
    assert verified(hub) == {"J11.1": "entered-in-error", "J00": None}
    assert len(hub.one(fhir.Encounter).diagnosis) == 1
    withdrawn = next(c for c in hub.all(fhir.Condition) if c.code.coding[0].code == "J11.1")
    assert withdrawn.clinicalStatus is None


def test_a_message_without_diagnoses_says_nothing_about_them(hub: Hub) -> None:
    hub.visit("A04", dg1())
    hub.visit("A08")
    assert verified(hub) == {"J11.1": None}
    assert len(hub.one(fhir.Encounter).diagnosis) == 1


def test_the_same_diagnosis_again_is_the_same_condition(hub: Hub) -> None:
    hub.visit("A04", dg1())
    hub.visit("A08", dg1(**{"6": "F"}))
    assert verified(hub) == {"J11.1": "confirmed"}


def test_with_a_number_a_corrected_code_changes_the_same_condition(hub: Hub) -> None:
    hub.visit("A04", dg1(**{"20": "D1"}))
    hub.visit("A08", dg1(COLD, **{"20": "D1"}))
    assert verified(hub) == {"J00": None}


def test_with_actions_only_what_is_named_is_changed(hub: Hub) -> None:
    hub.visit("A04", dg1(), dg1(COLD))
    hub.visit("A08", dg1(COLD, **{"21": "D"}))
    assert verified(hub) == {"J11.1": None, "J00": "entered-in-error"}


def test_a_late_message_brings_no_diagnosis_back(hub: Hub) -> None:
    hub.visit("A08", dg1(COLD), at=at(40))
    hub.visit("A04", dg1(), at=at(10))
    assert verified(hub) == {"J00": None}


def test_the_reason_is_what_the_patient_complained_of(hub: Hub) -> None:
    complaint = ("OBX", {"1": "1", "2": "TX", "3": Raw("8661-1^Chief complaint^LN"), "5": "cough", "11": "F"})
    hub.visit("A04", complaint, dg1(**{"6": "A"}))
    assert hub.one(fhir.Encounter).reasonCode[0].text == "cough"


# -- numbers and patients ------------------------------------------------------------------------


def test_a_visit_without_a_number_is_known_by_its_account(hub: Hub) -> None:
    for event in ("A04", "A03"):
        hub.send(f"ADT^{event}", ("PID", PID | {"18": "ACC1"}), ("PV1", PV1 | {"19": None}))
    assert hub.one(fhir.Encounter).status == "finished"


def test_a_visit_without_any_number_is_known_by_patient_and_start(hub: Hub) -> None:
    temperature = ("OBX", {"2": "NM", "3": Raw("8310-5^T^LN"), "5": "38", "11": "F"})
    hub.visit("A04", temperature, PV1_19=None)
    hub.visit("A08", temperature, PV1_19=None)
    hub.visit("A04", PV1_19=None, PV1_44="20260106")
    assert len(hub.all(fhir.Encounter)) == 2
    assert len(hub.all(fhir.Observation)) == 1


def test_a_visit_without_number_and_start_is_refused(hub: Hub) -> None:
    answer = hub.visit("A04", PV1_19=None, PV1_44=None)
    assert (answer.code, str(answer.problems[0].location)) == ("AE", "PV1-19")


def test_the_visit_of_another_patient_is_refused_and_moved_only_by_a_move(hub: Hub) -> None:
    hub.visit("A04")
    other = ("PID", PID | {"3": "other"})
    assert hub.send("ADT^A08", other, ("PV1", PV1)).code == "AE"
    assert hub.send("ADT^A45", other, ("MRG", {"1": "4711"}), ("PV1", PV1)).code == "AA"
    moved = next(p for p in hub.all(fhir.Patient) if p.identifier[0].value == "other")
    assert hub.one(fhir.Encounter).subject.reference == f"Patient/{moved.id}"


def test_a_changed_visit_number_is_the_same_visit(hub: Hub) -> None:
    hub.visit("A04")
    hub.visit("A50", ("MRG", {"1": "4711", "5": Raw("V1^^^CLINIC^VN")}), PV1_19="V2")
    assert [each.value for each in hub.one(fhir.Encounter).identifier] == ["V1", "V2"]


def test_two_patients_that_swap_beds_are_both_moved(hub: Hub) -> None:
    other, second = PID | {"3": "other"}, PV1 | {"19": "V2", "3": "WEST"}
    hub.visit("A01")
    hub.send("ADT^A01", ("PID", other), ("PV1", second))
    hub.send(
        "ADT^A17",
        ("PID", PID),
        ("PV1", PV1 | {"3": "WEST"}),
        ("PID", other),
        ("PV1", second | PV1 | {"19": "V2"}),
    )
    assert [len(each.location) for each in hub.all(fhir.Encounter)] == [2, 2]


def test_the_first_name_of_a_clinician_stands_and_a_missing_one_is_added(hub: Hub) -> None:
    for doctor in ("D7", "D7^PARK^JIHO", "D7^PARK^J"):
        hub.visit("A08", PV1_7=Raw(doctor))
    (name,) = hub.one(fhir.Practitioner).name
    assert name.given == ["JIHO"]
    assert len(hub.store.history("fhir/Practitioner", hub.one(fhir.Practitioner).id)) == 2


def test_the_visit_of_a_merged_patient_goes_to_the_survivor_and_to_nobody_else(hub: Hub) -> None:
    hub.visit("A04")
    hub.send("ADT^A40", ("PID", PID | {"3": Raw("815^^^CLINIC^MR")}), ("MRG", {"1": PID["3"]}))
    answer = hub.send("ADT^A08", ("PID", PID | {"3": Raw("99^^^CLINIC^MR")}), ("PV1", PV1))
    assert (answer.code, answer.problems[0].code.value) == ("AE", "205")
    answer = hub.send("ADT^A08", ("PID", PID | {"3": Raw("815^^^CLINIC^MR")}), ("PV1", PV1))
    assert answer.code == "AA"
    survivor = next(each for each in hub.all(fhir.Patient) if each.active)
    assert hub.one(fhir.Encounter).subject.reference == f"Patient/{survivor.id}"


def test_what_belongs_to_a_visit_is_not_taken_without_one(hub: Hub) -> None:
    answer = hub.send("ADT^A08", ("PID", PID), dg1())
    assert (answer.code, answer.problems[0].code.value, str(answer.problems[0].location)) == (
        "AE", "100", "PV1",
    )  # fmt: skip


def test_what_an_event_about_a_person_says_of_a_visit_is_counted(hub: Hub) -> None:
    assert hub.send("ADT^A31", ("PID", PID), dg1()).code == "AA"
    assert hub.tolerated()["DG1 or OBX of ADT^A31 left out"] == 1


def test_what_was_observed_after_an_order_in_an_admission_is_kept(hub: Hub) -> None:
    temperature = {"2": "NM", "3": Raw("8310-5^Temperature^LN"), "5": "39.1", "11": "F"}
    hub.visit("A04", ("OBR", {"4": Raw("X^Vitals^L")}), ("OBX", temperature))
    assert str(hub.one(fhir.Observation).valueQuantity.value) == "39.1"
    assert hub.tolerated()["OBR in ADT left out"] == 1


def test_each_visit_of_one_message_is_moved(hub: Hub) -> None:
    for number in ("V1", "V2"):
        hub.visit("A04", PV1_19=number)
    moved = [("PV1", PV1 | {"19": number}) for number in ("V1", "V2")]
    new = ("PID", PID | {"3": Raw("99^^^CLINIC^MR")})
    assert hub.send("ADT^A45", new, *moved).code == "AA"
    assert len({each.subject.reference for each in hub.all(fhir.Encounter)}) == 1
    assert len(hub.all(fhir.Encounter)) == 2


def test_a_visit_that_goes_on_after_its_discharge_has_no_end(hub: Hub) -> None:
    hub.visit("A04")
    hub.visit("A03", PV1_45="20260105090000")
    hub.visit("A04")
    visit = hub.one(fhir.Encounter)
    assert (visit.status, visit.period.end) == ("in-progress", None)
