"""What was observed (OBX-5): by its type (OBX-2), the element of the Observation that holds it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from broadstreet.connectors.hl7v2.mapping import datatypes, tables
from broadstreet.connectors.hl7v2.mapping.reading import Reading, Wrong
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.model import fhir

UCUM = "http://unitsofmeasure.org"

_DIGITS = r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))"
_NUMBER = re.compile(rf"(<=|>=|<|>)?\s*{_DIGITS}")
_BETWEEN = re.compile(rf"{_DIGITS}\s*[-_]\s*{_DIGITS}")
_TIME = re.compile(r"([01][0-9]|2[0-3])(?:([0-5][0-9])(?:([0-5][0-9])(\.[0-9]{1,4})?)?)?(?:[+-][0-9]{4})?")
LONGEST_TEXT = 1_048_576  # https://hl7.org/fhir/R4/datatypes.html#string

Unit = fhir.Quantity | None
Measured = Mapping[str, Any]
"""Elements of an Observation, such as ``valueQuantity``."""


def unit(raw: str, reading: Reading) -> Unit:
    """Return the unit (OBX-6) as a quantity without a value, coded in UCUM where it is known."""
    code, text, name = reading.texts(raw.split(reading.repetition, 1)[0], 3)[:3]
    shown = text or code
    if not shown:
        return None
    known = " ".join(code.split()) if name.upper() == "UCUM" else _ucum(code) or _ucum(text)
    return fhir.Quantity(unit=shown, system=UCUM if known else None, code=known or None)


def _ucum(text: str) -> str:
    units = _units()
    return units.get(text) or units.get(text.lower(), "")


@cache
def _units() -> Mapping[str, str]:
    """Return UCUM codes by the unit as written, and in small letters where that is not another unit."""
    exact = {row["unit"]: row["ucum"] for row in tables.rows("units")}
    return {text.lower(): ucum for text, ucum in exact.items() if len(text) > 1} | exact


def quantity(text: str, measure: Unit) -> fhir.Quantity | None:
    """Return a number with its unit and its comparator, if there is one; None if it is no number."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return fhir.Quantity(
        value=Decimal(match[2]),
        comparator=match[1],
        unit=measure.unit if measure else None,
        system=measure.system if measure else None,
        code=measure.code if measure else None,
    )


def reference_range(raw: str, reading: Reading) -> list[fhir.ObservationReferenceRange] | None:
    """Return the range of reference (OBX-7): low and high where they can be read, the text always."""
    text = reading.words(raw)
    if not text:
        return None
    found = fhir.ObservationReferenceRange(text=text)
    between = _BETWEEN.fullmatch(text)
    if between:
        low, high = Decimal(between[1]), Decimal(between[2])
        if low <= high:
            found.low, found.high = fhir.Quantity(value=low), fhir.Quantity(value=high)
    elif match := _NUMBER.fullmatch(text):
        bound = fhir.Quantity(value=Decimal(match[2]))
        if (match[1] or "").startswith("<"):
            found.high = bound
        elif match[1]:
            found.low = bound
    return [found]


def measured(kind: str, raw: str, reading: Reading, measure: Unit) -> Measured:
    """Return the elements that hold an observed value; none for an empty one.

    Raises
    ------
    Wrong
        If the value is not of its type, or the type is not in `values.tsv`.
    """
    conversion = tables.pairs("values", "type", "conversion").get(kind)
    if conversion is None:
        raise Wrong(f"{kind[:20]!r} is not in HL7 table 0125", ErrorCode.TABLE_VALUE_NOT_FOUND)
    return MEASURES[conversion](raw, reading, measure)


def _number(raw: str, reading: Reading, measure: Unit) -> Measured:
    found = [_one_number(reading.first(part), measure) for part in reading.repetitions(raw)]
    if len(found) == 1:
        return {"valueQuantity": found[0]}
    return {"components": found} if found else {}


def _one_number(text: str, measure: Unit) -> fhir.Quantity:
    found = quantity(text, measure)
    if found is None:
        raise Wrong(f"a number (NM) is expected (is {text[:40]!r}); send other values as ST or SN")
    return found


