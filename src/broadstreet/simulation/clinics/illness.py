"""Why people come: illnesses with their shares, codes, tests, and the words of patients.

The shares are plausible, not estimated from a city: they make a background to detect against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files

from broadstreet.model.pathogens import Disease


@dataclass(frozen=True, slots=True)
class LabTest:
    """A laboratory test: LOINC code and name, and its two answers as SNOMED CT code and name."""

    code: str
    name: str
    positive: tuple[str, str]
    negative: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Illness:
    """A reason to come; shares are of all visits, the others chances of one visit."""

    name: str
    share: float
    winter: float  # height of the seasonal wave, relative to the mean
    febrile: float
    admitted: float  # if it is a hospital
    diagnoses: tuple[tuple[str, str], ...]  # ICD-10 (WHO) code and title
    test: LabTest | None = None
    tested: float = 0.0
    positive: float = 0.0
    confirmed: tuple[str, str] | None = None  # the diagnosis once the test is positive


_DETECTED, _NOT_DETECTED = ("260373001", "Detected"), ("260415000", "Not detected")
INFLUENZA = LabTest("92142-9", "Influenza virus A RNA", _DETECTED, _NOT_DETECTED)
CORONAVIRUS = LabTest("94500-6", "SARS-CoV-2 RNA", _DETECTED, _NOT_DETECTED)
MEASLES = LabTest("21503-8", "Measles virus IgM Ab", ("10828004", "Positive"), ("260385009", "Negative"))
STOOL = LabTest(
    "625-4",
    "Bacteria identified in Stool by Culture",
    ("27268008", "Genus Salmonella"),
    ("264868006", "No growth"),
)

ILLNESSES = (
    Illness("influenza_like_illness", 0.08, 0.6, 0.85, 0.03,
            (("J11.1", "Influenza with other respiratory manifestations, virus not identified"),
             ("J10.1", "Influenza with other respiratory manifestations")), INFLUENZA, 0.30, 0.4),
    Illness("severe_respiratory", 0.025, 0.4, 0.60, 0.55,
            (("J18.9", "Pneumonia, unspecified"), ("J96.0", "Acute respiratory failure")),
            CORONAVIRUS, 0.50, 0.1),
    Illness("gastrointestinal", 0.07, 0.2, 0.20, 0.05,
            (("A09.9", "Gastroenteritis and colitis of unspecified origin"),
             ("A08.4", "Viral intestinal infection, unspecified")), STOOL, 0.25, 0.2),
    Illness("rash_with_fever", 0.01, 0.1, 1.00, 0.05,
            (("B09", "Unspecified viral infection characterized by skin lesions"),
             ("B01.9", "Varicella without complication")), MEASLES, 0.40, 0.1),
    Illness("common_cold", 0.12, 0.4, 0.05, 0.0,
            (("J06.9", "Acute upper respiratory infection, unspecified"),
             ("J00", "Acute nasopharyngitis [common cold]"))),
    Illness("other", 0.695, 0.0, 0.0, 0.06,
            (("I10", "Essential (primary) hypertension"), ("E11.9", "Type 2 diabetes mellitus"),
             ("M54.5", "Low back pain"), ("S61.9", "Open wound of wrist and hand part"),
             ("N39.0", "Urinary tract infection"), ("R07.4", "Chest pain, unspecified"),
             ("G43.9", "Migraine, unspecified"), ("S93.4", "Sprain and strain of ankle"))),
)  # fmt: skip
BY_NAME = {illness.name: illness for illness in ILLNESSES}
_FEVERLESS = {"influenza_like_illness": "common_cold"}


def weights_on(day: date) -> list[float]:
    """Return the weight of each illness on this day: winter's wave is highest on 15 January."""
    wave = math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25)
    return [illness.share * (1 + illness.winter * wave) for illness in ILLNESSES]


def illness_of(disease: Disease, *, severe: bool, febrile: bool, tested: bool, positive: bool) -> Illness:
    """Return what a case looks like to a clinic: a syndrome like any other, until a test names it.

    Parameters
    ----------
    disease
        What it is.
    severe
        Whether it needs a bed.
    febrile
        Whether there is a fever; without, an influenza-like illness is a common cold to the clinic.
    tested, positive
        Whether it is tested, and what the answer then is.
    """
    name = disease.severe_syndrome if severe else disease.syndrome
    if not febrile and not severe:
        name = _FEVERLESS.get(name, name)
    return replace(
        BY_NAME[name],
        febrile=1.0 if febrile else 0.0,
        admitted=1.0 if severe else 0.0,
        test=laboratory_tests()[disease.name],
        tested=1.0 if tested else 0.0,
        positive=1.0 if positive else 0.0,
        confirmed=(disease.icd10, disease.icd10_title),
    )


@cache
def laboratory_tests() -> dict[str, LabTest]:
    """Return the test for each pathogen."""
    table = files(__package__).joinpath("tests.tsv").read_text("utf-8")
    lines = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return {
        pathogen: LabTest(code, name, (yes, yes_name), (no, no_name))
        for pathogen, code, name, yes, yes_name, no, no_name in lines[1:]
    }


@cache
def complaints() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what patients say, by illness and language."""
    spoken: dict[tuple[str, str], list[str]] = {}
    table = files(__package__).joinpath("complaints.tsv").read_text("utf-8")
    for line in table.splitlines()[1:]:
        illness, language, complaint = line.split("\t")
        spoken.setdefault((illness, language), []).append(complaint)
    return {key: tuple(texts) for key, texts in spoken.items()}
