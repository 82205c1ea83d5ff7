"""Who a patient is, what a message changes about them, and how two become one."""

from __future__ import annotations

import pytest

from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from tests.hl7v2_hub import PID, PV1, Hub


def by_number(hub: Hub, number: str) -> fhir.Patient:
    """Return the patient who has this as a current number."""
    found = [
        patient
        for patient in hub.all(fhir.Patient)
        if any(each.value == number and each.use != "old" for each in patient.identifier)
    ]
    assert len(found) == 1
    return found[0]


def add(hub: Hub, number: str, **more: object) -> None:
    fields = {name.removeprefix("PID_"): value for name, value in more.items()}
    assert hub.send("ADT^A28", ("PID", PID | {"3": Raw(number)} | fields)).code == "AA"


def test_a_patient_has_names_birth_sex_address_and_phone(hub: Hub) -> None:
    add(
        hub,
        "4711",
        PID_11=Raw("12 MAPO-RO&MAPO-RO&12^APT 3^SEOUL^11^04101^KR^H^^11440"),
        PID_13=Raw("^PRN^PH^^82^2^5550100~^NET^Internet^mina@example.org"),
        PID_14="0255",
        PID_16="M",
    )
    patient = hub.one(fhir.Patient)
    assert (patient.gender, patient.birthDate, patient.active) == ("female", "1985-03-09", True)
    (home,) = patient.address
    assert (home.use, home.postalCode, home.district, home.city, home.state, home.country) == (
        "home", "04101", "11440", "SEOUL", "11", "KR",
    )  # fmt: skip
    assert [(each.system, each.value, each.use) for each in patient.telecom] == [
        ("phone", "+82 2 5550100", "home"),
        ("email", "mina@example.org", "home"),
        ("phone", "0255", "work"),
    ]
    assert patient.maritalStatus.coding[0].code == "M"


def test_an_empty_field_keeps_and_an_explicit_null_deletes(hub: Hub) -> None:
    add(hub, "4711", PID_13="1", PID_14="2", PID_16="M")
    add(hub, "4711", PID_8=None, PID_13="", PID_16="")
    patient = hub.one(fhir.Patient)
    assert patient.gender == "female"
    assert patient.maritalStatus is None
    assert [each.value for each in patient.telecom] == ["2"]


def test_a_death_is_kept_with_its_time_and_can_be_taken_back(hub: Hub) -> None:
    add(hub, "4711", PID_29="20260105", PID_30="Y")
    patient = hub.one(fhir.Patient)
    assert (patient.deceasedDateTime, patient.deceasedBoolean) == ("2026-01-05", None)
    add(hub, "4711", PID_30="N")
    patient = hub.one(fhir.Patient)
    assert (patient.deceasedDateTime, patient.deceasedBoolean) == (None, False)


def test_the_next_of_kin_can_be_reached(hub: Hub) -> None:
    kin = ("NK1", {"1": "1", "2": Raw("KIM^HANA"), "3": Raw("MTH^Mother"), "5": "010"})
    hub.send("ADT^A28", ("PID", PID), kin)
    (contact,) = hub.one(fhir.Patient).contact
    assert (contact.name.family, contact.telecom[0].value) == ("KIM", "010")
    assert contact.relationship[0].coding[0].code == "MTH"


def test_ids_are_random_and_say_nothing_of_the_number(hub: Hub) -> None:
    add(hub, "4711")
    assert "4711" not in hub.one(fhir.Patient).id


def test_nothing_changed_makes_no_new_version(hub: Hub) -> None:
    add(hub, "4711")
    add(hub, "4711")
    assert len(hub.store.history("fhir/Patient", hub.one(fhir.Patient).id)) == 1


def test_a_number_without_authority_is_the_facilitys_own(hub: Hub) -> None:
    add(hub, "4711")
    hub.send("ADT^A28", ("PID", PID | {"3": "4711"}), facility="OTHER")
    assert {patient.identifier[0].system for patient in hub.all(fhir.Patient)} == {
        "urn:broadstreet:namespace:CLINIC",
        "urn:broadstreet:namespace:OTHER",
    }


def test_an_authority_that_names_no_facility_does_not_make_one_patient_of_two(hub: Hub) -> None:
    add(hub, "4711^^^MRN^MR")
    hub.send("ADT^A28", ("PID", PID | {"3": Raw("4711^^^MRN^MR")}), facility="OTHER")
    assert len(hub.all(fhir.Patient)) == 2


def test_a_laboratory_finds_the_patient_by_the_clinics_number(hub: Hub) -> None:
    add(hub, "4711^^^CLINIC^MR")
    add(hub, "4711^^^CLINIC&1.2.3&DNS^MR")
    hub.send("ADT^A28", ("PID", PID | {"3": Raw("4711^^^CLINIC^MR")}), facility="LABORATORY")
    assert len(hub.all(fhir.Patient)) == 1


