"""Expressions: what they give, and how they are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from broadstreet.model import fhir, fhirpath
from broadstreet.model.clock import DrivenClock
from broadstreet.model.fhirpath import evaluation

SNOW = fhir.decode(
    b"""{"resourceType": "Patient", "id": "snow", "active": true, "birthDate": "1813-03-15",
    "_birthDate": {"extension": [{"url": "urn:place", "valueString": "York"}]},
    "name": [{"use": "official", "family": "Snow", "given": ["John", null],
              "_given": [null, {"extension": [{"url": "urn:why", "valueCode": "unknown"}]}]},
             {"use": "nickname", "given": ["Jack"]}],
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "s@example.org"}],
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Organization/2"},
                            {"reference": "#here"}, {"type": "Practitioner", "display": "Budd"}],
    "deceasedDateTime": "1858-06-16"}"""
)
CHOLERA = fhir.decode(
    b"""{"resourceType": "Observation", "status": "final", "code": {"text": "weight"},
    "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}"""
)


def ask(expression: str, resource: fhir.Resource = SNOW, **options: object) -> list:
    found = fhirpath.compile(expression, type(resource).__name__, **options)(resource)
    assert found == fhirpath.compile(expression, **options)(resource)  # the type makes it stricter, not other
    return found


def refused(expression: str, kind: str | None = "Patient") -> str:
    with pytest.raises(fhirpath.FhirpathError) as caught:
        fhirpath.compile(expression, kind)(SNOW)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Patient.name.family", ["Snow"]),
        ("name.given", ["John", "Jack"]),
        ("name.where(use = 'nickname').given", ["Jack"]),
        ("name[1].given", ["Jack"]),
        ("name.given.count()", [3]),
        ("name.given.where(hasValue())", ["John", "Jack"]),
        ("name.given.extension('urn:why').value", ["unknown"]),
        ("birthDate.extension('urn:place').value.ofType(string)", ["York"]),
        ("deceased", ["1858-06-16"]),
        ("deceased.ofType(dateTime)", ["1858-06-16"]),
        ("deceased.ofType(boolean)", []),
        ("deceased is dateTime", [True]),
        ("generalPractitioner.where(resolve() is Practitioner).reference", ["Practitioner/1"]),
        ("generalPractitioner.where(resolve() is Practitioner).display", ["Budd"]),
        ("telecom.where(system = 'email' and value.contains('@')).value", ["s@example.org"]),
        ("birthDate < @1850", [True]),
        ("birthDate = @1813-03", []),
        ("(@1858-06-16 > birthDate) and active", [True]),
        ("name.select(given.first() & ' ' & family)", ["John Snow", "Jack "]),
        ("iif(active, 'yes', 'no')", ["yes"]),
        ("name.given.first().length()", [4]),
        ("name.exists(use = 'nickname')", [True]),
        ("Patient.deceased.exists() and Patient.deceased != false", [True]),
        ("%resource.id", ["snow"]),
        ("telecom.select($index)", [0, 1]),
        ("3 'kg' + 500 'g'", [fhirpath.Quantity(Decimal("3.5"), "kg")]),
        ("'it\\'s \\u00e9'", ["it's é"]),
        ("7 days = 1 week", [True]),
    ],
)
def test_an_expression_gives(expression: str, found: list) -> None:
    assert ask(expression) == found