def _structured(raw: str, reading: Reading, measure: Unit) -> Measured:
    comparator, first, separator, second = reading.texts(raw, 4)[:4]
    if not (first or second):
        return _string(f"{comparator}{separator}")
    if separator in {"-", ":", "/"}:
        low, high = _one_number(first, measure), _one_number(second, measure)
        if separator == "-":
            return {"valueRange": fhir.Range(low=low, high=high)}
        return {"valueRatio": fhir.Ratio(numerator=low, denominator=high)}
    if comparator in {"", "=", "<", ">", "<=", ">="} and not separator:
        number = _one_number(first, measure)
        number.comparator = comparator if comparator not in {"", "="} else None
        return {"valueQuantity": number}
    return {"valueString": f"{comparator}{first}{separator}{second}"}


def _number_range(raw: str, reading: Reading, measure: Unit) -> Measured:
    low, high = (part and _one_number(part, measure) for part in reading.texts(raw, 2)[:2])
    return {"valueRange": fhir.Range(low=low or None, high=high or None)} if low or high else {}


def _text(raw: str, reading: Reading, _measure: Unit) -> Measured:
    text = reading.text(raw.replace(reading.repetition, "\n"))
    return _string(text)


def _string(text: str) -> Measured:
    if len(text) > LONGEST_TEXT:
        raise Wrong(f"a text may have {LONGEST_TEXT} characters (has {len(text)})", ErrorCode.VALUE_TOO_LONG)
    return {"valueString": text} if text else {}


def _words(raw: str, reading: Reading, _measure: Unit) -> Measured:
    return _string(reading.words(raw))


def _first(raw: str, reading: Reading, _measure: Unit) -> Measured:
    return _string(reading.first(raw))


def _concept(raw: str, reading: Reading, _measure: Unit) -> Measured:
    found = datatypes.concepts(raw, reading) or []
    if len(found) == 1:
        return {"valueCodeableConcept": found[0]}
    return {"components": found} if found else {}


def _datetime(raw: str, reading: Reading, _measure: Unit) -> Measured:
    found = datatypes.datetime(raw, reading)
    return {"valueDateTime": found} if found else {}


def _time(raw: str, reading: Reading, _measure: Unit) -> Measured:
    text = reading.first(raw)
    match = _TIME.fullmatch(text)
    if match is None:
        raise Wrong(f"a time (TM) must look like HHMM[SS[.SSSS]] (is {text[:40]!r})")
    hour, minute, second, fraction = match.groups()
    return {"valueTime": f"{hour}:{minute or '00'}:{second or '00'}{fraction or ''}"}


def _period(raw: str, reading: Reading, _measure: Unit) -> Measured:
    start, end = (datatypes.datetime(part, reading) for part in reading.components(raw, 2)[:2])
    return {"valuePeriod": fhir.Period(start=start, end=end)} if start or end else {}


def _attachment(raw: str, reading: Reading, _measure: Unit) -> Measured:
    """Return encapsulated data (ED): application, type, subtype, encoding, data."""
    *described, data = reading.components(raw, 5)[:5]
    _, kind, subtype, encoding = (reading.text(part) for part in described)
    if encoding.lower() == "base64":
        packed = "".join(reading.text(data).split())
        try:
            base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise Wrong("ED-5 is not base64", component=5) from None
    else:
        packed = base64.b64encode(reading.text(data).encode()).decode()
    if not packed:
        return {}
    media = "/".join(part.lower() for part in (kind, subtype) if part)
    return {"attachment": fhir.Attachment(contentType="".join(media.split()) or None, data=packed)}


def _pointer(raw: str, reading: Reading, _measure: Unit) -> Measured:
    """Return a reference pointer (RP): pointer, application, type, subtype."""
    pointer, _, kind, subtype = reading.texts(raw, 4)[:4]
    if not pointer or " " in pointer:
        return _words(raw, reading, None)
    media = "/".join(part.lower() for part in (kind, subtype) if part)
    url = "".join(pointer.split())
    return {"attachment": fhir.Attachment(contentType="".join(media.split()) or None, url=url)}


MEASURES: dict[str, Callable[[str, Reading, Unit], Measured]] = {
    "attachment": _attachment,
    "concept": _concept,
    "datetime": _datetime,
    "first": _first,
    "lines": _text,
    "number": _number,
    "number range": _number_range,
    "period": _period,
    "pointer": _pointer,
    "structured number": _structured,
    "text": _text,
    "time": _time,
    "words": _words,
}