@pytest.mark.parametrize(
    ("number", "born", "patients"),
    [
        ("850309-2345678^^^^NI", "19850309", 1),
        ("850309-2345678^^^^NI", "19850310", 2),
        ("999999999^^^^NI", "19850309", 2),
    ],
)
def test_a_national_number_tells_who_someone_is_only_with_the_birth_date(
    hub: Hub, number: str, born: str, patients: int
) -> None:
    add(hub, f"4711~{number}")
    add(hub, f"4712~{number}", PID_7=born)
    assert len(hub.all(fhir.Patient)) == patients


def test_numbers_of_two_patients_are_decided_by_the_facilitys_own(hub: Hub) -> None:
    add(hub, "4711")
    add(hub, "E9^^^ELSEWHERE^MR")
    assert hub.send("ADT^A31", ("PID", PID | {"3": Raw("4711~E9^^^ELSEWHERE^MR")})).code == "AA"
    assert len(hub.all(fhir.Patient)) == 2
    assert [each.value for each in by_number(hub, "4711").identifier] == ["4711"]
    assert hub.tolerated() == {"identifiers of several patients": 1}


def test_numbers_of_two_patients_of_other_facilities_are_refused(hub: Hub) -> None:
    add(hub, "E8^^^EAST^MR")
    add(hub, "E9^^^ELSEWHERE^MR")
    answer = hub.send("ADT^A31", ("PID", PID | {"3": Raw("E8^^^EAST^MR~E9^^^ELSEWHERE^MR")}))
    assert (answer.code, answer.problems[0].code.value, str(answer.problems[0].location)) == (
        "AE", "205", "PID-3",
    )  # fmt: skip


def test_an_old_sender_may_put_the_number_in_pid_2(hub: Hub) -> None:
    assert hub.send("ADT^A28", ("PID", PID | {"3": None, "2": "4711"}), version="2.2").code == "AA"
    assert hub.one(fhir.Patient).identifier[0].value == "4711"


def test_a_deleted_person_is_inactive_until_heard_of_again(hub: Hub) -> None:
    add(hub, "4711")
    hub.send("ADT^A29", ("PID", PID | {"3": "4711"}))
    assert hub.one(fhir.Patient).active is False
    hub.visit()
    assert hub.one(fhir.Patient).active is True


# -- merges --------------------------------------------------------------------------------------


def merge(hub: Hub, survivor: str, loser: str) -> str:
    return str(hub.send("ADT^A40", ("PID", PID | {"3": Raw(survivor)}), ("MRG", {"1": Raw(loser)})).code)


def test_a_merge_links_both_patients_and_keeps_every_number(hub: Hub) -> None:
    add(hub, "1")
    add(hub, "2")
    assert merge(hub, "1", "2") == "AA"
    loser, survivor = (
        next(p for p in hub.all(fhir.Patient) if p.link[0].type == kind)
        for kind in ("replaced-by", "replaces")
    )
    assert loser.active is False
    assert loser.link[0].other.reference == f"Patient/{survivor.id}"
    assert survivor.link[0].other.reference == f"Patient/{loser.id}"
    assert [(each.value, each.use) for each in survivor.identifier] == [("1", None), ("2", "old")]


def test_after_a_merge_the_old_number_means_the_survivor(hub: Hub) -> None:
    add(hub, "1")
    add(hub, "2")
    merge(hub, "1", "2")
    assert hub.send("ADT^A04", ("PID", PID | {"3": "2"}), ("PV1", PV1)).code == "AA"
    survivor = next(p for p in hub.all(fhir.Patient) if p.active)
    assert hub.one(fhir.Encounter).subject.reference == f"Patient/{survivor.id}"
    assert survivor.link[0].type == "replaces"


def test_a_visit_of_the_loser_becomes_the_survivors_with_its_next_message(hub: Hub) -> None:
    hub.send("ADT^A04", ("PID", PID | {"3": "2"}), ("PV1", PV1))
    merge(hub, "1", "2")
    assert hub.send("ADT^A08", ("PID", PID | {"3": "1"}), ("PV1", PV1)).code == "AA"
    survivor = next(p for p in hub.all(fhir.Patient) if p.active)
    assert hub.one(fhir.Encounter).subject.reference == f"Patient/{survivor.id}"


def test_a_merge_sent_again_changes_nothing_more(hub: Hub) -> None:
    merge(hub, "1", "2")
    before = [len(hub.store.history("fhir/Patient", p.id)) for p in hub.all(fhir.Patient)]
    assert merge(hub, "1", "2") == "AA"
    assert [len(hub.store.history("fhir/Patient", p.id)) for p in hub.all(fhir.Patient)] == before


def test_a_merge_of_unknown_patients_is_remembered_for_late_messages(hub: Hub) -> None:
    merge(hub, "1", "2")
    assert len(hub.all(fhir.Patient)) == 2
    add(hub, "2")
    assert len(hub.all(fhir.Patient)) == 2


