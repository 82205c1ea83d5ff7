"""The datatypes of HL7 v2 as datatypes of FHIR R4.

Each function takes an encoded value and the feed's `Reading`; it returns None where the value says nothing,
and raises `Wrong` where it cannot be read. What `remembered` returns is shared: nobody may change it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, ParamSpec, TypeVar
from urllib.parse import quote

from broadstreet.connectors.hl7v2.mapping import tables
from broadstreet.connectors.hl7v2.mapping.moments import moment
from broadstreet.connectors.hl7v2.mapping.reading import CODES, Reading, Wrong
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.model import fhir

_LONGEST_REMEMBERED = 500
_MOST_REMEMBERED = 8_192
_NO_NUMBER = re.compile(r"0+|[-.?*]+|N/?A|NIL|NONE|NULL|UNK|UNKNOWN", re.IGNORECASE)
_ID_TYPES = f"{tables.V2}0203"

Params = ParamSpec("Params")
Result = TypeVar("Result")


def remembered(convert: Callable[Params, Result]) -> Callable[Params, Result]:
    """Convert the same short value only once: codes, places and people come again and again."""
    cached: Any = lru_cache(maxsize=_MOST_REMEMBERED)(convert)

    def converted(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        for each in args:
            if each.__class__ is str and len(each) > _LONGEST_REMEMBERED:
                return convert(*args, **kwargs)
        result: Result = cached(*args, **kwargs)
        return result

    return converted


# -- codes ---------------------------------------------------------------------------------------


@remembered
def system(name: str) -> str | None:
    """Return the URI of a coding system by its name in table 0396; None for no name."""
    listed = tables.pairs("coding_systems", "name", "uri").get(name.upper())
    if listed or not name:
        return listed
    if name.upper().startswith("HL7") and name[3:].isdecimal() and len(name) == 7:
        return tables.V2 + name[3:]
    return CODES + quote(name, safe="")


@remembered
def code(raw: str, reading: Reading, table: str) -> str:
    """Return the FHIR code that a value of an HL7 table stands for."""
    value = reading.first(raw)
    found = tables.codes(table).get(value.upper())
    if found is None:
        raise Wrong(f"{value[:40]!r} is not in HL7 table {table}", ErrorCode.TABLE_VALUE_NOT_FOUND, 1)
    return found.code


@remembered
def coding(raw: str, reading: Reading, table: str) -> fhir.Coding:
    """Return the coding that a value of an HL7 table stands for."""
    value = reading.first(raw)
    found = tables.codes(table).get(value.upper())
    if found is None:
        raise Wrong(f"{value[:40]!r} is not in HL7 table {table}", ErrorCode.TABLE_VALUE_NOT_FOUND, 1)
    return fhir.Coding(system=found.system, code=found.code, display=found.display)


@remembered
def concept(raw: str, reading: Reading, table: str = "", method: str = "") -> fhir.CodeableConcept | None:
    """Return a coded value (CE, CWE, CNE, IS, ID); of several repetitions, the first.

    `table` is the HL7 table of the field: it translates its values, and is the coding system of a code for
    which none is stated. `method` is the name of the coding system in that case.
    """
    first, text, name, other, other_text, other_name, *rest = reading.texts(
        raw.split(reading.repetition, 1)[0], 9
    )
    codings = [
        each
        for each in (
            _coding(first, text, name or method, table),
            _coding(other, other_text, other_name, ""),
        )
        if each is not None
    ]
    said = rest[2] or text or other_text or (first if not (codings and codings[0].display) else "")
    if not codings and not said:
        return None
    return fhir.CodeableConcept(coding=codings or None, text=said or None)


def _coding(value: str, text: str, name: str, table: str) -> fhir.Coding | None:
    value = " ".join(value.split())
    if not value:
        return None
    if table and name in {"", f"HL7{table}"}:
        translation = tables.codes(table)
        found = translation.get(value.upper())
        if found is not None:
            return fhir.Coding(system=found.system, code=found.code, display=found.display)
        if translation:
            return None  # the table is complete: what it does not know stays as text
        return fhir.Coding(system=tables.V2 + table, code=value, display=text or None)
    return fhir.Coding(system=system(name), code=value, display=text or None)


@remembered
def concepts(raw: str, reading: Reading, table: str = "") -> list[fhir.CodeableConcept] | None:
    """Return each repetition of a coded value."""
    found = [concept(part, reading, table) for part in reading.repetitions(raw)]
    return [each for each in found if each is not None] or None


def languages(raw: str, reading: Reading) -> list[fhir.PatientCommunication] | None:
    """Return the languages that a patient speaks."""
    found = concepts(raw, reading)
    return [fhir.PatientCommunication(language=each) for each in found] if found else None


def boolean(raw: str, reading: Reading) -> bool:
    """Return yes or no, by HL7 table 0136."""
    value = reading.first(raw).upper()
    if value in {"Y", "YES", "1", "T", "TRUE"}:
        return True
    if value in {"N", "NO", "0", "F", "FALSE"}:
        return False
    raise Wrong(f"must be Y or N (is {value[:20]!r})", ErrorCode.TABLE_VALUE_NOT_FOUND)


# -- identifiers ---------------------------------------------------------------------------------


@remembered
def _id_type(value: str) -> fhir.CodeableConcept | None:
    if not value:
        return None
    meaning = tables.pairs("identifier_types", "type", "meaning").get(value.upper())
    if meaning is None and not (len(value) <= 5 and value.isalnum()):
        return fhir.CodeableConcept(text=value)
    code = fhir.Coding(system=_ID_TYPES, code=value.upper(), display=meaning)
    return fhir.CodeableConcept(coding=[code])


def identifier(raw: str, reading: Reading, kind: str = "") -> fhir.Identifier | None:
    """Return an identifier (CX) with its assigning authority, or the sending facility where none is stated.

    None where the number only says that there is none: nobody is to be found by it.
    `kind` is its type (table 0203) where CX.5 states none.
    """
    parts = reading.components(raw.split(reading.repetition, 1)[0], 6)
    value = reading.text(parts[0])
    if not value or _NO_NUMBER.fullmatch(value):
        return None
    authority = reading.authority(parts[3]) or reading.authority(parts[5]) or reading.facility
    stated = reading.text(parts[4])
    return fhir.Identifier(type=_id_type(stated or kind), system=authority, value=value)


def identifiers(raw: str, reading: Reading) -> list[fhir.Identifier]:
    """Return the identifiers in a field, each once."""
    found = [identifier(part, reading) for part in reading.repetitions(raw)]
    return list({(each.system, each.value): each for each in found if each is not None}.values())


def order_number(raw: str, reading: Reading, kind: str) -> fhir.Identifier | None:
    """Return an entity identifier (EI), such as the number of an order or a diagnosis."""
    value, namespace, universal, universal_kind = reading.texts(raw.split(reading.repetition, 1)[0], 4)[:4]
    if not value:
        return None
    sign = reading.subcomponent
    authority = reading.authority(sign.join((namespace, universal, universal_kind)))
    kind_of = None if kind == "DG1" else _id_type(kind)
    return fhir.Identifier(type=kind_of, system=authority or reading.facility, value=value)


# -- people and addresses ------------------------------------------------------------------------


def _human_name(parts: list[str], reading: Reading, use: str) -> fhir.HumanName | None:
    """Return a name of family, given, further given, suffix, prefix, degree."""
    family = reading.subcomponents(parts[0])[0]
    given, further, suffix, prefix, degree = (reading.text(part) for part in parts[1:6])
    givens = [each for each in (given, *further.split()) if each]
    if not (family or givens):
        return None
    known = tables.codes("0200").get(use.upper())
    return fhir.HumanName(
        use=known.code if known else None,
        family=family or None,
        given=[*givens] or None,
        prefix=[prefix] if prefix else None,
        suffix=[each for each in (suffix, degree) if each] or None,
    )


def names(raw: str, reading: Reading) -> list[fhir.HumanName] | None:
    """Return the names of a person (PN, XPN)."""
    found = []
    for part in reading.repetitions(raw):
        parts = reading.components(part, 7)
        found.append(_human_name(parts, reading, reading.text(parts[6])))
    return [name for name in found if name is not None] or None


def name(raw: str, reading: Reading) -> fhir.HumanName | None:
    """Return the first name in a field."""
    found = names(raw, reading)
    return found[0] if found else None


def address(raw: str, reading: Reading, use: str) -> fhir.Address | None:
    """Return the first address in a field (AD, XAD); `use` where XAD.7 states none."""
    found = addresses(raw, reading, use)
    return found[0] if found else None


def addresses(raw: str, reading: Reading, use: str) -> list[fhir.Address] | None:
    """Return the addresses in a field (AD, XAD); `use` where XAD.7 states none."""
    found = [_address(part, reading, use) for part in reading.repetitions(raw)]
    return [each for each in found if each is not None] or None


def _address(raw: str, reading: Reading, use: str) -> fhir.Address | None:
    parts = reading.components(raw, 9)
    text = reading.text
    street = " ".join(each for each in reading.subcomponents(parts[0]) if each)
    lines = [each for each in (street, text(parts[1])) if each]
    city, state, postal, country, kind = (text(part) for part in parts[2:7])
    district = reading.words(parts[8])
    if not (lines or city or state or postal or country or district):
        return None
    known = tables.codes("0190").get(kind.upper())
    return fhir.Address(
        use=known.code if known else use,
        type="postal" if kind.upper() == "M" else None,
        line=[*lines] or None,
        city=city or None,
        district=district or None,
        state=state or None,
        postalCode=postal or None,
        country=country or None,
    )


def phones(raw: str, reading: Reading, use: str) -> list[fhir.ContactPoint] | None:
    """Return the telephone numbers and electronic addresses in a field (TN, XTN)."""
    found = [_phone(part, reading, use) for part in reading.repetitions(raw)]
    return [each for each in found if each is not None] or None


def _phone(raw: str, reading: Reading, use: str) -> fhir.ContactPoint | None:
    parts = reading.texts(raw, 12)
    number, used, equipment, mail, country, area, local, extension = parts[:8]
    known = tables.codes("0202").get(equipment.upper())
    kind = known.code if known else "email" if used.upper() == "NET" or "@" in number else "phone"
    value = (mail or number) if kind == "email" else (number or parts[11] or _dialled(country, area, local))
    if not value and mail:
        kind, value = "email", mail
    if not value:
        return None
    if extension and kind == "phone" and not number:
        value += f" x{extension}"
    stated = tables.codes("0201").get(used.upper())
    used_as = "mobile" if equipment.upper() == "CP" else stated.code if stated else use
    return fhir.ContactPoint(system=kind, value=value, use=used_as)


def _dialled(country: str, area: str, local: str) -> str:
    if not local:
        return ""
    return " ".join(each for each in (f"+{country}" if country else "", area, local) if each)


class Clinician(NamedTuple):
    """A person who cares for patients, as a field names them; without a number there is only a name."""

    system: str
    number: str
    name: fhir.HumanName | None
    shown: str


@remembered
def clinicians(raw: str, reading: Reading) -> tuple[Clinician, ...]:
    """Return the clinicians in a field (CN, XCN), each once."""
    found = [_clinician(part, reading) for part in reading.repetitions(raw)]
    return tuple(
        {(each.system, each.number, each.shown): each for each in found if each is not None}.values()
    )


def _clinician(raw: str, reading: Reading) -> Clinician | None:
    parts = reading.components(raw, 14)
    number = reading.subcomponents(parts[0])[0]
    human = _human_name(parts[1:7], reading, reading.text(parts[9]))
    if not number and human is None:
        return None
    listed = tables.pairs("namespaces", "namespace", "uri").get(reading.text(parts[12]).upper(), "")
    national = listed if listed.startswith("http") else ""
    authority = reading.authority(parts[8]) or national or reading.facility
    shown = " ".join((*(human.given or ()), human.family or "")).strip() if human else number
    return Clinician(authority, number, human, shown)


@remembered
def clinician_in_name(raw: str, reading: Reading) -> tuple[Clinician, ...]:
    """Return the clinicians in a field of names and dates (NDL): its first component is a CN.

    Many senders put the parts of the name into the components themselves, as in an XCN.
    """
    found: list[Clinician] = []
    for part in reading.repetitions(raw):
        name, second = reading.components(part, 2)[:2]
        if reading.subcomponent in name or not second or second[:1].isdecimal():
            part = name.replace(reading.subcomponent, reading.component)  # noqa: PLW2901
        found += clinicians(part, reading)
    return tuple(found)


# -- places --------------------------------------------------------------------------------------

# Source: http://terminology.hl7.org/CodeSystem/location-physical-type; PL components from outside to inside
_LEVELS = ((3, "si"), (6, "bu"), (7, "lvl"), (0, "wa"), (1, "ro"), (2, "bd"))


class Level(NamedTuple):
    """A place within the places around it: its kind, its name, and its path from the outermost."""

    kind: str
    name: str
    path: str


@remembered
def place(raw: str, reading: Reading) -> tuple[Level, ...]:
    """Return a patient location (PL) as the places around it, from the outermost; none if it is empty."""
    parts = reading.components(raw.split(reading.repetition, 1)[0], 9)
    levels: list[Level] = []
    path = ""
    for number, kind in _LEVELS:
        named = reading.subcomponents(parts[number])[0]
        if named:
            path = f"{path}/" * bool(path) + f"{kind}:{quote(named, safe=' ')}"
            levels.append(Level(kind, named, path))
    return tuple(levels)


# -- times ---------------------------------------------------------------------------------------


def date(raw: str, reading: Reading) -> str | None:
    """Return a day; the time of it is left out."""
    stated = reading.first(raw)
    if moment(stated, reading.zone) is None:
        return None
    digits = re.split("[+-]", stated)[0][:8]
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:]) if part)


def datetime(raw: str, reading: Reading) -> str | None:
    """Return a time of the precision that was stated."""
    found = moment(reading.first(raw), reading.zone)
    return found.text if found else None


def instant(raw: str, reading: Reading) -> str | None:
    """Return a time to the second; None where the day is all that was stated."""
    found = moment(reading.first(raw), reading.zone)
    return found.text if found and len(found.text) > 10 else None
