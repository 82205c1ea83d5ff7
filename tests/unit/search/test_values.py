"""The values that resources are found by."""

from __future__ import annotations

from decimal import Decimal

import pytest

from broadstreet.model import fhir, search
from broadstreet.model.search.numbers import implicit_range


def of(kind: str, name: str, body: str) -> list:
    resource = fhir.decode(f'{{"resourceType": "{kind}", {body}}}')
    return search.values(resource, search.parameter(kind, name))


def test_a_token_is_a_code_and_its_system() -> None:
    identifiers = '"identifier": [{"system": "urn:mr", "value": "7"}, {"value": "8"}]'
    assert of("Patient", "identifier", identifiers) == [("urn:mr", "7"), (None, "8")]
    assert of("Patient", "gender", '"gender": "female"') == [(None, "female")]
    assert of("Patient", "active", '"active": false') == [(None, "false")]
    assert of("Patient", "deceased", '"deceasedDateTime": "1858"') == [(None, "true")]
    assert of("Patient", "phone", '"telecom": [{"system": "phone", "value": "5"}]') == [("phone", "5")]
    assert of("Patient", "phone", '"telecom": [{"system": "email", "value": "5"}]') == []
    both = (
        '"code": {"coding": [{"system": "urn:a", "code": "1"}, {"code": "2"}]}, "subject": {"display": "x"}'
    )
    assert of("Condition", "code", both) == [("urn:a", "1"), (None, "2")]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ångström", "angstrom"),
        ("  MÜLLER  \t Straße ", "muller strasse"),
        ("Łukasz Øster", "lukasz oster"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("김철수", "김철수"),
        ("\u1100\u1161\u11a8", "각"),
        ("李小龍", "李小龍"),
        ("がぎぐ", "がぎぐ"),
        ("हिन्दी", "हिन्दी"),
        ("ΆΝΝΑ", "αννα"),
        ("Їжак", "іжак"),
        ("ﬁn", "fin"),
        ("İstanbul", "istanbul"),
    ],
)
def test_strings_are_folded(text: str, folded: str) -> None:
    assert search.fold(text) == folded
    assert search.fold(folded) == folded


def test_a_name_is_found_by_each_of_its_parts() -> None:
    name = '"name": [{"family": "Snow", "given": ["John", "A."], "prefix": ["Dr"]}]'
    assert of("Patient", "name", name) == ["snow", "john", "a.", "dr"]
    assert of("Patient", "given", name) == ["john", "a."]
    assert of("Patient", "phonetic", name) == ["snow", "john", "a.", "dr"]


def test_a_korean_or_chinese_name_is_found_as_it_is_written_in_one() -> None:
    assert "김철수" in of("Patient", "name", '"name": [{"family": "김", "given": ["철수"]}]')
    assert "李小龍" in of("Patient", "name", '"name": [{"family": "李", "given": ["小龍"]}]')


def test_a_date_is_the_span_that_it_covers() -> None:
    ((low, high),) = of("Patient", "birthdate", '"birthDate": "1970-01"')
    assert (low, high) == (0, 31 * 86_400_000_000)
    observed = '"status": "final", "code": {"text": "x"}, '
    (span,) = of("Observation", "date", observed + '"effectiveInstant": "1970-01-01T09:00:00.000001+09:00"')
    assert span == (1, 2)


def test_a_period_without_an_end_reaches_to_the_end_of_time() -> None:
    encounter = '"status": "finished", "class": {"code": "EMER"}, "period": {"start": "1970-01-01T00:00:01Z"}'
    assert of("Encounter", "date", encounter) == [(1_000_000, search.LATEST)]
    encounter = encounter.replace("start", "end")
    assert of("Encounter", "date", encounter) == [(search.EARLIEST, 2_000_000)]


def test_a_timing_counts_by_its_outer_limits() -> None:
    timing = (
        '"status": "final", "code": {"text": "x"}, '
        '"effectiveTiming": {"event": ["1970-01-03", "1970-01-01"], '
        '"repeat": {"boundsPeriod": {"end": "1970-01-02"}}}'
    )
    assert of("Observation", "date", timing) == [(search.EARLIEST, 3 * 86_400_000_000)]


def test_a_reference_leads_to_a_resource_whatever_its_version() -> None:
    def subject(reference: str) -> list:
        return of("Condition", "subject", f'"subject": {reference}')

    assert subject('{"reference": "Patient/1/_history/2"}') == ["Patient/1"]
    assert subject('{"reference": "https://example.org/fhir/Patient/1"}') == [
        "https://example.org/fhir/Patient/1"
    ]
    assert subject('{"reference": "#contained"}') == []
    assert subject('{"identifier": {"system": "urn:mr", "value": "7"}}') == [("urn:mr", "7")]
    assert of("Condition", "patient", '"subject": {"reference": "Group/1"}') == []
    assert of("Condition", "patient", '"subject": {"reference": "Patient/1"}') == ["Patient/1"]