def test_merges_follow_one_another(hub: Hub) -> None:
    merge(hub, "2", "3")
    merge(hub, "1", "2")
    add(hub, "3", PID_16="S")
    survivor = next(p for p in hub.all(fhir.Patient) if p.active)
    assert {each.value for each in survivor.identifier} == {"1", "2", "3"}
    assert survivor.maritalStatus.coding[0].code == "S"


def test_one_who_was_merged_is_not_merged_into_another(hub: Hub) -> None:
    merge(hub, "1", "2")
    answer = hub.send("ADT^A40", ("PID", PID | {"3": "9"}), ("MRG", {"1": "2"}))
    assert (answer.code, str(answer.problems[0].location)) == ("AE", "MRG-1")


def test_several_merges_may_come_in_one_message(hub: Hub) -> None:
    pairs = [("1", "2"), ("5", "6")]
    body = [
        segment for a, b in pairs for segment in (("PID", PID | {"3": a}), ("MRG", {"1": b}))
    ]  # fmt: skip
    assert hub.send("ADT^A40", *body).code == "AA"
    assert sum(not patient.active for patient in hub.all(fhir.Patient)) == 2


def test_a_changed_number_is_the_same_patient(hub: Hub) -> None:
    add(hub, "1")
    hub.send("ADT^A47", ("PID", PID | {"3": "7"}), ("MRG", {"1": "1"}))
    patient = hub.one(fhir.Patient)
    assert [(each.value, each.use) for each in patient.identifier] == [("1", "old"), ("7", None)]


def test_a_patient_is_found_by_the_first_of_any_number_of_merged_numbers(hub: Hub) -> None:
    for n in range(1, 20):
        merge = ("PID", PID | {"3": str(n + 1)}), ("MRG", {"1": str(n)})
        assert hub.send("ADT^A40", *merge).code == "AA"
    assert hub.send("ADT^A31", ("PID", PID | {"3": "1", "8": "M"})).code == "AA"
    assert [each.gender for each in hub.all(fhir.Patient) if each.active] == ["male"]


def test_a_merge_back_makes_the_first_number_the_current_one_again(hub: Hub) -> None:
    add(hub, "1")
    add(hub, "2")
    for into, former in (("2", "1"), ("1", "2")):
        assert hub.send("ADT^A40", ("PID", PID | {"3": into}), ("MRG", {"1": former})).code == "AA"
    (patient,) = (each for each in hub.all(fhir.Patient) if each.active)
    assert {each.value: each.use for each in patient.identifier} == {"1": None, "2": "old"}


def test_one_who_took_over_another_still_says_so_after_being_merged(hub: Hub) -> None:
    for into, former in (("2", "1"), ("3", "2")):
        hub.send("ADT^A40", ("PID", PID | {"3": into}), ("MRG", {"1": former}))
    links = {
        each.identifier[0].value: [link.type for link in each.link or ()] for each in hub.all(fhir.Patient)
    }
    assert links == {"1": ["replaced-by"], "2": ["replaces", "replaced-by"], "3": ["replaces"]}


def test_two_facilities_that_give_an_authority_the_same_name_do_not_share_patients(hub: Hub) -> None:
    number = {"3": Raw("1001^^^MAIN^MR")}
    others = PID | number | {"5": Raw("PARK^JUN"), "7": "19500101", "8": "M"}
    hub.send("ADT^A28", ("PID", PID | number), facility="NORTH")
    hub.send("ADT^A28", ("PID", others), facility="SOUTH")
    hub.send("ADT^A31", ("PID", others | {"7": None, "16": "M"}), facility="SOUTH")
    found = {each.name[0].family: each.maritalStatus is not None for each in hub.all(fhir.Patient)}
    assert found == {"KIM": False, "PARK": True}
    assert hub.tolerated()["number of another patient"] == 1


def test_a_laboratory_that_names_the_hospitals_number_means_the_hospitals_patient(hub: Hub) -> None:
    number = PID | {"3": Raw("1001^^^MAIN^MR")}
    hub.send("ADT^A28", ("PID", number), facility="NORTH")
    for born in ("1985", "19850309", None):
        assert hub.send("ADT^A31", ("PID", number | {"7": born}), facility="LABOR").code == "AA"
    assert len(hub.all(fhir.Patient)) == 1


@pytest.mark.parametrize("value", ["UNKNOWN", "n/a", "000000", "?"])
def test_a_number_that_says_there_is_none_is_nobodys(hub: Hub, value: str) -> None:
    answer = hub.send("ADT^A28", ("PID", PID | {"3": value}))
    assert (answer.code, str(answer.problems[0].location)) == ("AE", "PID-3")


def test_a_birth_date_of_long_ago_is_the_day_that_was_stated(hub: Hub) -> None:
    add(hub, "4711", PID_7="19000101000000")
    assert hub.one(fhir.Patient).birthDate == "1900-01-01"
