"""What the published regular expressions allow, our formats allow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.model import fhir

REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
TEXTS = (
    "base64Binary",
    "canonical",
    "code",
    "date",
    "dateTime",
    "id",
    "instant",
    "markdown",
    "oid",
    "string",
)
MORE_TEXTS = ("time", "uri", "url", "uuid")
NUMBERS = ("decimal", "integer", "positiveInt", "unsignedInt")


def published(folder: Path, name: str) -> str:
    definition = json.loads((folder / f"StructureDefinition-{name}.json").read_bytes())
    value = next(e for e in definition["snapshot"]["element"] if e["path"] == f"{name}.value")
    return next(e["valueString"] for e in value["type"][0]["extension"] if e["url"] == REGEX)


@pytest.mark.parametrize("name", [*TEXTS, *MORE_TEXTS, *NUMBERS])
def test_what_the_published_expression_allows_is_allowed(fhir_examples: Path, name: str) -> None:
    expression = published(fhir_examples, name)

    @settings(max_examples=60, deadline=None)
    @given(
        st.from_regex(expression, fullmatch=True, alphabet=PRINTABLE).filter(lambda text: ours(name, text))
    )
    def allowed(text: str) -> None:
        value = text if name in NUMBERS else json.dumps(text)
        fhir.decode(f'{{"url": "u", "value{name[0].upper()}{name[1:]}": {value}}}', fhir.Extension)

    allowed()


def ours(name: str, text: str) -> bool:
    """Tell whether the text keeps what we ask on top: a day of the calendar, a bounded number."""
    if name in NUMBERS:
        exponent = re.search(r"[eE]([+-]?\d+)", text)
        if exponent and abs(int(exponent[1])) > fhir.MAX_EXPONENT // 2:
            return False
        return len(text) < 200 if name == "decimal" else abs(int(text)) < 2**31
    return bool(text) and not re.search(r"-(29|3[01])", text)
