"""Who comes: invented residents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from broadstreet.simulation.clinics.chance import Purpose, by_weight, cumulative, generator, one_of
from broadstreet.simulation.population import City, District

CITY_NAME = "Golden Square"
COUNTRY = "KOR"
_LANGUAGES = ("en", "ko", "es", "zh")
_LANGUAGE_SHARES = cumulative((0.84, 0.08, 0.04, 0.04))
_FAMILY_NAMES = {
    "en": (
        "Kim",
        "Lee",
        "Park",
        "Choi",
        "Smith",
        "O'Brien",
        "Nguyen",
        "Jung",
        "Kang",
        "Brown",
        "Yoon",
        "Snow",
    ),
    "ko": ("김", "이", "박", "최", "정", "강", "조", "윤"),
    "es": ("García", "Muñoz", "López", "Pérez", "Díaz"),
    "zh": ("王", "李", "张", "刘", "陈"),
}
_GIVEN_NAMES = {
    ("en", "F"): ("Jiwoo", "Anna", "Mina", "Grace", "Seoyeon"),
    ("en", "M"): ("Minjun", "John", "David", "Jihoon", "Sam"),
    ("ko", "F"): ("서연", "지우", "하은"),
    ("ko", "M"): ("민준", "도윤", "지훈"),
    ("es", "F"): ("Lucía", "María"),
    ("es", "M"): ("José", "Martín"),
    ("zh", "F"): ("芳", "丽"),
    ("zh", "M"): ("伟", "强"),
}
_STREETS = ("Pump Street", "Station Road", "Church Lane", "King's Avenue", "Garden Row")


@dataclass(frozen=True, slots=True)
class Person:
    """A resident; `language` is the one in which they say what is wrong."""

    record: str
    family: str
    given: str
    born: date
    sex: str
    street: str
    district: District
    language: str


@dataclass(frozen=True)
class Residents:
    """The residents of a city as a desk knows them; who lives together shares name, address and language.

    Parameters
    ----------
    city
        The city; a person's age is that on its first day.
    """

    city: City

    def person(self, number: int, record: str) -> Person:
        """Return a resident.

        Parameters
        ----------
        number
            The person's number in the city.
        record
            Number of the record that the clinic keeps about them.
        """
        people, home = self.city.people, int(self.city.people.home[number])
        house = generator(self.city.seed, Purpose.HOUSEHOLDS, home)
        draw = generator(self.city.seed, Purpose.RESIDENTS, number)
        language = _LANGUAGES[by_weight(house, _LANGUAGE_SHARES)]
        family = one_of(house, _FAMILY_NAMES[language])
        street = f"{1 + int(house.random() * 200)} {one_of(house, _STREETS)}"
        sex = "F" if people.female[number] else "M"
        days = int(365.25 * (int(people.age[number]) + draw.random()))
        return Person(
            record=record,
            family=family,
            given=one_of(draw, _GIVEN_NAMES[language, sex]),
            born=self.city.configuration.first_day - timedelta(days=days),
            sex=sex,
            street=street,
            district=self.city.districts[int(self.city.places.district[home])],
            language=language,
        )
