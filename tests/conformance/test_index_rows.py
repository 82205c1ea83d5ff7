"""The generated extractors index what the expressions of the search parameters say, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.model import fhir, search
from broadstreet.model.search.parts import TYPE_NUMBERS, components_of, parts_of
from broadstreet.store.entry import IndexRows
from broadstreet.store.index import Indexer
from broadstreet.store.index.keys import Keys, real, ways
from broadstreet.store.index.kinds import EVERY, KINDS, MOST_CHARACTERS, width_of_date, width_of_number

INDEXER = Indexer(b"k" * 32)
KEYS = Keys(b"k" * 32)
LISTS = dict(zip([kind.name for kind in KINDS], IndexRows.__struct_fields__, strict=True))


def resources(folder: Path) -> Iterator[fhir.Resource]:
    for path in sorted(folder.glob("*.json")):
        if path.name != "package.json":
            try:
                yield fhir.decode(path.read_bytes())
            except fhir.Invalid:
                continue


def expected(kind: str, values: list[Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield what the values of a parameter must be as rows without their parts, and of which kind."""
    for value in values:
        match kind, value:
            case "token" | "reference", (system, code):
                yield "token", (KEYS.hashed(code), KEYS.hashed(system))
            case "reference", url:
                yield "reference", (KEYS.hashed(url),)
            case "string", text if text:
                yield "string", (text[:MOST_CHARACTERS],)
            case "uri", text:
                yield "uri", (text[:MOST_CHARACTERS],)
            case "date", (low, high):
                yield "date", (width_of_date(low, high), low, high)
            case "number", (low, high):
                yield "number", (width_of_number(real(low), real(high)), real(low), real(high))
            case "quantity", quantity:
                yield from (("quantity", row) for row in KEYS.units(quantity))


def rows_of_parts(rows: IndexRows) -> dict[int, set[tuple[str, tuple[Any, ...]]]]:
    found = defaultdict(set)
    for kind, several in zip(KINDS, rows.by_kind, strict=True):
        assert len(set(several)) == len(several), "a row came twice"
        for part, *values in several:
            assert len(values) == len(kind.values)
            found[part].add((kind.name, tuple(values[:1] if kind.name == "reference" else values)))
    return found


def assert_rows_are_the_values(resource: fhir.Resource) -> Counter[str]:
    name = type(resource).__name__
    rows = INDEXER.rows(resource)
    found = rows_of_parts(rows)
    assert found.pop(EVERY) == {("token", (KEYS.hashed(name), 0))}
    told = {(part, target): number for part, target, number in rows.references}
    seen: Counter[str] = Counter()
    every = {parameter.name: values for parameter, values in search.every_value(resource)}
    for parameter in search.parameters_of(name).values():
        values, refs = every.get(parameter.name, []), parts_of(name, parameter.name)
        if parameter.kind == "composite":
            if not components_of(name, parameter.name):
                assert_composites(parameter, values, {r for ref in refs for r in found[ref.number]})
                seen["composite"] += len(values)
            continue
        wanted = set(expected(parameter.kind, values)) if refs else set()
        have = {
            row
            for ref in refs
            for row in found[ref.number]
            if not ref.targets or row[0] == "token" or _leads_to(told[ref.number, row[1][0]], ref.targets)
        }
        if any(ref.targets for ref in refs):  # who is known by an identifier alone has no type to be told by
            wanted, have = ({row for row in each if row[0] == "reference"} for each in (wanted, have))
        assert have == wanted, (name, resource.id, parameter.name)
        seen[parameter.kind] += len(wanted)
    numbers = {ref.number for parameter in search.parameters_of(name) for ref in parts_of(name, parameter)}
    components = {
        ref.number
        for parameter in search.parameters_of(name)
        for group in components_of(name, parameter)
        for ref in group
    }
    assert set(found) <= numbers | components
    return seen


def _leads_to(number: int, targets: tuple[str, ...]) -> bool:
    return number in {TYPE_NUMBERS[target] for target in targets}


def assert_composites(parameter: Any, values: list[Any], rows: set[tuple[str, tuple[Any, ...]]]) -> None:
    """Each value is found in every way to write it; nothing else is there."""
    hashes = set()
    for value in values:
        found: list[tuple[str, ...]] = [()]
        for component, one in zip(parameter.components, value, strict=True):
            if component.kind in ("number", "date"):
                continue
            if component.kind == "quantity":
                several = [f"={unit}" for unit, *_ in KEYS.units(one)]
            else:
                several = ways(component.kind, one)
            found = [(*before, text) for before in found for text in several]
        hashes |= {KEYS.composite(texts) for texts in found}
    assert {row[1][0] for row in rows} == hashes


