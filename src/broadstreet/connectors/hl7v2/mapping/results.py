"""What DG1, OBR and OBX say, read before the store is asked: diagnoses, orders and their results."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

from broadstreet.connectors.hl7v2.mapping import datatypes, measurements, tables
from broadstreet.connectors.hl7v2.mapping.datatypes import Clinician
from broadstreet.connectors.hl7v2.mapping.measurements import LONGEST_TEXT, Measured
from broadstreet.connectors.hl7v2.mapping.reading import Findings, Line, Reading, Wrong
from broadstreet.connectors.hl7v2.mapping.rules import Said, value_of
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.connectors.hl7v2.segment import NULL
from broadstreet.model import fhir

_LINES = frozenset({"TX", "FT"})
_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"


@dataclass(slots=True)
class Diagnosis:
    """A DG1: `kind` is DG1-6, `action` DG1-21 (table 0206). Without a code it says: there is none."""

    said: Said
    code: fhir.CodeableConcept | None
    kind: str
    action: str
    rank: int | None


@dataclass(slots=True)
class Result:
    """An OBX, or several that are lines of one text.

    `place` tells it apart within its order or visit; `key` is the system and value of the identifier that it
    is found by again, once that is known.
    """

    line: Line
    said: Said
    code: fhir.CodeableConcept
    place: str
    kind: str
    measured: dict[str, Any]
    instance: fhir.Identifier | None
    key: tuple[str, str] | None = None
    lines: list[str] = field(default_factory=list)
    length: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """An OBR and its results."""

    line: Line
    said: Said
    code: fhir.CodeableConcept
    placer: fhir.Identifier | None
    filler: fhir.Identifier | None
    requesters: tuple[Clinician, ...]
    interpreters: tuple[Clinician, ...]
    results: list[Result] = field(default_factory=list)
    attachments: list[fhir.Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def key_of(concept: fhir.CodeableConcept | None) -> str:
    """Return what tells a concept apart: its first code, or its text."""
    if concept is None:
        return ""
    if concept.coding:
        return f"{concept.coding[0].system or ''}|{concept.coding[0].code}"
    return concept.text or ""


def diagnosis(line: Line, said: Said, reading: Reading, findings: Findings) -> Diagnosis | None:
    """Read a DG1; None for one that names no diagnosis and does not delete one."""
    raw, described = line.raw(3), reading.text(line.raw(4))
    code = None
    if raw not in {"", NULL}:
        code = datatypes.concept(raw, reading, "", reading.text(line.raw(2)))
    if described and (code is None or not code.coding or not code.coding[0].display):
        code = fhir.CodeableConcept(coding=code.coding if code else None, text=described)
    if code is None and NULL not in {raw, line.raw(4)}:
        findings.tolerate("DG1 without DG1-3 and DG1-4")
        return None
    return Diagnosis(
        [each for each in said if each[0].element != "code"],
        code,
        reading.first(line.raw(6)).upper(),
        reading.first(line.raw(21)).upper(),
        _rank(reading.text(line.raw(15))),
    )


def _rank(text: str) -> int | None:
    is_number = text.isdecimal() and text.isascii() and len(text) < 9
    return int(text) or None if is_number else None


def order(line: Line, said: Said, reading: Reading, findings: Findings) -> Order:
    """Read an OBR."""
    code = value_of(said, "code")
    if code is None:
        wrong = Wrong("OBR-4 must say which examination it is", ErrorCode.REQUIRED_FIELD_MISSING)
        findings.refuse(line, 4, wrong)
        code = fhir.CodeableConcept(text="?")
    return Order(
        line,
        said,
        code,
        datatypes.order_number(line.raw(2), reading, "PLAC"),
        datatypes.order_number(line.raw(3), reading, "FILL"),
        datatypes.clinicians(line.raw(16), reading) if line.raw(16) else (),
        datatypes.clinician_in_name(line.raw(32), reading) if line.raw(32) else (),
    )


def result(
    line: Line,
    said: Said,
    under: Order | None,
    results: list[Result],
    reading: Reading,
    findings: Findings,
) -> Result | None:
    """Read an OBX into `results`, or add its text to the last of them; None where it was left out."""
    code = value_of(said, "code")
    if code is None and under is None:
        wrong = Wrong("OBX-3 must say what was observed", ErrorCode.REQUIRED_FIELD_MISSING)
        findings.refuse(line, 3, wrong)
        return None
    if code is None and under is not None:
        findings.tolerate("OBX-3 empty, OBR-4 taken")
        code = under.code
    kind = reading.first(line.raw(2)).upper()
    found = _measured(kind, line, reading, findings)
    if "attachment" in found:
        _attach(under, found, findings)
        return None
    place = _place(key_of(code), reading.words(line.raw(4)) if line.raw(4) else "")
    last = results[-1] if results else None
    if kind in _LINES and last is not None and last.kind == kind and last.place == place:
        _add_line(last, found, line, findings)
        return last
    instance = datatypes.order_number(line.raw(21), reading, "FILL")
    made = Result(line, said, code, place, kind, dict(found), instance)
    if kind in _LINES:
        _add_line(made, found, line, findings)
    results.append(made)
    return made


@datatypes.remembered
def _place(code: str, part: str) -> str:
    return f"{quote(code, safe='|:')}/{quote(part, safe='')}"


def told_apart(results: list[Result]) -> list[tuple[str, Result]]:
    """Return the results with places that differ: where several have one, they are counted."""
    met: Counter[str] = Counter()
    told = []
    for each in results:
        met[each.place] += 1
        again = met[each.place]
        told.append((each.place if again == 1 else f"{each.place}#{again}", each))
    return told


def _attach(under: Order | None, found: Measured, findings: Findings) -> None:
    if under is None:
        findings.tolerate("OBX-5 is a document without a report")
    else:
        under.attachments.append(found["attachment"])


def _add_line(to: Result, found: Measured, line: Line, findings: Findings) -> None:
    text = found.get("valueString", "")
    to.length += len(text) + 1
    if to.length > LONGEST_TEXT:
        reason = f"the lines of one text may have {LONGEST_TEXT} characters"
        findings.refuse(line, 5, Wrong(reason, ErrorCode.VALUE_TOO_LONG))
    else:
        to.lines.append(text)


def _measured(kind: str, line: Line, reading: Reading, findings: Findings) -> Measured:
    raw = line.raw(5)
    if raw in {"", NULL}:
        return {}
    if not kind:
        findings.tolerate("OBX-2 empty, OBX-5 taken as text")
        kind = "ST"
    try:
        return measurements.measured(kind, raw, reading, measurements.unit(line.raw(6), reading))
    except Wrong as wrong:
        findings.refuse(line, 2 if wrong.code is ErrorCode.TABLE_VALUE_NOT_FOUND else 5, wrong)
        return {}


def category(code: fhir.CodeableConcept) -> list[fhir.CodeableConcept] | None:
    """Return the category of an observation by its code, from `categories.tsv`."""
    for coding in code.coding or ():
        found = _categories().get((coding.system, coding.code))
        if found is not None:
            return found
    return None


@cache
def _categories() -> dict[tuple[str | None, str | None], list[fhir.CodeableConcept]]:
    def concept(code: str) -> list[fhir.CodeableConcept]:
        return [fhir.CodeableConcept(coding=[fhir.Coding(system=_CATEGORIES, code=code)])]

    return {(row["system"], row["code"]): concept(row["category"]) for row in tables.rows("categories")}
