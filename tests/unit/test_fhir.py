"""What FHIR R4 allows is decoded; what it does not is refused, with the path to it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from broadstreet.model import fhir
from broadstreet.model.fhir import rules

OBSERVATION = '{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, %s}'
QUANTITY = OBSERVATION % '"valueQuantity": {"value": %s}'


def patient(properties: str) -> str:
    return f'{{"resourceType": "Patient", {properties}}}'


def refusal(data: str | bytes, kind: type[fhir.Node] | None = None) -> str:
    with pytest.raises(fhir.Invalid) as caught:
        fhir.decode(data, kind) if kind else fhir.decode(data)
    return str(caught.value)


def test_a_resource_is_told_by_its_resource_type() -> None:
    found = fhir.decode(patient('"birthDate": "1854-09"'))
    assert found == fhir.Patient(birthDate="1854-09")
    assert isinstance(found, fhir.Patient)


def test_resource_type_may_stand_anywhere_in_the_object() -> None:
    assert fhir.decode('{"active": true, "resourceType": "Patient"}') == fhir.Patient(active=True)


def test_another_type_than_the_expected_one_is_refused() -> None:
    text = refusal(patient('"active": true'), fhir.Encounter)
    assert text == "Patient.resourceType: expected Encounter, got Patient"
    assert isinstance(fhir.decode(patient('"active": true'), fhir.Resource), fhir.Patient)


def test_a_datatype_is_decoded_when_it_is_named() -> None:
    assert fhir.decode('{"family": "Snow"}', fhir.HumanName).family == "Snow"
    assert refusal('{"family": 1}', fhir.HumanName) == "HumanName.family: expected string, got integer"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ('{"active": true}', "Resource.resourceType: required, and absent"),
        ('{"resourceType": "Pacient"}', "Pacient.resourceType: no such type of resource: 'Pacient'"),
        ('{"resourceType": 1}', "Resource.resourceType: expected a string"),
        ("[]", "Resource: expected object, got array"),
        ("", "Resource: malformed JSON: it ends too early"),
        (patient('"name": [{"familyy": "Snow"}]'), "Patient.name[0].familyy: unknown field"),
        (patient('"name": {"family": "Snow"}'), "Patient.name: expected array, got object"),
        (patient('"name": []'), "Patient.name: an array must not be empty"),
        (patient('"name": [{"family": ""}]'), "Patient.name[0].family: a string must not be empty"),
        (patient('"active": "true"'), "Patient.active: expected boolean, got string"),
        (patient('"id": "a_b"'), "Patient.id: not a valid id"),
        (patient('"gender": " male"'), "Patient.gender: not a valid code"),
        (patient('"implicitRules": "a b"'), "Patient.implicitRules: not a valid uri"),
        (patient('"birthDate": "1854-13-01"'), "Patient.birthDate: not a valid date"),
        (patient('"birthDate": "1854-09-08\\n"'), "Patient.birthDate: not a valid date"),
        (patient('"birthDate": "1900-02-29"'), "Patient.birthDate: not a valid date"),
        (patient('"gender": ""'), "Patient.gender: not a valid code"),
        (patient('"gender": "a  b"'), "Patient.gender: not a valid code"),
        (patient('"meta": {"profile": ["a", "b c"]}'), "Patient.meta.profile[1]: not a valid uri"),
        (patient('"photo": [{"size": -1}]'), "Patient.photo[0].size: expected an integer >= 0"),
        (patient('"link": [{"type": "seealso"}]'), "Patient.link[0].other: required, and absent"),
        (patient('"link": [{"other": {"display": "x"}}]'), "Patient.link[0].type: required, and absent"),
        (OBSERVATION % '"valueInteger": 1.0', "Observation.valueInteger: expected integer, got decimal"),
        ('{"resourceType": "Observation", "status": "final"}', "Observation.code: required, and absent"),
    ],
)  # fmt: skip
def test_a_wrong_element_is_refused_with_its_path(data: str, error: str) -> None:
    assert refusal(data) == error


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("Date", ["2024", "2024-02", "2024-02-29", "2000-02-29", "2023-12-31"],
         ["0000", "24", "2024-2", "2023-02-29", "1900-02-29", "2024-04-31", "2024-02-30", "2024-00-01"]),
        ("DateTime", ["2024", "2024-02-29T23:59:60Z", "2024-02-29T00:00:00.123456789+14:00"],
         ["2024-02-29T23:59Z", "2024-02-29T24:00:00Z", "2024-02-29T00:00:00", "2024-02-29 00:00:00Z",
          "2024-02-29T00:00:00+14:30", "2023-02-29T00:00:00Z", "2024-02-29T00:00:00.Z"]),
        ("Instant", ["2024-02-29T00:00:00.1Z"], ["2024-02-29", "2024-02-29T00:00:00"]),
        ("Time", ["00:00:00", "23:59:60.5"], ["24:00:00", "00:00", "00:00:00Z"]),
        ("Id", ["a", "A-9.z", "x" * 64], ["", "a_b", "a b", "x" * 65, "é"]),
        ("Code", ["a", "a b", "a\u00a0"], ["", " a", "a ", "a  b"]),
        ("Uri", ["a", "urn:oid:1", "http://x/한"], ["", "a b", "a\n"]),
        ("Url", ["a"], ["a b"]),
        ("Canonical", ["http://x|1"], ["http://x |1"]),
        ("Oid", ["urn:oid:1.2", "urn:oid:2.0.10"], ["1.2", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02"]),
        ("Uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
         ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"]),
        ("Base64Binary", ["QUJD", " QUJD\n QQ== "], ["", "QUJ", "QU JD", "QUJ!", " "]),
        ("String", ["a", " ", "a\nb\tc", "x" * fhir.MAX_STRING], ["", "x" * (fhir.MAX_STRING + 1)]),
        ("Markdown", ["# a"], [""]),
        ("Boolean", [True, False], [0, 1, "true", None]),
        ("Integer", [0, -1, 2**31 - 1, -(2**31)], [2**31, -(2**31) - 1, 1.0, "1", True]),
        ("PositiveInt", [1, 2**31 - 1], [0, -1, 2**31]),
        ("UnsignedInt", [0, 2**31 - 1], [-1, 2**31]),
    ],
)  # fmt: skip
def test_a_primitive_has_the_format_that_the_standard_gives_it(
    name: str, right: list[Any], wrong: list[Any]
) -> None:
    for value in right:
        fhir.decode(json.dumps({"url": "u", f"value{name}": value}), fhir.Extension)
    for value in wrong:
        assert refusal(json.dumps({"url": "u", f"value{name}": value}), fhir.Extension)


def test_only_so_many_codes_and_uris_are_kept_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_KNOWN", 10)
    for number in range(50):
        fhir.Coding(system=f"urn:never-seen:{number}", code=f"never-seen-{number}")
        assert len(rules.KNOWN_URIS) <= 11
        assert len(rules.KNOWN_CODES) <= 11
    assert fhir.Coding() == fhir.Coding()
    with pytest.raises(ValueError, match="system: not a valid uri"):
        fhir.Coding(system="a b")


def test_a_choice_is_given_in_one_type_at_most() -> None:
    text = refusal(OBSERVATION % '"valueString": "a", "valueInteger": 1')
    assert text == "Observation.value[x]: only one type may be given (came: valueString, valueInteger)"


def test_a_choice_and_its_extension_are_one_value() -> None:
    data = (
        OBSERVATION
        % '"valueString": "a", "_valueString": {"id": "b", "extension": [{"url": "u", "valueCode": "c"}]}'
    )
    assert fhir.decode(data, fhir.Observation).valueString == "a"


def test_a_required_choice_is_asked_for() -> None:
    assert (
        refusal('{"valueRange": {"low": {"value": 1}}}', fhir.UsageContext)
        == "UsageContext.code: required, and absent"
    )
    text = refusal('{"code": {"code": "venue"}}', fhir.UsageContext)
    assert text == "UsageContext.value[x]: required, and absent"


def test_a_required_primitive_may_be_given_by_its_extension_alone() -> None:
    data = (
        '{"resourceType": "Observation", "code": {"text": "x"}, "_status": {"extension":'
        ' [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}}'
    )
    found = fhir.decode(data, fhir.Observation)
    assert found.status is None
    assert found.status_ext is not None
    assert fhir.decode(fhir.encode(found)) == found


@pytest.mark.parametrize(
    "number", ["1.00", "-0.0", "1E-245", "1.0E+245", "0.000000001", "12345678901234567890.10"]
)
def test_a_decimal_keeps_its_digits(number: str) -> None:
    found = fhir.decode(QUANTITY % number, fhir.Observation)
    assert found.valueQuantity is not None
    assert str(found.valueQuantity.value) == str(Decimal(number))
    assert fhir.decode(fhir.encode(found)) == found


@pytest.mark.parametrize(
    "number", ["1e1000000", "1e99999999999999999999", "1e401", "1e-401", "1" * 402, f"0.{'1' * 999}"]
)
def test_a_number_without_bounds_is_refused(number: str) -> None:
    text = refusal(QUANTITY % number)
    reason = "a number must have at most 1000 characters and lie within 1e-400 .. 1e400"
    assert text == f"Observation.valueQuantity.value: {reason}"


@pytest.mark.parametrize("value", ['"1.00"', "true", "[1]"])
def test_only_a_json_number_is_a_decimal(value: str) -> None:
    assert refusal(QUANTITY % value).startswith("Observation.valueQuantity.value: expected decimal, got ")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "01", "+1", ".5", "1."])
def test_what_json_does_not_know_as_a_number_is_refused(value: str) -> None:
    assert "malformed JSON" in refusal(QUANTITY % value)


def test_a_property_that_stands_twice_is_refused() -> None:
    text = refusal(patient('"name": [{"family": "Snow"}, {"family": "a", "family": "b"}]'))
    assert text == "Patient.name[1].family: the property stands twice in its object"
    hidden = patient(r'"gender": "male", "gender": "male", "name": [{"text": "\u0022\u0022\u0022\u0022"}]')
    assert refusal(hidden) == "Patient.gender: the property stands twice in its object"


@pytest.mark.parametrize("element", ["{}", "{ }", '{"id": "a"}'])
def test_an_element_with_nothing_in_it_is_refused(element: str) -> None:
    text = refusal(patient(f'"name": [{element}]'))
    assert text == "Patient.name[0]: an element must have a value, a child or an extension"


def test_a_primitive_with_a_value_may_have_an_id_and_nothing_else() -> None:
    found = fhir.decode(patient('"birthDate": "1813", "_birthDate": {"id": "a"}'), fhir.Patient)
    assert found.birthDate_ext == fhir.Element(id="a")
    text = refusal(patient('"_birthDate": {"id": "a"}'))
    assert text == "Patient._birthDate: an element must have a value, a child or an extension"
    given = patient('"name": [{"given": ["John", "A"], "_given": [{"id": "a"}, null]}]')
    assert fhir.decode(given)
    text = refusal(patient('"name": [{"_given": [{"id": "a"}]}]'))
    assert text == "Patient.name[0]._given[0]: an element must have a value, a child or an extension"


def test_braces_in_text_are_not_an_empty_element() -> None:
    assert fhir.decode(patient('"name": [{"text": "{} {\\"id\\":\\"a\\"} null"}]'))


def test_null_is_refused_outside_of_arrays_of_primitives() -> None:
    reason = "null is allowed only in an array of primitives"
    assert refusal(patient('"active": null')) == f"Patient.active: {reason}"
    assert refusal(patient('"name": null')) == f"Patient.name: {reason}"
    assert refusal(patient('"name": [null]')) == "Patient.name[0]: expected object, got null"


def test_null_keeps_an_array_and_its_extensions_aligned() -> None:
    extension = '{"extension": [{"url": "u", "valueCode": "c"}]}'
    good = patient(f'"name": [{{"given": ["John", null], "_given": [null, {extension}]}}]')
    found = fhir.decode(good, fhir.Patient)
    assert found.name is not None
    assert found.name[0].given == ["John", None]
    assert fhir.decode(fhir.encode(found)) == found
    alone = refusal(patient('"name": [{"given": ["John", null]}]'))
    assert alone == "Patient.name[0].given[1]: null, with neither a value nor an extension"
    uneven = refusal(patient(f'"name": [{{"given": ["John"], "_given": [{extension}, {extension}]}}]'))
    assert uneven == "Patient.name[0].given: must be as long as _given (1 and 2)"


@pytest.mark.parametrize("escape", [r"\u0000", r"\u001F", r"\b", r"\f"])
def test_control_characters_are_refused(escape: str) -> None:
    text = refusal(patient(f'"name": [{{"text": "a{escape}"}}]'))
    assert text == "Patient.name[0].text: text must not have control characters"


def test_tabs_and_line_ends_are_text() -> None:
    assert fhir.decode(patient(r'"name": [{"text": "a\tb\r\nc"}]'))


def test_a_contained_resource_is_decoded_and_contains_none_itself() -> None:
    found = fhir.decode(patient('"contained": [{"resourceType": "Organization", "name": "x"}]'), fhir.Patient)
    assert found.contained == [fhir.Organization(name="x")]
    inner = '{"resourceType": "Patient", "contained": [{"resourceType": "Patient", "active": true}]}'
    text = refusal(patient(f'"contained": [{inner}]'))
    assert text == "Patient.contained[0].contained: a contained resource must not contain another"


def test_resources_in_a_bundle_may_each_contain_resources() -> None:
    inner = '{"resourceType": "Patient", "active": true}'
    entry = f'{{"resource": {{"resourceType": "Patient", "contained": [{inner}]}}}}'
    assert fhir.decode(f'{{"resourceType": "Bundle", "type": "collection", "entry": [{entry}, {entry}]}}')


def nested(levels: int) -> str:
    inside = '{"url": "u", "valueCode": "c"}'
    for _ in range(levels - 2):
        inside = f'{{"url": "u", "extension": [{inside}]}}'
    return patient(f'"extension": [{inside}]')


def test_nesting_is_bounded() -> None:
    assert fhir.decode(nested(fhir.MAX_DEPTH))
    assert refusal(nested(fhir.MAX_DEPTH + 1)) == "Patient: nested deeper than 64 objects"
    assert "nested deeper than 64 objects" in refusal(patient('"extension": [' + '{"extension": [' * 50_000))


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    assert "UTF-8" in refusal(b'{"resourceType": "Patient", "name": [{"text": "\xff"}]}')
    assert "UTF-8" in refusal('{"resourceType": "Patient", "name": [{"text": "\ud800"}]}')


def test_an_input_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert refusal(b" " * (fhir.MAX_BYTES + 1)) == f"Resource: larger than {fhir.MAX_BYTES} bytes"


def test_a_long_wrong_name_makes_a_short_error() -> None:
    assert len(refusal(patient(f'"{"x" * 100_000}": 1'))) < 1000


def test_attributes_that_python_reserves_have_a_trailing_underscore() -> None:
    encounter = fhir.Encounter(status="finished", class_=fhir.Coding(code="EMER"))
    assert fhir.encode(encounter) == (
        b'{"resourceType":"Encounter","status":"finished","class":{"code":"EMER"}}'
    )


def test_an_error_can_be_sent_to_another_process() -> None:
    error = fhir.Invalid("Patient.name[0].family", "a string must not be empty", "value")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.reason, again.code, str(again)) == (
        error.path,
        error.reason,
        error.code,
        str(error),
    )


def test_a_resource_built_in_python_is_validated_by_the_same_rules() -> None:
    fhir.validate(fhir.Patient(name=[fhir.HumanName(given=["John"])]))
    wrong = {
        "Patient.birthDate: not a valid date": fhir.Patient(birthDate="8 September 1854"),
        "Patient.name: an array must not be empty": fhir.Patient(name=[]),
        "Patient.active: expected boolean, got integer": fhir.Patient(active=1),  # type: ignore[arg-type]
        "Patient.name[0]: an element must have a value, a child or an extension": fhir.Patient(
            name=[fhir.HumanName()]
        ),
        "Patient.name[0].text: text must not have control characters": fhir.Patient(
            name=[fhir.HumanName(text="\0")]
        ),
    }
    for error, resource in wrong.items():
        with pytest.raises(fhir.Invalid) as caught:
            fhir.validate(resource)
        assert str(caught.value) == error


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    quantity = fhir.Quantity(value=Decimal(number))
    with pytest.raises(fhir.Invalid, match=r"^Quantity\.value: a number must be finite \(is -?\w+\)$"):
        fhir.validate(quantity)


def test_a_resource_inside_itself_is_refused() -> None:
    extension = fhir.Extension(url="u")
    extension.extension = [extension]
    with pytest.raises(fhir.Invalid, match="inside itself"):
        fhir.validate(extension)


def test_a_choice_is_checked_when_a_struct_is_built() -> None:
    with pytest.raises(ValueError, match=r"deceased\[x\]: only one type may be given"):
        fhir.Patient(deceasedBoolean=True, deceasedDateTime="1858-06-16")


def test_every_resource_and_datatype_is_there() -> None:
    assert len(fhir.RESOURCES) == 146
    for name in dir(fhir):
        assert getattr(fhir, name) is not None
    with pytest.raises(AttributeError, match="no resource or datatype named 'Pacient'"):
        _ = fhir.Pacient


def test_the_import_loads_no_struct_before_it_is_asked_for() -> None:
    code = (
        "import sys; from broadstreet.model import fhir;"
        "print(*[m for m in sys.modules if m.startswith('broadstreet.model.fhir.r4.')])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


_THREADS = """
import threading, time
from broadstreet.model import fhir

VISIT = '''{"resourceType": "Encounter", "status": "finished", "class": {"code": "EMER"},
  "identifier": [{"system": "urn:x", "value": "1", "period": {"start": "2026"}, "use": "usual"}],
  "participant": [{"individual": {"reference": "Practitioner/1"}}], "length": {"value": 1.5}}'''

def decode(wait):
    time.sleep(wait)
    fhir.decode(VISIT)

threads = [threading.Thread(target=decode, args=(n / 100,)) for n in range(60)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_decode_for_the_first_time_at_once_do_not_kill_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
