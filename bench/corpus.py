"""A corpus of FHIR resources, visit by visit, as clinics would send them; the same for the same seed.

A visit is an Encounter with one Condition and two to four Observations, which follow each other in the log;
where the patient was never seen before, the Patient comes first. Patients return at random, out of 200,000.
So of 100 resources about 12 are Patients, 18 Encounters, 18 Conditions and 52 Observations.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, islice

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds

PATIENTS = 200_000
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
A_VISIT = timedelta(seconds=12)
CLINICS = 40
LOINC, ICD, UCUM = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10", "http://unitsofmeasure.org"
MRN, VISIT = "urn:city:mrn", "urn:city:visit"
_TERMS = "http://terminology.hl7.org/CodeSystem"

# Names as they are written in Seoul, in Hangul and Han and Latin letters; families with their frequencies.
FAMILIES = {
    "김": 21, "이": 15, "박": 8, "최": 5, "정": 5, "金": 3, "李": 3, "王": 2, "陳": 2, "Kim": 6, "Lee": 5,
    "Müller": 2, "Ångström": 1, "O'Neill": 2, "Nguyễn": 4, "Silva": 3, "Snow": 1,
}  # fmt: skip
HANGUL = "민서지우하준도윤예은시현수아주원건유진채연성호영미숙자경희"
HAN = "偉芳娜敏靜麗強磊軍洋勇艷傑娟濤明超秀霞平"
LATIN = (
    "Anna",
    "Zoë",
    "José",
    "John",
    "Mary",
    "Björn",
    "Linh",
    "Chloé",
    "Omar",
    "Ines",
    "Paul",
    "Nora",
    "Ivan",
)
# What is measured: LOINC code, unit of UCUM, mean, standard deviation, digits after the point.
VITALS = (
    ("8310-5", "Cel", 37.4, 0.8, 1),
    ("8867-4", "/min", 84, 14, 0),
    ("9279-1", "/min", 17, 4, 0),
    ("59408-5", "%", 97, 2, 0),
    ("8480-6", "mm[Hg]", 128, 18, 0),
    ("8462-4", "mm[Hg]", 80, 11, 0),
    ("2339-0", "mg/dL", 104, 28, 0),
    ("6690-2", "10*3/uL", 7.9, 2.6, 1),
    ("718-7", "g/dL", 13.6, 1.6, 1),
    ("1988-5", "mg/L", 12, 18, 1),
)
DIAGNOSES = 300  # of which the n-th is 1/n as frequent as the first
_CODES = tuple(f"{chr(65 + n % 26)}{n // 26:02d}.{n % 10}" for n in range(DIAGNOSES))
_SHARES = tuple(accumulate(1 / (n + 1) for n in range(DIAGNOSES)))


def resources(seed: int = 1) -> Iterator[fhir.Resource]:
    """Yield resources without end, each with an id of its own."""
    chance, clock = random.Random(seed), DrivenClock(BEGIN)
    ids = SeededIds(clock, seed)
    clinics = [ids.new() for _ in range(CLINICS)]
    seen: dict[int, str] = {}
    for number in range(10**9):
        clock.advance(BEGIN + number * A_VISIT)
        who = chance.randrange(PATIENTS)
        if who not in seen:
            seen[who] = ids.new()
            yield patient(seen[who], who, chance.choice(clinics), chance)
        yield from visit(seen[who], number, chance.choice(clinics), clock.now(), ids, chance)


def first(count: int, seed: int = 1) -> list[fhir.Resource]:
    """Return the first resources."""
    return list(islice(resources(seed), count))


def patient(id: str, number: int, clinic: str, chance: random.Random) -> fhir.Patient:
    """Return a patient with a name in one of three scripts."""
    (family,) = chance.choices(list(FAMILIES), list(FAMILIES.values()))
    born = datetime(1930, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(34_000))
    return fhir.Patient(
        id=id,
        identifier=[fhir.Identifier(system=MRN, value=f"{number * 7919 % 10_000_019:08d}")],
        name=[fhir.HumanName(family=family, given=[given_name(family, chance)])],
        telecom=[fhir.ContactPoint(system="phone", value=f"010-{chance.randrange(10**8):08d}")],
        gender=chance.choice(("female", "male")),
        birthDate=f"{born:%Y-%m-%d}",
        managingOrganization=fhir.Reference(reference=f"Organization/{clinic}"),
    )


def given_name(family: str, chance: random.Random) -> str:
    """Return a given name in the script of the family's."""
    if "가" <= family[0] <= "힣":
        return "".join(chance.sample(HANGUL, 2))
    if "一" <= family[0] <= "鿿":
        return "".join(chance.sample(HAN, 2))
    return chance.choice(LATIN)


def visit(
    patient: str, number: int, clinic: str, at: datetime, ids: SeededIds, chance: random.Random
) -> Iterator[fhir.Resource]:
    """Yield an encounter and what was found at it."""
    subject, encounter = fhir.Reference(reference=f"Patient/{patient}"), ids.new()
    start, end = f"{at:%Y-%m-%dT%H:%M:%S+00:00}", f"{at + timedelta(minutes=40):%Y-%m-%dT%H:%M:%S+00:00}"
    yield fhir.Encounter(
        id=encounter,
        identifier=[fhir.Identifier(system=VISIT, value=f"V{number:09d}")],
        status=chance.choice(("finished", "in-progress")),
        class_=fhir.Coding(system=f"{_TERMS}/v3-ActCode", code=chance.choice(("AMB", "EMER", "IMP"))),
        subject=subject,
        period=fhir.Period(start=start, end=end),
        serviceProvider=fhir.Reference(reference=f"Organization/{clinic}"),
    )
    where = fhir.Reference(reference=f"Encounter/{encounter}")
    yield condition(ids.new(), subject, where, start, chance)
    for vital in chance.sample(VITALS, chance.choice((2, 3, 3, 4))):
        yield observation(ids.new(), subject, where, start, vital, chance)


def condition(
    id: str, subject: fhir.Reference, encounter: fhir.Reference, at: str, chance: random.Random
) -> fhir.Condition:
    """Return a diagnosis; few are frequent, many rare."""
    (code,) = chance.choices(_CODES, cum_weights=_SHARES)
    return fhir.Condition(
        id=id,
        clinicalStatus=concept(f"{_TERMS}/condition-clinical", "active"),
        verificationStatus=concept(f"{_TERMS}/condition-ver-status", "confirmed"),
        category=[concept(f"{_TERMS}/condition-category", "encounter-diagnosis")],
        code=concept(ICD, code),
        subject=subject,
        encounter=encounter,
        recordedDate=at,
    )


def observation(
    id: str,
    subject: fhir.Reference,
    encounter: fhir.Reference,
    at: str,
    vital: tuple[str, str, float, float, int],
    chance: random.Random,
) -> fhir.Observation:
    """Return a measurement."""
    code, unit, mean, deviation, digits = vital
    value = Decimal(f"{max(chance.gauss(mean, deviation), 0):.{digits}f}")
    return fhir.Observation(
        id=id,
        status="final",
        category=[concept(f"{_TERMS}/observation-category", "vital-signs")],
        code=concept(LOINC, code),
        subject=subject,
        encounter=encounter,
        effectiveDateTime=at,
        valueQuantity=fhir.Quantity(value=value, unit=unit, system=UCUM, code=unit),
    )


def concept(system: str, code: str) -> fhir.CodeableConcept:
    """Return a concept with one code."""
    return fhir.CodeableConcept(coding=[fhir.Coding(system=system, code=code)])