def test_index_rows_of_all_official_examples_are_the_values_of_their_parameters(fhir_examples: Path) -> None:
    seen: Counter[str] = Counter()
    types = set()
    for resource in resources(fhir_examples):
        types.add(type(resource).__name__)
        seen += assert_rows_are_the_values(resource)
    assert len(types) >= 140
    assert set(seen) == set(LISTS), seen


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=250).filter(
    lambda text: text.strip() == text
)
CODES = st.sampled_from(["a", "b", "http://loinc.org", "8310-5"])
MAYBE = st.none() | CODES
CODINGS = st.builds(fhir.Coding, system=MAYBE, code=MAYBE, display=st.none() | TEXTS)
CONCEPTS = st.builds(
    fhir.CodeableConcept, coding=st.none() | st.lists(CODINGS, max_size=3), text=st.none() | TEXTS
)
URLS = st.sampled_from(
    [
        "Patient/1",
        "Group/2",
        "#inner",
        "https://example.org/fhir/Patient/1/_history/3",
        "urn:uuid:7",
        "Patient/1|2",
    ]
)
IDENTIFIERS = st.builds(fhir.Identifier, system=MAYBE, value=MAYBE)
REFERENCES = st.builds(
    fhir.Reference,
    reference=st.none() | URLS,
    type=st.none() | st.sampled_from(["Patient", "Device"]),
    identifier=st.none() | IDENTIFIERS,
)
MOMENTS = st.sampled_from(
    ["2024", "2024-02", "2024-02-29", "2024-02-29T10:00:00+09:00", "9999-12-31T23:59:60Z"]
)
PERIODS = st.builds(fhir.Period, start=st.none() | MOMENTS, end=st.none() | MOMENTS)
QUANTITIES = st.builds(
    fhir.Quantity,
    value=st.none() | st.decimals(-1000, 1000, allow_nan=False, places=2),
    comparator=st.none() | st.sampled_from(["<", "<=", ">", ">="]),
    system=st.none() | st.just("http://unitsofmeasure.org"),
    code=st.none() | st.sampled_from(["Cel", "[degF]", "mm[Hg]", "nonsense"]),
    unit=st.none() | st.just("degrees"),
)
NAMES = st.builds(
    fhir.HumanName,
    text=st.none() | TEXTS,
    family=st.none() | TEXTS | st.sampled_from(["김", "Ångström", "王"]),
    given=st.none() | st.lists(TEXTS | st.sampled_from(["민준", "Zoë"]), max_size=2),
    prefix=st.none() | st.lists(TEXTS, max_size=1),
)
ADDRESSES = st.builds(
    fhir.Address,
    line=st.none() | st.lists(TEXTS, max_size=2),
    city=st.none() | TEXTS,
    district=st.none() | TEXTS,
)
CONTACTS = st.builds(
    fhir.ContactPoint, system=st.sampled_from(["phone", "email", "fax"]), value=st.none() | TEXTS
)


def many(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(strategy, max_size=3)


PATIENTS = st.builds(
    fhir.Patient,
    identifier=many(IDENTIFIERS),
    name=many(NAMES),
    address=many(ADDRESSES),
    telecom=many(CONTACTS),
    birthDate=st.none() | st.sampled_from(["1980", "1980-02-01"]),
    deceasedBoolean=st.none() | st.booleans(),
    active=st.none() | st.booleans(),
    generalPractitioner=many(REFERENCES),
)
COMPONENTS = st.builds(
    fhir.ObservationComponent,
    code=CONCEPTS,
    valueQuantity=st.none() | QUANTITIES,
    dataAbsentReason=st.none() | CONCEPTS,
)
OBSERVATIONS = st.builds(
    fhir.Observation,
    status=st.just("final"),
    code=CONCEPTS,
    category=many(CONCEPTS),
    subject=st.none() | REFERENCES,
    effectivePeriod=st.none() | PERIODS,
    valueQuantity=st.none() | QUANTITIES,
    component=many(COMPONENTS),
)


@given(PATIENTS | OBSERVATIONS)
def test_index_rows_of_any_resource_are_the_values_of_its_parameters(resource: fhir.Resource) -> None:
    assert_rows_are_the_values(resource)
