"""The parts of search parameters: what is shared, what is restricted, and that numbers stay."""

import runpy
from pathlib import Path

import pytest

from broadstreet.model.search import parts

GENERATOR = runpy.run_path(str(Path(__file__).parents[3] / "tools/generate_parts.py"))
generate = GENERATOR["generate"]
TABLE = GENERATOR["TARGET"].read_text(encoding="utf-8")


def numbers(type: str, name: str) -> set[int]:
    return {ref.number for ref in parts.parts_of(type, name)}


def test_the_table_is_what_the_generator_makes_of_it() -> None:
    assert generate(TABLE) == TABLE


def test_no_number_and_no_part_occurs_twice() -> None:
    read = parts.read(TABLE)
    assert len({part.number for part in read}) == len({part.key for part in read}) == len(read)


def test_a_part_keeps_its_number_when_others_come_and_when_no_parameter_needs_it_any_more() -> None:
    older = "\n".join(line for line in TABLE.splitlines() if not line.startswith("7\t"))
    older += "\n9999\tPatient\ttoken\tPatient.gone\t\n"
    newer = {part.key: part.number for part in parts.read(generate(older))}
    for part in parts.read(older):
        assert newer[part.key] == part.number
    (lost,) = [part for part in parts.read(TABLE) if part.number == 7]
    assert newer[lost.key] == 10_000


def test_parameters_that_say_the_same_share_their_parts() -> None:
    assert numbers("Observation", "code") < numbers("Observation", "combo-code")
    assert numbers("Observation", "value-quantity") < numbers("Observation", "combo-value-quantity")
    assert numbers("Patient", "phonetic") == numbers("Patient", "name")


def test_a_name_is_its_elements_that_have_parts_and_the_rest() -> None:
    family, given = numbers("Patient", "family"), numbers("Patient", "given")
    assert family | given < numbers("Patient", "name")
    assert len(numbers("Patient", "name")) == 3


def test_patient_is_the_part_of_subject_restricted_to_patients() -> None:
    (patient,) = parts.parts_of("Condition", "patient")
    (subject,) = parts.parts_of("Condition", "subject")
    assert patient.number == subject.number
    assert (patient.targets, subject.targets) == (("Patient",), ())


def test_a_composite_of_the_resource_is_its_components_and_one_of_a_place_within_has_rows() -> None:
    assert parts.parts_of("Observation", "code-value-quantity") == ()
    code, value = parts.components_of("Observation", "code-value-quantity")
    assert code == parts.parts_of("Observation", "code")
    assert value[0] in parts.parts_of("Observation", "value-quantity")
    assert parts.components_of("Observation", "component-code-value-quantity") == ()
    (within,) = parts.parts_of("Observation", "component-code-value-quantity")
    assert within.kind == "composite"
    assert parts.parts_of("Observation", "combo-code-value-quantity") == (within,)
    assert parts.components_of("Observation", "combo-code-value-quantity")[0] == code


def test_every_parameter_has_an_answer() -> None:
    for type in parts.TYPES:
        for name, parameter in parts.parameters_of(type).items():
            if name in parts.BY_THE_LOG or parameter.kind == "special":
                assert parts.parts_of(type, name) == ()
            else:
                assert parts.parts_of(type, name) or parts.components_of(type, name), (type, name)


def test_an_unknown_parameter_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be searched by 'colour'"):
        parts.parts_of("Patient", "colour")
    with pytest.raises(ValueError, match="no resource named 'Pateint'"):
        parts.parts_in("Pateint")
