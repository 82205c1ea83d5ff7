"""Where things are: the districts of the city, and its clinics."""

from __future__ import annotations

import math
from dataclasses import dataclass

CITY_NAME = "Golden Square"
COUNTRY = "KOR"


@dataclass(frozen=True, slots=True)
class District:
    """A part of the city; `x` and `y` in kilometres, `weight` its share of the residents."""

    code: str
    name: str
    x: float
    y: float
    weight: float


DISTRICTS = (
    District("D01", "Riverside", 0.0, 0.0, 0.13),
    District("D02", "Old Town", 2.0, 0.5, 0.10),
    District("D03", "Harbour", 4.5, 0.0, 0.08),
    District("D04", "Northgate", 0.5, 3.0, 0.09),
    District("D05", "Hillside", 3.0, 3.5, 0.07),
    District("D06", "University", 5.5, 3.0, 0.08),
    District("D07", "Market", -2.5, 1.5, 0.11),
    District("D08", "Airport", -5.0, 0.0, 0.05),
    District("D09", "Southbank", 0.5, -3.0, 0.10),
    District("D10", "Mill Lane", 3.0, -3.0, 0.07),
    District("D11", "Gardens", -2.5, -2.5, 0.07),
    District("D12", "Lakeside", 5.5, -3.5, 0.05),
)
_PATIENTS_TRAVEL = 1.5  # kilometres over which the chance to choose a clinic falls to 1/e
_KINDS = ("Fever Clinic", "Family Practice", "Polyclinic", "Children's Clinic")
MOST_CLINICS = len(DISTRICTS) * len(_KINDS)


@dataclass(frozen=True, slots=True)
class Facility:
    """A clinic or hospital; `visits` is its mean number of visits a day."""

    code: str
    name: str
    district: District
    hospital: bool
    visits: float


def facility(number: int) -> Facility:
    """Return clinic `number` (0-based): every third of the first twelve is a hospital."""
    district = DISTRICTS[number % len(DISTRICTS)]
    hospital = number < len(DISTRICTS) and number % 3 == 0
    kind = "General Hospital" if hospital else _KINDS[number // len(DISTRICTS)]
    visits = 12.5 if hospital else 5.5
    return Facility(f"C{number + 1:02d}", f"{district.name} {kind}", district, hospital, visits)


def closeness(one: District, other: District) -> float:
    """Return the relative chance that a resident of one district visits a clinic in the other."""
    return math.exp(-math.hypot(one.x - other.x, one.y - other.y) / _PATIENTS_TRAVEL)