def test_a_canonical_url_is_found_with_and_without_its_version() -> None:
    asked = '"status": "completed", "questionnaire": "http://example.org/q|2.0"'
    assert of("QuestionnaireResponse", "questionnaire", asked) == [
        "http://example.org/q|2.0",
        "http://example.org/q",
    ]


def quantity(text: str) -> search.QuantityValue:
    (found,) = of("Observation", "value-quantity", f'"status": "final", "code": {{"text": "x"}}, {text}')
    return found


def measured(value: str, code: str) -> search.QuantityValue:
    unit = f'"unit": "u", "system": "http://unitsofmeasure.org", "code": "{code}"'
    return quantity(f'"valueQuantity": {{"value": {value}, {unit}}}')


def test_a_quantity_is_found_in_any_unit_of_its_dimension() -> None:
    fahrenheit, celsius = measured("101.3", "[degF]"), measured("38.5", "Cel")
    assert fahrenheit.base == celsius.base == "K"
    assert float(fahrenheit.base_low) == float(fahrenheit.base_high) == 311.65
    assert celsius.base_low == celsius.base_high == Decimal("311.65")
    assert (celsius.low, celsius.high) == (Decimal("38.5"), Decimal("38.5"))
    assert measured("5.0", "g").base_low == measured("5000E0", "mg").base_low


def test_a_quantity_in_no_unit_of_ucum_stays_as_it_is() -> None:
    found = quantity('"valueQuantity": {"value": 3, "unit": "tablets"}')
    assert (found.low, found.high, found.unit, found.base) == (
        Decimal(3),
        Decimal(3),
        "tablets",
        None,
    )


def test_a_compared_quantity_has_one_bound() -> None:
    found = quantity('"valueQuantity": {"value": 5, "comparator": "<"}')
    assert (found.low, found.high) == (None, 5)


def test_samples_are_found_by_their_lowest_and_highest() -> None:
    shape = '"origin": {"value": 10}, "period": 1, "factor": 2, "dimensions": 1'
    found = quantity(f'"valueSampledData": {{{shape}, "data": "1 E -3 4"}}')
    assert (found.low, found.high) == (4, 18)


def test_a_number_is_what_it_says_and_a_search_term_the_range_of_its_digits() -> None:
    assessed = '"status": "final", "subject": {"display": "x"}, "prediction": [{"probabilityDecimal": 0.80}]'
    assert of("RiskAssessment", "probability", assessed) == [(Decimal("0.80"), Decimal("0.80"))]
    assert implicit_range(Decimal("0.80")) == (Decimal("0.795"), Decimal("0.805"))


def test_a_composite_combines_what_stands_together() -> None:
    components = (
        '"status": "final", "code": {"text": "x"}, "component": ['
        '{"code": {"coding": [{"code": "a"}]}, "valueCodeableConcept": {"coding": [{"code": "1"}]}},'
        '{"code": {"coding": [{"code": "b"}]}, "valueCodeableConcept": {"coding": [{"code": "2"}]}}]'
    )
    pairs = [((None, "a"), (None, "1")), ((None, "b"), (None, "2"))]
    assert of("Observation", "component-code-value-concept", components) == pairs
    assert of("Observation", "combo-code-value-concept", components) == pairs


def test_a_component_may_stand_elsewhere_in_the_resource() -> None:
    sequence = (
        '"coordinateSystem": 0, '
        '"referenceSeq": {"chromosome": {"coding": [{"code": "7"}]}, "windowStart": 1},'
        '"variant": [{"start": 5, "end": 6}]'
    )
    found = of("MolecularSequence", "chromosome-variant-coordinate", sequence)
    assert [(chromosome, start[0], end[0]) for chromosome, start, end in found] == [((None, "7"), 5, 6)]


def test_combinations_are_bounded() -> None:
    codings = ", ".join(f'{{"code": "{n}"}}' for n in range(60))
    concept = f'{{"coding": [{codings}]}}'
    observed = f'"status": "final", "code": {concept}, "valueCodeableConcept": {concept}'
    assert len(of("Observation", "code-value-concept", observed)) == 1_000


def test_a_place_has_a_latitude_and_a_longitude() -> None:
    pump = '"position": {"latitude": 51.5132, "longitude": -0.1366}'
    assert of("Location", "near", pump) == [(Decimal("51.5132"), Decimal("-0.1366"))]


def test_parameters_of_every_resource_are_those_of_each() -> None:
    assert of("Basic", "_id", '"id": "7", "code": {"text": "x"}') == [(None, "7")]
    assert search.parameter("Patient", "_lastUpdated") is search.parameter("Encounter", "_lastUpdated")


def test_an_unknown_parameter_is_told_with_those_that_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"Patient cannot be searched by 'shoe-size' \(can be searched by: _id, "
    ):
        search.parameter("Patient", "shoe-size")
    with pytest.raises(ValueError, match="FHIR R4 has no resource named 'Pateint'"):
        search.parameters_of("Pateint")
    with pytest.raises(ValueError, match=r"Patient\.birthdate asked of a Basic"):
        search.values(
            fhir.Basic(code=fhir.CodeableConcept(text="x")), search.parameter("Patient", "birthdate")
        )
