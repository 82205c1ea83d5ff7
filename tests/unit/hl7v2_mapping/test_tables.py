"""The tables hold together: each name in them means something."""

from __future__ import annotations

import re

import pytest

from broadstreet.connectors.hl7v2.mapping import measurements, rules, tables
from broadstreet.model import fhir

ELEMENT_CONVERSIONS = {"address", "addresses", "phones"}


@pytest.mark.parametrize("row", list(tables.rows("fields")), ids=lambda row: row["field"])
def test_a_field_goes_to_an_element_by_a_known_conversion(row: dict[str, str]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]{2}-[1-9][0-9]*", row["field"])
    resource, element, *inner = row["element"].rstrip("+").split(".")
    names = getattr(fhir, resource).__struct_fields__
    assert element in names or f"{element}_" in names
    if inner:
        around = {"period": fhir.Period, "hospitalization": fhir.EncounterHospitalization}[element]
        assert inner[0] in around.__struct_fields__
    name, _, argument = row["conversion"].partition(":")
    assert name in rules.CONVERSIONS
    if name in {"code", "coding"}:
        assert tables.codes(argument)
    assert row["if wrong"] in {"refuse", "leave out"}


def test_every_event_says_what_it_does_in_words_the_mapping_knows() -> None:
    for event in tables.events().values():
        assert event.patient in {"update", "merge", "rename", "retire", "refuse"}
        if event.patient == "refuse":
            assert event.remark, event.event
            continue
        assert event.visit in {"update", "move", "rename", "refer", "ignore"}
        assert event.location in {"moved", "back", "ignored"}
        assert event.needs
        assert set(event.needs) <= {"PID", "PV1", "MRG", "OBR"}
        assert event.status == "keep" or re.fullmatch("[a-z-]+", event.status)


def test_every_event_of_the_standard_has_a_row() -> None:
    # HL7 table 0003: A56 to A59 were never given, A63 on do not exist
    numbers = {*range(1, 56), 60, 61, 62}
    assert {event for kind, event in tables.events() if kind == "ADT"} == {f"A{n:02d}" for n in numbers}


def test_no_value_of_a_code_table_stands_twice() -> None:
    found = [(row["table"], row["value"].upper()) for row in tables.rows("codes")]
    assert len(found) == len(set(found))


def test_the_codes_for_fhir_are_those_that_fhir_has() -> None:
    allowed = {
        "0001": {"male", "female", "other", "unknown"},
        "0085": {
            "registered",
            "preliminary",
            "final",
            "amended",
            "corrected",
            "cancelled",
            "entered-in-error",
        },
        "0123": {"registered", "partial", "preliminary", "final", "corrected", "cancelled", "unknown"},
        "0190": {"home", "work", "temp", "old", "billing"},
        "0200": {"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"},
        "0201": {"home", "work", "temp", "old", "mobile"},
        "0202": {"phone", "fax", "email", "pager", "url", "sms", "other"},
    }
    for table, codes in allowed.items():
        assert {each.code for each in tables.codes(table).values()} <= codes


def test_every_type_of_value_has_its_conversion() -> None:
    assert {row["conversion"] for row in tables.rows("values")} == set(measurements.MEASURES)
