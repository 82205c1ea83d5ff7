"""Searches as people make them: a surveillance officer, a clinician, a FHIR client."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from broadstreet.model.clock import DrivenClock, microseconds
from broadstreet.store.committer import Committer
from broadstreet.store.query import (
    ANY,
    AnyOf,
    Composite,
    Dated,
    Missing,
    Not,
    Number,
    Quantity,
    Refers,
    Searching,
    Text,
    Token,
    Uri,
)

from .conftest import START
from .searching import LOINC, PULSE, TEMPERATURE, UCUM, delete, ids, measure, put, quantity


@pytest.fixture
def ward(committer: Committer, store: Searching) -> Searching:
    """Return a store with temperatures and pulses of two people over three days."""
    for id, who, code, day, value in [
        ("t1", "ann", TEMPERATURE, "05", quantity(36.6)),
        ("t2", "ann", TEMPERATURE, "06", quantity(39.4)),
        ("t3", "ben", TEMPERATURE, "06", quantity(101.3, "[degF]")),
        ("p1", "ann", PULSE, "06", quantity(110, "/min")),
        ("p2", "ben", PULSE, "07", quantity(70, "/min")),
    ]:
        when = f"2026-01-{day}T08:00:00Z"
        person = {"reference": f"Patient/{who}"}
        measure(committer, store, id, code=code, subject=person, effectiveDateTime=when, valueQuantity=value)
    return store


@pytest.fixture
def residents(committer: Committer, store: Searching) -> Searching:
    """Return a store with residents of several scripts."""
    for id, family, given, birth in [
        ("kim", "김", "철수", "1970-03"),
        ("kang", "강", "영희", "1985-11-02"),
        ("mueller", "Müller", "Jörg", "1970-03-15"),
        ("mullen", "Mullen", "Ann", None),
    ]:
        more = {"birthDate": birth} if birth else {}
        name = [{"family": family, "given": [given]}]
        put(committer, store, id, type="Patient", name=name, **more)
    return store


def test_an_officer_finds_the_fevers_of_a_day(ward: Searching) -> None:
    fever = Quantity("value-quantity", "ge", Decimal("38.0"), UCUM, "Cel")
    taken = Token("code", LOINC, "8310-5")
    assert ids(ward, "Observation", taken, fever, Dated.of("date", "2026-01-06")) == ["t3", "t2"]
    assert ids(ward, "Observation", taken, fever, Dated.of("date", "2026-01-05")) == []


def test_a_window_of_days_has_a_beginning_and_an_end(ward: Searching) -> None:
    window = Dated.of("date", "ge2026-01-06"), Dated.of("date", "lt2026-01-07")
    assert ids(ward, "Observation", *window) == ["p1", "t3", "t2"], "latest first"


def test_a_clinician_finds_what_is_known_of_a_patient(ward: Searching) -> None:
    assert ids(ward, "Observation", Refers("subject", "Patient/ann")) == ["p1", "t2", "t1"], "newest first"
    assert ids(ward, "Observation", Refers("patient", "ann")) == ["p1", "t2", "t1"]
    assert ids(ward, "Observation", Refers("patient", "Group/ann")) == []


def test_a_bare_id_needs_to_be_said_of_what_where_it_could_be_anything(store: Searching) -> None:
    with pytest.raises(ValueError, match="may refer to anything: say what, as in Patient/7"):
        ids(store, "Provenance", Refers("target", "7"))


def test_a_code_is_found_with_its_system_without_and_by_system_alone(ward: Searching) -> None:
    assert len(ids(ward, "Observation", Token("code", LOINC, "8867-4"))) == 2
    assert len(ids(ward, "Observation", Token("code", ANY, "8867-4"))) == 2
    assert ids(ward, "Observation", Token("code", None, "8867-4")) == []
    assert len(ids(ward, "Observation", Token("code", LOINC, None), Refers("subject", "Patient/ben"))) == 2
    with pytest.raises(ValueError, match="names a code, or at least a system"):
        ids(ward, "Observation", Token("code", ANY, None))


def test_a_list_finds_any_of_its_values_each_resource_once(committer: Committer, ward: Searching) -> None:
    both = {"coding": [*TEMPERATURE["coding"], *PULSE["coding"], {"code": "8310-5"}]}
    measure(committer, ward, "both", code=both)
    either = AnyOf((Token("code", ANY, "8310-5"), Token("code", ANY, "8867-4")))
    assert ids(ward, "Observation", either) == ["both", "p2", "p1", "t3", "t2", "t1"]
    assert ids(ward, "Observation", either, limit=1) == ["both"]


def test_what_is_not_so_is_found_by_not(ward: Searching) -> None:
    assert ids(ward, "Observation", Not(Token("code", ANY, "8310-5"))) == ["p2", "p1"]
    assert ids(ward, "Observation", Not(Token("code", ANY, "8310-5")), Refers("patient", "ben")) == ["p2"]


def test_without_conditions_all_of_a_type_are_found(ward: Searching, committer: Committer) -> None:
    assert ids(ward, "Observation") == ["p2", "p1", "t3", "t2", "t1"]
    delete(committer, "Observation", "p2")
    assert ids(ward, "Observation") == ["p1", "t3", "t2", "t1"]
    assert ids(ward, "Patient") == []


def test_a_temperature_is_found_in_any_unit_and_a_number_in_its_own(ward: Searching) -> None:
    assert ids(ward, "Observation", Quantity("value-quantity", "eq", Decimal("38.5"), UCUM, "Cel")) == ["t3"]
    assert ids(ward, "Observation", Quantity("value-quantity", "eq", Decimal("101.3"))) == ["t3"]
    assert ids(ward, "Observation", Quantity("value-quantity", "gt", Decimal("38.5"), UCUM, "Cel")) == ["t2"]
    assert ids(ward, "Observation", Quantity("value-quantity", "sa", Decimal(100), UCUM, "/min")) == ["p1"]


def test_the_digits_of_a_number_tell_how_precise_it_is(committer: Committer, store: Searching) -> None:
    for id, chance in [("a", 0.8), ("b", 0.84), ("c", 0.805)]:
        more = {"status": "final", "prediction": [{"probabilityDecimal": chance}]}
        put(committer, store, id, type="RiskAssessment", subject={"display": "x"}, **more)

    def found(digits: str) -> set[str]:
        return set(ids(store, "RiskAssessment", Number("probability", "eq", Decimal(digits))))

    assert found("0.8") == {"a", "b", "c"}
    assert found("0.80") == {"a"}
    assert found("0.84") == {"b"}


def test_components_are_found_where_they_stand_together(committer: Committer, store: Searching) -> None:
    def component(code: str, value: int) -> dict[str, object]:
        coded = {"coding": [{"system": LOINC, "code": code}]}
        return {"code": coded, "valueQuantity": quantity(value, "mm[Hg]")}

    measure(committer, store, "high", component=[component("8480-6", 180), component("8462-4", 80)])
    measure(committer, store, "low", component=[component("8480-6", 110), component("8462-4", 180)])
    systolic = Token("code", LOINC, "8480-6"), Quantity("value", "gt", Decimal(140), UCUM, "mm[Hg]")
    assert ids(store, "Observation", Composite("component-code-value-quantity", systolic)) == ["high"]
    assert ids(store, "Observation", Composite("combo-code-value-quantity", systolic)) == ["high"]
    with pytest.raises(ValueError, match="it takes 2 conditions"):
        ids(store, "Observation", Composite("component-code-value-quantity", systolic[:1]))
    with pytest.raises(ValueError, match="is a quantity: Token does not fit"):
        ids(store, "Observation", Composite("component-code-value-quantity", (systolic[0], systolic[0])))


def test_a_composite_of_the_resource_itself_is_all_of_its_components(ward: Searching) -> None:
    fast = Token("code", LOINC, "8867-4"), Quantity("value", "gt", Decimal(100), UCUM, "/min")
    assert ids(ward, "Observation", Composite("code-value-quantity", fast)) == ["p1"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("김", ["kim"]),
        ("김철", ["kim"]),
        ("철수", ["kim"]),
        ("MUL", ["mullen", "mueller"]),
        ("müll", ["mullen", "mueller"]),
        ("muller", ["mueller"]),
        ("jorg", ["mueller"]),
        ("x", []),
    ],
)
def test_names_are_found_by_how_they_begin_in_every_script(
    residents: Searching, typed: str, found: list[str]
) -> None:
    assert ids(residents, "Patient", Text("name", typed)) == found


def test_a_text_is_found_whole_or_in_the_middle(residents: Searching) -> None:
    assert ids(residents, "Patient", Text("family", "mull", "exact")) == []
    assert ids(residents, "Patient", Text("family", "MULLEN", "exact")) == ["mullen"]
    assert set(ids(residents, "Patient", Text("name", "ull", "contains"))) == {"mueller", "mullen"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1970-03", {"kim", "mueller"}),
        ("1970-03-15", {"mueller"}),
        ("ne1970-03", {"kang"}),
        ("gt1970-03-15", {"kim", "kang"}),  # of March 1970, some days are after the 15th
        ("lt1970-03-15", {"kim"}),
        ("ge1970-03-15", {"kim", "mueller", "kang"}),
        ("le1970-03-15", {"kim", "mueller"}),
        ("sa1970-03", {"kang"}),
        ("eb1985", {"kim", "mueller"}),
        ("ap1970", {"kim", "mueller"}),
    ],
)
def test_the_prefixes_compare_what_was_said_with_what_is_known(
    residents: Searching, asked: str, found: set[str]
) -> None:
    assert set(ids(residents, "Patient", Dated.of("birthdate", asked))) == found


def test_a_visit_without_an_end_is_still_going_on(committer: Committer, store: Searching) -> None:
    visit = {"type": "Encounter", "status": "in-progress", "class": {"code": "EMER"}}
    put(committer, store, "open", period={"start": "2026-01-05T10:00:00Z"}, **visit)
    put(committer, store, "over", period={"start": "2026-01-05", "end": "2026-01-06"}, **visit)
    assert set(ids(store, "Encounter", Dated.of("date", "ap2026-01-06"))) == {"open", "over"}
    assert set(ids(store, "Encounter", Dated.of("date", "ge2026-01-06T12:00:00Z"))) == {"open", "over"}
    assert ids(store, "Encounter", Dated.of("date", "ap2030")) == ["open"]
    assert ids(store, "Encounter", Dated.of("date", "gt2026-01-06")) == ["open"]


def test_what_is_not_said_is_found_as_missing(residents: Searching) -> None:
    assert ids(residents, "Patient", Missing("birthdate")) == ["mullen"]
    assert ids(residents, "Patient", Missing("birthdate", False)) == ["mueller", "kang", "kim"]
    assert ids(residents, "Patient", Missing("_id")) == []
    assert ids(residents, "Patient", Missing("birthdate"), Text("family", "mul")) == ["mullen"]


def test_a_uri_is_found_with_what_lies_below_and_above(committer: Committer, store: Searching) -> None:
    for id, url in [("a", "http://x.org/a"), ("ab", "http://x.org/a/b"), ("abc", "http://x.org/abc")]:
        put(committer, store, id, type="ValueSet", status="draft", url=url)
    assert ids(store, "ValueSet", Uri("url", "http://x.org/a")) == ["a"]
    assert ids(store, "ValueSet", Uri("url", "http://x.org/a", "below")) == ["a", "ab"]
    assert ids(store, "ValueSet", Uri("url", "http://x.org/a/b", "above")) == ["a", "ab"]
    assert ids(store, "ValueSet", Uri("url", "http://X.org/a")) == []


def test_resources_are_found_by_their_ids(ward: Searching, committer: Committer) -> None:
    two = AnyOf((Token("_id", ANY, "t1"), Token("_id", ANY, "p1"), Token("_id", ANY, "none")))
    assert ids(ward, "Observation", two) == ["p1", "t1"]
    assert ids(ward, "Observation", two, Refers("patient", "ben")) == []
    before = ward.head()
    delete(committer, "Observation", "t1")
    assert ids(ward, "Observation", two) == ["p1"]
    assert ids(ward, "Observation", two, at=before) == ["p1", "t1"]
    assert ids(ward, "Patient", Token("_id", ANY, "t1")) == []
    with pytest.raises(ValueError, match="_id is searched as a token"):
        ids(ward, "Observation", Text("_id", "t1"))


def test_what_came_lately_is_found_by_its_time(
    committer: Committer, store: Searching, clock: DrivenClock
) -> None:
    for hour in range(4):
        clock.advance(START + timedelta(hours=hour))
        measure(committer, store, f"at{hour}")

    def since(prefix: str, hour: int) -> list[str]:
        moment = microseconds(START + timedelta(hours=hour))
        return ids(store, "Observation", Dated("_lastUpdated", prefix, moment, moment + 1))  # type: ignore[arg-type]

    assert since("gt", 1) == ["at3", "at2"]
    assert since("ge", 1) == ["at3", "at2", "at1"]
    assert since("lt", 1) == ["at0"]
    assert since("eq", 1) == ["at1"]
    assert since("ne", 1) == ["at3", "at2", "at0"]


def test_the_identifier_of_who_is_referred_to_is_found_as_a_token(
    committer: Committer, store: Searching
) -> None:
    logical = {"identifier": {"system": "urn:mr", "value": "7"}}
    measure(committer, store, "a", subject=logical)
    assert ids(store, "Observation", Token("subject", "urn:mr", "7")) == ["a"]
    assert ids(store, "Observation", Missing("subject", False)) == ["a"]


def test_a_count_is_exact_or_says_that_it_is_not(ward: Searching) -> None:
    found = ward.count_found("Observation", [Token("code", LOINC, "8310-5")])
    assert (found.number, found.exact) == (3, True)
    found = ward.count_found("Observation", [], most=2)
    assert (found.number, found.exact) == (2, False)
