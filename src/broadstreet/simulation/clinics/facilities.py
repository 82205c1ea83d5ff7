"""The clinics and hospitals of a city, as they sign their messages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from broadstreet.simulation.population import City, District, Kind

_CLINICS = ("Family Practice", "Fever Clinic", "Polyclinic", "Children's Clinic", "Health Centre", "Surgery")
_HOSPITALS = ("General Hospital", "University Hospital", "Infirmary")


@dataclass(frozen=True, slots=True)
class Facility:
    """A clinic or hospital; `place` is its number in the city."""

    place: int
    code: str
    name: str
    district: District
    hospital: bool


def facilities(city: City) -> tuple[Facility, ...]:
    """Return the hospitals of a city, then its clinics; their codes count them."""
    used: Counter[tuple[int, bool]] = Counter()
    found: list[Facility] = []
    for kind in (Kind.HOSPITAL, Kind.CLINIC):
        for place in city.places.of(kind).tolist():
            district, hospital = int(city.places.district[place]), kind == Kind.HOSPITAL
            name = f"{city.districts[district].name} {_kind(used[district, hospital], hospital)}"
            used[district, hospital] += 1
            code = f"C{len(found) + 1:02d}"
            found.append(Facility(place, code, name, city.districts[district], hospital))
    return tuple(found)


def _kind(before: int, hospital: bool) -> str:
    """Return what a facility is called that has so many of its sort in its district before it."""
    names = _HOSPITALS if hospital else _CLINICS
    again, which = divmod(before, len(names))
    return f"{names[which]} {again + 1}" if again else names[which]
