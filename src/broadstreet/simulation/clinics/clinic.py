"""A clinic of the city: its messages of a day follow from the city, the cases and its number alone."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.pathogens import diseases
from broadstreet.simulation.clinics.attending import Attendance
from broadstreet.simulation.clinics.cases import Cases
from broadstreet.simulation.clinics.chance import Purpose, by_weight, cumulative, generator, one_of
from broadstreet.simulation.clinics.episode import LONGEST_EPISODE, Visit, messages_of
from broadstreet.simulation.clinics.facilities import Facility, facilities
from broadstreet.simulation.clinics.illness import ILLNESSES, Illness, complaints, illness_of, weights_on
from broadstreet.simulation.clinics.message import coded
from broadstreet.simulation.clinics.residents import Residents
from broadstreet.simulation.clinics.spelling import misspelt
from broadstreet.simulation.days.dates import is_term
from broadstreet.simulation.population import City

# Of those who come by their own plans, the share that comes with an acute complaint and is registered by a
# sentinel's desk: assumed, so that a city of 50,000 with 20 desks has about 170 such visits a day.
ACUTE = 0.26
# Where schools are closed on a weekday, pupils are free to go anywhere, and 3.6 times as many are at a clinic
# as on a school day. But it is illness that brings them to a desk: of them so few more are ill.
_PUPILS = range(5, 18)
_FREE_PUPILS = 1 / 3.6
_EVENNESS = (
    12.0  # shape of the day's busyness, a gamma variable with mean 1: counts vary more than by Poisson's law
)
_SATURDAY = 5
_EMERGENCY = 0.6  # of visits to a hospital
_DIAGNOSED, _MEASURED, _TRAVELLED, _MISSPELT = 0.85, 0.10, 0.015, 0.06
_TRAVELS = (
    "Returned from Manila 5 days ago",
    "Flight from Riyadh, arrived 3 days ago",
    "Visited a poultry market in Guangzhou last week",
    "Back from Lima & Cusco on Sunday",
)
_RESENT = 0.006  # of messages: the same bytes again
_BETWEEN_SILENCES = timedelta(days=40)  # mean
_LONGEST_SILENCE = timedelta(hours=60)
_BACKLOG_PACE = 600  # after a silence, ten minutes of messages leave in a second
# Days after a visit on which something about it may still be sent; two more for lags, resends, clock changes.
_HORIZON = (LONGEST_EPISODE + _LONGEST_SILENCE).days + 3


class Timed(NamedTuple):
    """A message and the time when the clinic sends it, which may be long after it was written."""

    send_at: datetime
    message: bytes


@dataclass(frozen=True)
class Clinics:
    """The clinics and hospitals of a city that report to the hub.

    Parameters
    ----------
    city
        The city; its seed decides everything.
    days
        Number of days of the run.
    cases
        Who comes because of an epidemic, besides those who come anyway.
    zone
        IANA name of the time zone that the city lives in.

    Raises
    ------
    ValueError
        If `days` is below 1 or the zone is not known.
    """

    city: City
    days: int
    cases: Cases = field(default_factory=Cases.none)
    zone: str = "Asia/Seoul"

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"days must be 1 or more (it is {self.days})")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError) as error:
            raise ValueError(f"zone must be an IANA name such as Asia/Seoul (it is {self.zone!r})") from error

    @cached_property
    def facilities(self) -> tuple[Facility, ...]:
        """The clinics and hospitals, in the order of their numbers."""
        return facilities(self.city)

    @cached_property
    def attendance(self) -> Attendance:
        """Who comes by their own plans."""
        return Attendance(self.city)

    @cached_property
    def residents(self) -> Residents:
        """Who the patients are."""
        return Residents(self.city)

    def __len__(self) -> int:
        return len(self.facilities)

    def __iter__(self) -> Iterator[Clinic]:
        return (Clinic(self, number) for number in range(len(self)))

    def clinic(self, number: int) -> Clinic:
        """Return clinic `number`, 0-based."""
        if not 0 <= number < len(self):
            raise ValueError(f"the clinics are 0 to {len(self) - 1} (asked for {number})")
        return Clinic(self, number)

    def date_of(self, day: int) -> date:
        """Return the date of a day of the run, 0-based."""
        if not 0 <= day < self.days:
            raise ValueError(f"the days are 0 to {self.days - 1} (asked for {day})")
        return self.city.date_of(day)


class Clinic:
    """One clinic of a city; see :meth:`messages`."""

    def __init__(self, clinics: Clinics, number: int) -> None:
        self.clinics, self.number = clinics, number
        self.facility = clinics.facilities[number]
        self._seed = clinics.city.seed
        self._zone = ZoneInfo(clinics.zone)
        self._cases = clinics.cases.at(self.facility.place)
        self._silences = self._draw_silences()
        self._written: dict[int, list[Timed]] = {}

    def messages(self, day: int) -> list[Timed]:
        """Return what this clinic sends on a day of the run, in order of sending.

        Parameters
        ----------
        day : int
            0-based day of the run, from midnight to midnight in the city.

        Returns
        -------
        list of Timed
            With those about earlier visits, and the backlog of a silence that has ended. The times are in
            the city's zone.
        """
        today = self.clinics.date_of(day)
        begin, end = self._midnight(today), self._midnight(today + timedelta(days=1))
        days = range(max(0, day - _HORIZON), day + 1)
        known = self._written
        self._written = {d: known[d] if d in known else self._written_about(d) for d in days}
        due = [timed for d in days for timed in self._written[d] if begin <= timed.send_at < end]
        return [Timed(at.astimezone(self._zone), message) for at, message in sorted(due)]

    def visits(self, day: int) -> list[Visit]:
        """Return the visits of a day in order of arrival, for the referee: they know who is a case."""
        today = self.clinics.date_of(day)
        draw = generator(self._seed, Purpose.VISITS, self.number, day)
        arrivals = [*self._usual(draw, today, day), *self._epidemic(today, day)]
        arrivals.sort(key=lambda arrival: (arrival.arrived, arrival.person))
        return [self._visit(draw, f"{day:04d}{n:03d}", a) for n, a in enumerate(arrivals)]

    def _usual(self, draw: np.random.Generator, today: date, day: int) -> list[_Arrival]:
        weights = weights_on(today)
        share = min(1.0, ACUTE * sum(weights) * draw.gamma(_EVENNESS, 1 / _EVENNESS))
        people, minutes = self.clinics.attendance.on(day, self.facility.place)
        acute = draw.random(len(people)) < share * self._ill_of_free(people, today)
        illnesses = cumulative(weights)
        return [
            _Arrival(self._at(draw, today, minute), person, ILLNESSES[by_weight(draw, illnesses)])
            for person, minute in zip(people[acute].tolist(), minutes[acute].tolist(), strict=True)
        ]

    def _ill_of_free(self, people: NDArray[np.uint32], today: date) -> NDArray[np.float64]:
        """Return how likely each who comes is ill, as part of what it is on an ordinary day."""
        if is_term(self.clinics.city, today) or today.weekday() >= _SATURDAY:
            return np.ones(len(people))
        ages = self.clinics.city.people.age[people]
        pupils = (ages >= _PUPILS.start) & (ages < _PUPILS.stop)
        return np.where(pupils, _FREE_PUPILS, 1.0)

    def _epidemic(self, today: date, day: int) -> list[_Arrival]:
        arrivals = []
        for row in np.flatnonzero(self._cases.day == day).tolist():
            person = int(self._cases.person[row])
            draw = generator(self._seed, Purpose.CASES, person, day)
            disease = diseases()[str(self._cases.pathogen[row])]
            illness = illness_of(
                disease,
                severe=bool(self._cases.severe[row]),
                febrile=bool(draw.random() < disease.fever),
                tested=bool(self._cases.tested[row]),
                positive=bool(self._cases.positive[row]),
            )
            arrived = self._at(draw, today, int(self._cases.minute[row]))
            arrivals.append(_Arrival(arrived, person, illness, injected=True))
        return arrivals

    def _at(self, draw: np.random.Generator, today: date, minute: int) -> datetime:
        # A desk needs up to ten minutes, and two people do not arrive in one second.
        share = (minute * 60 + draw.random() * 600) / 86_400
        begin, end = self._midnight(today), self._midnight(today + timedelta(days=1))
        return begin + min(share, 0.9999) * (end - begin)

    def _visit(self, draw: np.random.Generator, number: str, arrival: _Arrival) -> Visit:
        illness = arrival.illness
        person = self.clinics.residents.person(arrival.person, f"P{self.number + 1:02d}{arrival.person:07d}")
        diagnosed, travelled, slipped = (draw.random(3) < (_DIAGNOSED, _TRAVELLED, _MISSPELT)).tolist()
        doctor = 1 + int(draw.random() * 6)
        complaint = one_of(draw, complaints()[illness.name, person.language])
        return Visit(
            number=number,
            facility=self.facility,
            person=person,
            arrived=arrival.arrived,
            emergency=bool(self.facility.hospital and draw.random() < _EMERGENCY),
            illness=illness,
            complaint=misspelt(complaint, person.language, draw) if slipped else complaint,
            diagnosis=one_of(draw, illness.diagnoses) if diagnosed else None,
            temperature=_temperature(draw, illness),
            travel=one_of(draw, _TRAVELS) if travelled else "",
            doctor=coded(f"{self.facility.code}{doctor}", f"Doctor {doctor}", "", "", "", "Dr"),
            injected=arrival.injected,
        )

    def _written_about(self, day: int) -> list[Timed]:
        draw = generator(self._seed, Purpose.EPISODES, self.number, day)
        sent = []
        for visit in self.visits(day):
            for written_at, message in messages_of(visit, self._zone, draw):
                ready = written_at + timedelta(seconds=1 + 30 * draw.random())
                sent.append(Timed(self._after_silence(ready), message))
                if draw.random() < _RESENT:
                    again = ready + timedelta(minutes=5 + 55 * draw.random())
                    sent.append(Timed(self._after_silence(again), message))
        return sent

    def _draw_silences(self) -> list[tuple[datetime, datetime]]:
        draw = generator(self._seed, Purpose.SILENCES, self.number)
        at, silences = self._midnight(self.clinics.date_of(0)), []
        last = at + timedelta(days=self.clinics.days)
        while at < last:
            at += timedelta(days=1) + _BETWEEN_SILENCES * draw.exponential()
            end = at + _LONGEST_SILENCE * (0.05 + 0.95 * draw.random() ** 2)
            silences.append((at, end))
            at = end
        return silences

    def _after_silence(self, ready: datetime) -> datetime:
        place = bisect(self._silences, (ready, ready)) - 1
        if place < 0 or ready >= self._silences[place][1]:
            return ready
        begin, end = self._silences[place]
        return end + (ready - begin) / _BACKLOG_PACE

    def _midnight(self, day: date) -> datetime:
        return _midnight(day, self._zone)


@lru_cache(maxsize=1024)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


class _Arrival(NamedTuple):
    arrived: datetime
    person: int
    illness: Illness
    injected: bool = False


def _temperature(draw: np.random.Generator, illness: Illness) -> float | None:
    febrile, measured, degrees = draw.random(3).tolist()
    if febrile < illness.febrile:
        return float(38.0 + 2.0 * degrees)
    return float(36.2 + 1.2 * degrees) if measured < _MEASURED else None
