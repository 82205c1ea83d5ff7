"""Every search parameter of FHIR R4 is known, and the official examples give values for it."""

from __future__ import annotations

import json
import os
import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadstreet.model import fhir, fhirpath, search
from broadstreet.model.fhirpath import schema
from broadstreet.model.fhirpath.syntax import branches, text
from broadstreet.model.search.extractors import reader_of

# Of a type, how many examples are asked twice; there are 1,400 SearchParameters among them.
ENOUGH = 100_000 if os.environ.get("BROADSTREET_SOAK") == "1" else 12
ROOT = Path(__file__).resolve().parents[2]
GENERATOR = runpy.run_path(str(ROOT / "tools/generate_search.py"))
TABLE = ROOT / "src/broadstreet/model/search/parameters.tsv"

# Of a choice, the types that a parameter of that kind cannot be searched by: a text is no date, an attachment
# is no reference, a quantity is no token.
NOT_SEARCHED = {
    ("CarePlan", "activity-date", "string"),
    ("Consent", "source-reference", "Attachment"),
    ("Group", "value", "Quantity"),
    ("Group", "value", "Range"),
    ("Group", "value", "Reference"),
    ("Immunization", "date", "string"),
    ("Procedure", "date", "Age"),
    ("Procedure", "date", "Range"),
    ("Procedure", "date", "string"),
}


@pytest.fixture(scope="module")
def definitions(fhir_examples: Path) -> list[dict]:
    return [json.loads(path.read_bytes()) for path in sorted(fhir_examples.glob("SearchParameter-*.json"))]


def decoded(folder: Path) -> Iterator[fhir.Resource]:
    for path in sorted(folder.glob("*.json")):
        if path.name != "package.json":
            try:
                yield fhir.decode(path.read_bytes())
            except fhir.Invalid:
                continue


def test_every_published_parameter_stands_in_the_table_or_has_a_reason_not_to(
    definitions: list[dict],
) -> None:
    known = {(parameter.type, parameter.name) for parameter in search.PARAMETERS}
    reasons = {*GENERATOR["WITHOUT_EXPRESSION"], *GENERATOR["EXAMPLES"]}
    absent = {d["id"] for d in definitions if {(base, d["code"]) for base in d.get("base", [])} - known}
    absent |= {d["id"] for d in definitions if not d.get("base")}
    assert len(definitions) == 1400
    assert absent - reasons == set()
    assert all(not d.get("expression") for d in definitions if d["id"] in GENERATOR["WITHOUT_EXPRESSION"])


def test_generating_the_table_again_changes_nothing(fhir_examples: Path) -> None:
    committed = TABLE.read_text(encoding="utf-8")
    assert GENERATOR["generate"](fhir_examples, committed) == committed


def test_a_parameter_may_not_disappear_from_the_table(fhir_examples: Path) -> None:
    with pytest.raises(SystemExit, match="Patient', 'shoe-size"):
        GENERATOR["generate"](fhir_examples, "1\tPatient\tshoe-size\tnumber\t\t\t\n")


def test_numbers_have_no_gaps() -> None:
    numbers = [parameter.number for parameter in search.PARAMETERS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_expression_compiles_and_its_types_can_be_searched() -> None:
    not_searched = set()
    for parameter in search.PARAMETERS:
        search.extractor(parameter)
        types = types_of(parameter.expression, parameter.type)
        if parameter.kind != "composite":
            not_searched |= unread(parameter, parameter.name, parameter.kind, types)
        for component in parameter.components:
            found = {kind for start in types for kind in types_of(component.expression, start)}
            not_searched |= unread(parameter, component.name, component.kind, found)
    assert not_searched == NOT_SEARCHED


def types_of(expression: str, start: str) -> set[str]:
    """Return the types of what an expression gives; of `%resource` and of extensions they are not known."""
    found = [fhirpath.compile(text(b), start).types or () for b in branches(fhirpath.parse(expression))]
    return {name for types in found for name in types} - {"Extension"}


def unread(parameter: search.Parameter, name: str, kind: str, types: set[str]) -> set[tuple[str, str, str]]:
    return {(parameter.type, name, found) for found in types if reader_of(kind, found) is None}


def test_the_choices_read_from_the_structs_are_those_of_the_definitions(fhir_examples: Path) -> None:
    published = set()
    for path in fhir_examples.glob("StructureDefinition-*.json"):
        definition = json.loads(path.read_bytes())
        if definition.get("derivation") == "constraint" or definition["kind"] not in (
            "resource",
            "complex-type",
        ):
            continue
        for element in definition["snapshot"]["element"]:
            owner, _, name = element["path"].rpartition(".")
            if name.endswith("[x]"):
                struct = "".join(part[0].upper() + part[1:] for part in owner.split("."))
                published.add((struct, name[:-3], frozenset(kind["code"] for kind in element["type"])))
    read = {
        (name, stem, frozenset(slot.type for slot in slots))
        for name in fhir.r4.HOMES
        for stem, slots in schema.elements(schema.struct(name)).items()
        if len(slots) > 1
    }
    assert read == published


@pytest.mark.timeout(180)
def test_every_example_gives_values_and_no_error(
    fhir_examples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count, resources = Counter[str](), 0
    for resource in decoded(fhir_examples):
        resources += 1
        together = {parameter.number: set(found) for parameter, found in search.every_value(resource)}
        for parameter in search.parameters_of(type(resource).__name__).values():
            found = search.values(resource, parameter)
            count[parameter.kind] += len(found)
            assert together.get(parameter.number, set()) == set(found), parameter
    with capsys.disabled():
        print(f"\n{resources} examples: {dict(count.most_common())}")
    assert resources == 5305
    assert set(count) == {p.kind for p in search.PARAMETERS}
    assert min(count.values()) > 0


@pytest.mark.timeout(180)
def test_the_quick_form_of_an_expression_gives_what_the_complete_one_gives(fhir_examples: Path) -> None:
    programs: dict[str, list[fhirpath.Program]] = {}
    compared, seen = 0, Counter[str]()
    for resource in decoded(fhir_examples):
        name = type(resource).__name__
        seen[name] += 1
        if seen[name] > ENOUGH:
            continue
        if name not in programs:
            programs[name] = quick_programs(name)
        for program in programs[name]:
            typed = [
                getattr(item, "value", item) if isinstance(item, fhirpath.Primitive) else item
                for item in program.typed(resource)
            ]
            assert program.quick(resource) == [item for item in typed if item is not None], program.expression
            compared += 1
    assert compared > 10_000


def quick_programs(name: str) -> list[fhirpath.Program]:
    expressions = {
        text(branch)
        for parameter in search.parameters_of(name).values()
        for branch in branches(fhirpath.parse(parameter.expression))
    }
    compiled = [fhirpath.compile(expression, name) for expression in sorted(expressions)]
    return [program for program in compiled if program.quick is not None]
