"""The published FHIRPath cases for R4: what is supported is right; what is not is counted by its reason."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from broadstreet.model import fhirpath
from broadstreet.model.clock import DrivenClock
from broadstreet.model.fhirpath.evaluation import truth, value_of
from broadstreet.model.fhirpath.functions.conversions import text
from broadstreet.model.fhirpath.values import Primitive
from tests.fhir_xml import read

NOW = DrivenClock(datetime(2026, 11, 20, 12, 30, 15, tzinfo=UTC))
# Inputs that the suite names otherwise than the folders that hold them.
ELSEWHERE = {
    "appointment-examplereq.json": "Appointment-examplereq.json",
}
# Cases that we answer otherwise than the suite, and why.
OTHERWISE = {
    "testDollarOrderNotAllowed": "asks that skip() is refused after children(); ours have an order",
    "HighBoundaryDateTimeMillisecond1": "08 is an hour to us, the suite reads it as 08:00",
    "HighBoundaryDateTimeMillisecond3": "08 is an hour to us, the suite reads it as 08:00",
}


class Case(NamedTuple):
    name: str
    input: str | None
    predicate: bool
    expression: str
    invalid: str | None
    outputs: list[tuple[str | None, str]]


def cases(suite: Path) -> list[Case]:
    """Return the cases: with the type of the input known, we are as strict as the strictest of them."""
    found = []
    for test in ElementTree.parse(suite / "fhirpath/tests-fhir-r4.xml").iter("test"):
        expression = test.find("expression")
        outputs = [(o.get("type"), o.text or "") for o in test.findall("output")]
        found.append(
            Case(
                test.get("name", ""),
                test.get("inputfile"),
                test.get("predicate") == "true",
                expression.text or "",
                expression.get("invalid"),
                outputs,
            )
        )
    return found


def evaluated(case: Case, resource: Any) -> list[Any]:
    program = fhirpath.compile(case.expression, type(resource).__name__, clock=NOW)
    items = program.typed(resource)
    return [truth(items)] if case.predicate else items


def matches(items: list[Any], outputs: list[tuple[str | None, str]]) -> bool:
    return len(items) == len(outputs) and all(map(_is, items, outputs))


def _is(item: Any, output: tuple[str | None, str]) -> bool:
    kind, wanted = output
    value = value_of(item)
    if isinstance(value, bool) or kind == "boolean":
        return value is (wanted == "true")
    if isinstance(item, Primitive) and kind not in (None, item.type):
        return False
    if isinstance(value, int | Decimal):
        return (
            Decimal(wanted) == value and str(Decimal(wanted)) == str(value)
            if kind is None
            else Decimal(wanted) == value
        )
    return text(value) == (wanted if kind in ("string", "code", "id") else re.sub(r"^@T?", "", wanted))


@pytest.fixture(scope="module")
def inputs(shared: Path, fhir_examples: Path) -> Any:
    folder = shared / "suites/fhirpath-r4/examples"

    @cache
    def resource(name: str | None) -> Any:
        path = (
            fhir_examples / ELSEWHERE[name] if name in ELSEWHERE else folder / (name or "patient-example.xml")
        )
        if not path.exists():
            path = path.with_suffix(".json")
        return read(path) if path.exists() else None

    return resource


def test_every_supported_case_of_the_published_suite_is_answered_as_it_says(
    shared: Path, inputs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = cases(shared / "suites/fhirpath-r4")
    passed, unsupported, without_input, wrong = 0, Counter[str](), Counter[str](), {}
    for case in suite:
        resource = inputs(case.input)
        if resource is None:
            without_input[case.input or ""] += 1
            continue
        try:
            items = evaluated(case, resource)
            good, came = case.invalid is None and matches(items, case.outputs), repr(items)[:200]
        except fhirpath.Unsupported as error:
            unsupported[error.reason] += 1
            continue
        except fhirpath.FhirpathError as error:
            good, came = case.invalid is not None, f"{type(error).__name__}: {error}"
        if good:
            passed += 1
        else:
            wrong[case.name] = f"{case.expression!r} gave {came}, expected {case.invalid or case.outputs}"
    with capsys.disabled():
        print(f"\nFHIRPath suite: {passed} of {len(suite)} cases pass, {len(wrong)} wrong")
        for reason, count in [*unsupported.most_common(), *without_input.most_common()]:
            print(f"  {count} not tried: {reason}")
    assert len(suite) == 935
    assert {name: wrong[name] for name in wrong if name not in OTHERWISE} == {}
    assert set(OTHERWISE) <= set(wrong)
