"""The few elements of FHIR resources that the counts need, and nothing else of them.

Bodies were validated at the door. Here they are decoded into lean structs, since every entry passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import msgspec

from broadstreet.workflows.surveillance.days import city_day
from broadstreet.workflows.surveillance.tables import Facility, Finding, Resident, Visit

COMPLAINT = 2_000
"""So many characters of the complaint are kept."""
CODES = 200
"""So many codes of one resource are kept."""
_NAME = 100
_CODE = 20

_ICD_10 = (
    "http://hl7.org/fhir/sid/icd-10",  # and its national versions, such as icd-10-cm
    "urn:oid:2.16.840.1.113883.6.3",
    "urn:oid:2.16.840.1.113883.6.90",
)
_LOINC = "http://loinc.org"
_BODY_TEMPERATURE = "8310-5"
FEVER = "R50.9"
"""ICD-10 "Fever, unspecified": what a temperature of a fever adds to a visit."""
# >= 38.0 Cel: WHO Global Epidemiological Surveillance Standards for Influenza, 2014. What lies above the
# second number is no body's temperature (most often degrees Fahrenheit that were called Celsius).
_FEVERS = {
    "Cel": (38.0, 45.0),
    "C": (38.0, 45.0),
    "°C": (38.0, 45.0),
    "[degF]": (100.4, 113.0),
    "F": (100.4, 113.0),
    "°F": (100.4, 113.0),
}
# HL7 FHIR R4: http://hl7.org/fhir/encounter-status, condition-ver-status, observation-status.
_NO_VISIT = frozenset({"cancelled", "entered-in-error"})
_NO_CONDITION = frozenset({"refuted", "entered-in-error"})
_NO_OBSERVATION = frozenset({"cancelled", "entered-in-error"})


class _Lean(msgspec.Struct, frozen=True, rename="camel", gc=False):
    pass


class _Reference(_Lean, frozen=True):
    reference: str | None = None


class _Coding(_Lean, frozen=True):
    system: str | None = None
    code: str | None = None


class _Concept(_Lean, frozen=True):
    coding: tuple[_Coding, ...] = ()
    text: str | None = None


class _Quantity(_Lean, frozen=True):
    value: float | None = None
    unit: str | None = None
    code: str | None = None


class _Address(_Lean, frozen=True):
    district: str | None = None
    postal_code: str | None = None


class _Link(_Lean, frozen=True):
    other: _Reference
    type: str


class _Period(_Lean, frozen=True):
    start: str | None = None


_NOTHING = _Concept()
_NOWHERE = _Reference()


class _Patient(_Lean, frozen=True):
    birth_date: str | None = None
    address: tuple[_Address, ...] = ()
    link: tuple[_Link, ...] = ()


class _Encounter(_Lean, frozen=True):
    status: str = ""
    subject: _Reference = _NOWHERE
    service_provider: _Reference = _NOWHERE
    period: _Period = _Period()
    reason_code: tuple[_Concept, ...] = ()


class _Condition(_Lean, frozen=True):
    code: _Concept = _NOTHING
    encounter: _Reference = _NOWHERE
    verification_status: _Concept = _NOTHING


class _Observation(_Lean, frozen=True):
    status: str = ""
    code: _Concept = _NOTHING
    encounter: _Reference = _NOWHERE
    value_quantity: _Quantity | None = None


class _Organization(_Lean, frozen=True):
    name: str | None = None


_patient = msgspec.json.Decoder(_Patient).decode
_encounter = msgspec.json.Decoder(_Encounter).decode
_condition = msgspec.json.Decoder(_Condition).decode
_observation = msgspec.json.Decoder(_Observation).decode
_organization = msgspec.json.Decoder(_Organization).decode

Fact = Resident | Visit | Finding | Facility
Reading = Callable[[str, bytes, ZoneInfo], Fact | None]


def resident(id: str, body: bytes, _: ZoneInfo) -> Resident:
    """Read a Patient: the first address's district code or else postal code, the merge, the birth date."""
    patient = _patient(body)
    merged = [link.other for link in patient.link if link.type == "replaced-by"]
    home = patient.address[0] if patient.address else _Address()
    return Resident(
        id,
        _named(home.district) or _named(home.postal_code),
        _id(merged[0], "Patient/") if merged else None,
        _named(patient.birth_date),
    )


def visit(id: str, body: bytes, zone: ZoneInfo) -> Visit:
    """Read an Encounter; what follows from other resources is left empty."""
    encounter = _encounter(body)
    day = None if encounter.status in _NO_VISIT else city_day(encounter.period.start, zone)
    texts = [reason.text for reason in encounter.reason_code if reason.text]
    codes = [code for reason in encounter.reason_code for code in _icd_10(reason)]
    return Visit(
        id,
        _id(encounter.subject, "Patient/"),
        _id(encounter.service_provider, "Organization/"),
        day,
        ". ".join(texts)[:COMPLAINT],
        _words(codes),
        None,
        "",
        "",
    )


def condition(id: str, body: bytes, _: ZoneInfo) -> Finding | None:
    """Read a Condition: its ICD-10 codes, or its text where it has none."""
    found = _condition(body)
    encounter = _id(found.encounter, "Encounter/")
    if encounter is None or any(coding.code in _NO_CONDITION for coding in found.verification_status.coding):
        return None
    codes = _words(_icd_10(found.code))
    text = "" if codes else (found.code.text or "")[:COMPLAINT]
    return Finding(f"Condition/{id}", encounter, codes, text) if codes or text else None


def observation(id: str, body: bytes, _: ZoneInfo) -> Finding | None:
    """Read an Observation: a body temperature of 38.0 Cel (100.4 [degF]) or more is a finding."""
    found = _observation(body)
    encounter = _id(found.encounter, "Encounter/")
    if found.status in _NO_OBSERVATION or encounter is None or not _is_fever(found):
        return None
    return Finding(f"Observation/{id}", encounter, FEVER, "")


def facility(id: str, body: bytes, _: ZoneInfo) -> Facility:
    """Read an Organization: its name."""
    return Facility(id, _named(_organization(body).name) or id)


def _is_fever(found: _Observation) -> bool:
    quantity = found.value_quantity
    if quantity is None or quantity.value is None:
        return False
    if not any(c.code == _BODY_TEMPERATURE and c.system == _LOINC for c in found.code.coding):
        return False
    lowest, highest = _FEVERS.get(quantity.code or quantity.unit or "", (1.0, 0.0))
    return lowest <= quantity.value <= highest


def _icd_10(concept: _Concept) -> list[str]:
    return [
        coding.code
        for coding in concept.coding
        if coding.code and (coding.system is None or coding.system.startswith(_ICD_10))
    ]


def _words(codes: Iterable[str]) -> str:
    return " ".join(sorted({code.replace(" ", "")[:_CODE] for code in codes})[:CODES])


def _named(text: str | None) -> str | None:
    return (text.strip()[:_NAME] or None) if text else None


def _id(reference: _Reference, kind: str) -> str | None:
    text = reference.reference
    return (text[len(kind) :] or None) if text and text.startswith(kind) else None
