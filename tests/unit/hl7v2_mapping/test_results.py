"""Results: values of each type, units, flags, reports, and what a correction changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from tests.hl7v2_hub import PID, PV1, Hub

OBR = {"1": "1", "2": "P1", "3": "F1", "4": Raw("24323-8^Panel^LN"), "7": "20260105090000", "25": "F"}
CODE = Raw("718-7^Hemoglobin^LN")


def obx(kind: str | None, value: str | None, **more: Any) -> tuple[str, dict[str, Any]]:
    raw = value if value is None else Raw(value)
    return ("OBX", {"1": "1", "2": kind, "3": CODE, "5": raw, "11": "F"} | more)


def result(
    hub: Hub, *results: tuple[str, dict[str, Any]], at: str = "20260105100000", **obr: Any
) -> Acknowledgement:
    changed = {name.removeprefix("OBR_"): value for name, value in obr.items()}
    return hub.send("ORU^R01", ("PID", PID), ("OBR", OBR | changed), *results, at=at)


@pytest.mark.parametrize(
    ("kind", "value", "element", "expected"),
    [
        ("NM", "13.40", "valueQuantity", fhir.Quantity(value=Decimal("13.40"))),
        ("NM", "<5", "valueQuantity", fhir.Quantity(value=Decimal(5), comparator="<")),
        ("NM", "-.5", "valueQuantity", fhir.Quantity(value=Decimal("-0.5"))),
        ("SN", ">=^10", "valueQuantity", fhir.Quantity(value=Decimal(10), comparator=">=")),
        ("SN", "^182", "valueQuantity", fhir.Quantity(value=Decimal(182))),
        ("SN", "^1^-^3", "valueRange",
         fhir.Range(low=fhir.Quantity(value=Decimal(1)), high=fhir.Quantity(value=Decimal(3)))),
        ("SN", "^1^:^128", "valueRatio",
         fhir.Ratio(
             numerator=fhir.Quantity(value=Decimal(1)), denominator=fhir.Quantity(value=Decimal(128)))),
        ("SN", "^3^+", "valueString", "3+"),
        ("NR", "1^3", "valueRange",
         fhir.Range(low=fhir.Quantity(value=Decimal(1)), high=fhir.Quantity(value=Decimal(3)))),
        ("ST", "no growth", "valueString", "no growth"),
        ("TX", "first~second", "valueString", "first\nsecond"),
        ("FT", r"a\.br\b \T\ c", "valueString", "a\nb & c"),
        ("CWE", "260373001^Detected^SCT", "valueCodeableConcept",
         fhir.CodeableConcept(text="Detected", coding=[
             fhir.Coding(system="http://snomed.info/sct", code="260373001", display="Detected")])),
        ("IS", "X", "valueCodeableConcept", fhir.CodeableConcept(text="X", coding=[fhir.Coding(code="X")])),
        ("DT", "20260105", "valueDateTime", "2026-01-05"),
        ("TS", "202601050930", "valueDateTime", "2026-01-05T09:30:00+09:00"),
        ("TM", "0930", "valueTime", "09:30:00"),
        ("DR", "20260101^20260105", "valuePeriod", fhir.Period(start="2026-01-01", end="2026-01-05")),
        ("CX", "4711^^^CLINIC", "valueString", "4711"),
        ("XAD", "12 MAPO-RO^^SEOUL", "valueString", "12 MAPO-RO SEOUL"),
    ],
)  # fmt: skip
def test_a_value_becomes_the_element_of_its_type(
    hub: Hub, kind: str, value: str, element: str, expected: object
) -> None:
    assert result(hub, obx(kind, value)).code == "AA"
    observation = hub.one(fhir.Observation)
    assert getattr(observation, element) == expected
    assert (observation.status, observation.dataAbsentReason) == ("final", None)


@pytest.mark.parametrize(
    ("kind", "value", "code", "field"),
    [
        ("NM", "positive", "102", 5), ("NM", "1e5", "102", 5), ("SN", "^ten", "102", 5),
        ("DT", "soon", "102", 5), ("TM", "2561", "102", 5), ("ED", "^TEXT^XML^Base64^%%%", "102", 5),
        ("QQ", "1", "103", 2),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_its_type_is_refused_with_its_place(
    hub: Hub, kind: str, value: str, code: str, field: int
) -> None:
    answer = result(hub, obx("ST", "fine"), obx(kind, value))
    (problem,) = answer.problems
    assert (answer.code, problem.code.value) == ("AE", code)
    assert (problem.location.segment, problem.location.sequence, problem.location.field) == ("OBX", 2, field)
    assert not hub.all(fhir.Observation)


def test_a_number_has_its_unit_in_ucum_range_and_flag(hub: Hub) -> None:
    result(hub, obx("NM", "38.9", **{"6": "C", "7": "36.1-37.8", "8": "H", "17": Raw("EAR^ear^L")}))
    observation = hub.one(fhir.Observation)
    quantity = observation.valueQuantity
    assert (quantity.unit, quantity.system, quantity.code) == ("C", "http://unitsofmeasure.org", "Cel")
    (bounds,) = observation.referenceRange
    assert (bounds.low.value, bounds.high.value, bounds.text) == (
        Decimal("36.1"),
        Decimal("37.8"),
        "36.1-37.8",
    )
    assert observation.interpretation[0].coding[0].code == "H"
    assert observation.method.text == "ear"


def test_a_unit_that_is_not_known_is_kept_as_it_is(hub: Hub) -> None:
    result(hub, obx("NM", "3", **{"6": "drops"}))
    quantity = hub.one(fhir.Observation).valueQuantity
    assert (quantity.unit, quantity.system, quantity.code) == ("drops", None, None)


def test_several_values_become_components(hub: Hub) -> None:
    result(hub, obx("NM", "60~120"))
    observation = hub.one(fhir.Observation)
    assert [each.valueQuantity.value for each in observation.component] == [60, 120]
    assert observation.valueQuantity is None


def test_lines_of_one_text_are_one_observation(hub: Hub) -> None:
    result(hub, obx("TX", "first"), obx("TX", None), obx("TX", "third"), obx("TX", "else", **{"4": "2"}))
    assert sorted(each.valueString for each in hub.all(fhir.Observation)) == ["else", "first\n\nthird"]


def test_a_final_result_without_a_value_says_so(hub: Hub) -> None:
    result(hub, obx("NM", None))
    assert hub.one(fhir.Observation).dataAbsentReason.coding[0].code == "unknown"


def test_a_note_belongs_to_its_result(hub: Hub) -> None:
    result(hub, obx("NM", "1"), ("NTE", {"3": "haemolytic"}), ("NTE", {"3": "repeat"}))
    assert hub.one(fhir.Observation).note[0].text == "haemolytic\nrepeat"


def test_a_result_without_a_name_has_that_of_the_examination(hub: Hub) -> None:
    assert result(hub, obx("TX", "normal", **{"3": None})).code == "AA"
    assert hub.one(fhir.Observation).code.coding[0].code == "24323-8"
    assert hub.tolerated() == {"OBX-3 empty, OBR-4 taken": 1}


def test_travel_and_temperature_of_a_visit_have_their_category(hub: Hub) -> None:
    hub.visit(
        "A04",
        obx("NM", "38.9", **{"3": Raw("8310-5^Temperature^LN")}),
        obx("TX", "Seoul, Daegu", **{"3": Raw("10182-4^Travel^LN")}),
    )
    encounter = hub.one(fhir.Encounter)
    found = {each.category[0].coding[0].code: each for each in hub.all(fhir.Observation)}
    assert found["social-history"].valueString == "Seoul, Daegu"
    assert found["vital-signs"].encounter.reference == f"Encounter/{encounter.id}"


def test_a_visit_sent_again_has_its_observations_once(hub: Hub) -> None:
    temperature = {"3": Raw("8310-5^Temperature^LN")}
    hub.visit("A04", obx("NM", "38.9", **temperature))
    hub.visit("A08", obx("NM", "39.1", **temperature))
    assert hub.one(fhir.Observation).valueQuantity.value == Decimal("39.1")
    hub.visit("A08", obx("NM", "37.0", **temperature, **{"14": "20260106"}))
    assert len(hub.all(fhir.Observation)) == 2


# -- reports -------------------------------------------------------------------------------------


def test_a_report_has_numbers_results_times_and_who_asked(hub: Hub) -> None:
    hub.visit("A04")
    body = OBR | {"16": Raw("D7^PARK^JIHO"), "22": "20260105095900", "24": "HM", "32": Raw("D8&LEE&ARA")}
    hub.send("ORU^R01", ("PID", PID), ("PV1", PV1), ("OBR", body), obx("NM", "1"))
    report = hub.one(fhir.DiagnosticReport)
    assert [(each.type.coding[0].code, each.value) for each in report.identifier] == [
        ("PLAC", "P1"),
        ("FILL", "F1"),
    ]
    assert report.result[0].reference == f"Observation/{hub.one(fhir.Observation).id}"
    assert (report.status, report.effectiveDateTime, report.issued) == (
        "final", "2026-01-05T09:00:00+09:00", "2026-01-05T09:59:00+09:00",
    )  # fmt: skip
    assert report.encounter.reference == f"Encounter/{hub.one(fhir.Encounter).id}"
    assert report.category[0].coding[0].code == "HM"
    people = {f"Practitioner/{each.id}": each.name[0].family for each in hub.all(fhir.Practitioner)}
    assert people[report.contained[0].requester.reference] == "PARK"
    assert people[report.resultsInterpreter[0].reference] == "LEE"


def test_a_result_makes_no_visit_but_names_it(hub: Hub) -> None:
    hub.send("ORU^R01", ("PID", PID), ("PV1", PV1), ("OBR", OBR), obx("NM", "1"))
    assert not hub.all(fhir.Encounter)
    assert hub.one(fhir.Observation).encounter.identifier.value == "V1"


def test_a_correction_changes_the_same_report_and_observation(hub: Hub) -> None:
    result(hub, obx("NM", "13"), obx("NM", "5", **{"3": Raw("6690-2^WBC^LN")}))
    result(hub, obx("NM", "14", **{"11": "C"}), at="20260105110000", OBR_25="C")
    report = hub.one(fhir.DiagnosticReport)
    assert (report.status, len(report.result)) == ("corrected", 2)
    corrected = next(o for o in hub.all(fhir.Observation) if o.code.coding[0].code == "718-7")
    assert (corrected.status, corrected.valueQuantity.value) == ("corrected", 14)
    assert len(hub.store.history("fhir/Observation", corrected.id)) == 2


def test_a_preliminary_result_becomes_final(hub: Hub) -> None:
    result(hub, obx("NM", "13", **{"11": "P"}), OBR_25="P")
    result(hub, obx("NM", "13"), at="20260105110000")
    assert (hub.one(fhir.DiagnosticReport).status, hub.one(fhir.Observation).status) == ("final", "final")


def test_a_result_that_was_wrong_is_entered_in_error(hub: Hub) -> None:
    result(hub, obx("NM", "13"))
    result(hub, obx("NM", "13", **{"11": "W"}), at="20260105110000")
    assert hub.one(fhir.Observation).status == "entered-in-error"


def test_an_older_result_does_not_overwrite_a_newer_one(hub: Hub) -> None:
    result(hub, obx("NM", "14", **{"11": "C"}), at="20260105110000", OBR_25="C")
    assert result(hub, obx("NM", "13"), at="20260105100000").code == "AA"
    assert hub.one(fhir.Observation).valueQuantity.value == 14
    assert hub.tolerated() == {"result older than the one that is known": 1}


def test_examinations_under_one_number_are_reports_of_their_own(hub: Hub) -> None:
    second = ("OBR", OBR | {"1": "2", "4": Raw("58410-2^CBC^LN")})
    hub.send("ORU^R01", ("PID", PID), ("OBR", OBR), obx("NM", "1"), second, obx("NM", "2"))
    assert len(hub.all(fhir.DiagnosticReport)) == 2
    assert len(hub.all(fhir.Observation)) == 2


def test_a_document_is_attached_to_the_report(hub: Hub) -> None:
    result(hub, obx("ED", "^application^pdf^Base64^JVBERi0="), obx("RP", "http://pacs/1^^image^jpeg"))
    pdf, image = hub.one(fhir.DiagnosticReport).presentedForm
    assert (pdf.contentType, pdf.data) == ("application/pdf", "JVBERi0=")
    assert (image.contentType, image.url) == ("image/jpeg", "http://pacs/1")


def test_a_report_without_number_is_kept_each_time(hub: Hub) -> None:
    result(hub, obx("NM", "1"), OBR_2=None, OBR_3=None)
    result(hub, obx("NM", "1"), OBR_2=None, OBR_3=None)
    assert len(hub.all(fhir.DiagnosticReport)) == 2


def test_an_order_number_that_is_used_again_leaves_the_other_patients_result_alone(hub: Hub) -> None:
    result(hub, obx("NM", "5"))
    other = ("PID", PID | {"3": Raw("99^^^CLINIC^MR")})
    assert hub.send("ORU^R01", other, ("OBR", OBR), obx("NM", "50"), at="20260105110000").code == "AA"
    found = {each.subject.reference: each.valueQuantity.value for each in hub.all(fhir.Observation)}
    assert sorted(found.values()) == [5, 50]
    assert {each.subject.reference for each in hub.all(fhir.DiagnosticReport)} == set(found)
    assert hub.tolerated()["order number of another patient's result"] == 2


def test_a_correction_after_a_merge_changes_the_result_of_the_one_who_was_merged(hub: Hub) -> None:
    result(hub, obx("NM", "5"))
    survivor = ("PID", PID | {"3": Raw("99^^^CLINIC^MR")})
    hub.send("ADT^A40", survivor, ("MRG", {"1": PID["3"]}))
    hub.send("ORU^R01", survivor, ("OBR", OBR), obx("NM", "6", **{"11": "C"}), at="20260105110000")
    assert hub.one(fhir.Observation).valueQuantity.value == 6


def test_a_comment_on_an_order_is_kept_with_it(hub: Hub) -> None:
    result(hub, ("NTE", {"3": "haemolysed"}), obx("NM", "5"), ("NTE", {"3": "repeat"}))
    (order,) = hub.one(fhir.DiagnosticReport).contained
    assert [each.text for each in order.note] == ["haemolysed"]
    assert [each.text for each in hub.one(fhir.Observation).note] == ["repeat"]


def test_a_comment_on_nothing_is_counted(hub: Hub) -> None:
    hub.send("ORU^R01", ("PID", PID), ("NTE", {"3": "prefers mornings"}), ("OBR", OBR), obx("NM", "5"))
    assert hub.tolerated()["NTE that is not about an order or result left out"] == 1


def test_a_result_without_an_order_is_refused(hub: Hub) -> None:
    answer = hub.send("ORU^R01", ("PID", PID), obx("NM", "39"), ("OBR", OBR))
    assert (answer.code, answer.problems[0].code.value) == ("AE", "100")


def test_a_structured_number_without_a_number_keeps_what_it_says(hub: Hub) -> None:
    result(hub, obx("SN", "POS"))
    assert hub.one(fhir.Observation).valueString == "POS"
