"""Every official example of FHIR R4 comes back as it went in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model import fhir

# The examples that are refused, and why; they break the standard that they are examples of.
REFUSED = {
    # its id has 66 characters; an id has at most 64
    "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json": (
        "SearchParameter.id: not a valid id"
    ),
}


@pytest.mark.timeout(120)
def test_every_official_example_comes_back_equal_with_its_trailing_zeros(
    fhir_examples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(path for path in fhir_examples.glob("*.json") if path.name != "package.json")
    failed = {}
    for path in files:
        data = path.read_bytes()
        try:
            if _tree(fhir.encode(fhir.decode(data))) != _tree(data):
                failed[path.name] = "came back changed"
        except fhir.Invalid as error:
            failed[path.name] = str(error)
    with capsys.disabled():
        print(
            f"\n{len(files) - len(failed)} of {len(files)} official examples come back equal; not: {failed}"
        )
    assert len(files) == 5306
    assert failed == REFUSED


def test_the_comparison_tells_trailing_zeros_apart() -> None:
    assert _tree(b'{"value": 1.0}') != _tree(b'{"value": 1.00}')
    assert _tree(b'{"value": 1}') != _tree(b'{"value": 1.0}')
    assert _tree(b'{"value": "1"}') != _tree(b'{"value": 1}')


def _tree(data: bytes) -> Any:
    return json.loads(
        data, parse_float=lambda text: ("decimal", Decimal(text).as_tuple()), parse_int=_integer
    )


def _integer(text: str) -> tuple[str, int]:
    return "integer", int(text)