def test_a_choice_is_named_without_its_type() -> None:
    assert ask("Observation.value.unit", CHOLERA) == ["kg"]
    assert ask("(value as Quantity) >= 70000 'g'", CHOLERA) == [True]
    assert ask("value > 154 '[lb_av]'", CHOLERA) == [True]


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("name.where(use = 'x'", "SyntaxInvalid: expected ')' at 20 in 'name.where(use = 'x''"),
        ("name..given", "SyntaxInvalid: expected a name, got '.' at 5 in 'name..given'"),
        ("1 +", "SyntaxInvalid: expected a value, a name or '(', got the end at 3 in '1 +'"),
        ("'open", "SyntaxInvalid: ' is not closed at 0 in ''open'"),
        ("@2015-02-30", "SyntaxInvalid: not a date: '@2015-02-30' at 0 in '@2015-02-30'"),
        ("name.given1", "TypeInvalid: HumanName has no element 'given1' at 5 in 'name.given1'"),
        (
            "Encounter.id",
            "TypeInvalid: the expression begins at Patient, not at Encounter at 0 in 'Encounter.id'",
        ),
        (
            "deceasedBoolean",
            "TypeInvalid: Patient has no element 'deceasedBoolean' (write deceased.ofType(boolean)) at 0 "
            "in 'deceasedBoolean'",
        ),
        ("name.first(1)", "TypeInvalid: first() takes 0 arguments (got 1) at 5 in 'name.first(1)'"),
        ("name is Nome", "TypeInvalid: no type named 'Nome' at 5 in 'name is Nome'"),
        ("%city", "TypeInvalid: no constant named %city at 0 in '%city'"),
        (
            "name.memberOf('x')",
            "Unsupported: memberOf() is not supported: needs a terminology server at 5 "
            "in 'name.memberOf('x')'",
        ),
        (
            "name.shuffle()",
            "Unsupported: shuffle() is not supported: FHIRPath has no such function at 5 in 'name.shuffle()'",
        ),
        ("now()", "Unsupported: now() needs a clock at 0 in 'now()'"),
        (
            "generalPractitioner.resolve().name",
            "Unsupported: resolve() tells the type that a reference leads to, it does not fetch at 30 "
            "in 'generalPractitioner.resolve().name'",
        ),
        ("name.single()", "EvaluationError: single() takes one item (got 2) at 5 in 'name.single()'"),
        ("1 < 'a'", "EvaluationError: < cannot order Integer and String at 2 in '1 < 'a''"),
        ("-active", "EvaluationError: - takes a number (got Boolean) at 0 in '-active'"),
    ],
)
def test_an_expression_is_refused_with_the_place(expression: str, error: str) -> None:
    assert refused(expression) == error


def test_an_expression_without_a_type_looks_for_elements_and_finds_none() -> None:
    assert fhirpath.compile("name.given1")(SNOW) == []
    assert fhirpath.compile("Encounter.status")(SNOW) == []


def test_a_resource_of_another_type_is_refused() -> None:
    program = fhirpath.compile("name", "Patient")
    with pytest.raises(fhirpath.EvaluationError, match="expected Patient, got Observation in 'name'"):
        program(CHOLERA)


def test_constants_and_the_clock_are_given_when_it_is_compiled() -> None:
    clock = DrivenClock(datetime(1854, 9, 8, 10, 30, tzinfo=UTC))
    assert ask("name.where(use = %wanted).given", constants={"wanted": "nickname"}) == ["Jack"]
    assert ask("birthDate + 41 years <= today()", clock=clock) == [True]
    assert [str(moment) for moment in ask("now()", clock=clock)] == ["1854-09-08T10:30:00.000Z"]


def test_what_was_found_may_be_changed_without_changing_the_resource() -> None:
    fhirpath.compile("name", "Patient")(SNOW).clear()
    assert len(SNOW.name) == 2


def test_types_tell_what_an_expression_gives() -> None:
    assert fhirpath.compile("name.given", "Patient").types == {"string"}
    assert fhirpath.compile("deceased", "Patient").types == {"boolean", "dateTime"}
    assert fhirpath.compile("name.exists()", "Patient").types == {"System.Boolean"}
    assert fhirpath.compile("contained", "Patient").types is None


def test_a_long_or_deep_expression_is_refused() -> None:
    assert "at most 8192 characters" in refused("a" * 9_000)
    assert "nested deeper than 100 levels" in refused("(" * 500 + "1" + ")" * 500)
    assert "nested deeper than 100 levels" in refused("id" + ".first()" * 500)
    assert "nested deeper than 100 levels" in refused("1" + "+1" * 500)
    assert "nested deeper than 100 levels" in refused("-" * 500 + "1")


def test_work_is_bounded() -> None:
    many = "(1|2|3|4|5|6|7|8|9|10)"
    nested = f"{many}.select({many}.select({many}.select({many}.select({many}.select({many})))))"
    assert f"more than {evaluation.MAX_WORK:,} items" in refused(nested)
    doubled = "'" + "x" * 1_000 + "'" + ".replace('x', 'xx')" * 11
    assert "more than 1,048,576 characters" in refused(doubled)


@pytest.mark.parametrize(
    "expression",
    [
        "10.power(1000000)",
        "2147483647 + 1",
        "1 / 0",
        "(-1).sqrt()",
        "0.ln()",
        "@9999-12-31 + 1 year",
        "10.0.power(500)",
    ],
)
def test_what_leaves_the_bounds_of_a_type_is_empty(expression: str) -> None:
    assert ask(expression) == []
