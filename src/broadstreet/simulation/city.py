"""A city of clinics: each one's messages of each day follow from the seed, its number and the day alone."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from broadstreet.simulation.clinics.chance import Purpose, by_weight, cumulative, generator, one_of
from broadstreet.simulation.clinics.episode import LONGEST_EPISODE, Visit, messages_of
from broadstreet.simulation.clinics.illness import BY_NAME, ILLNESSES, Illness, complaints, weights_on
from broadstreet.simulation.clinics.message import coded
from broadstreet.simulation.clinics.residents import draw_person
from broadstreet.simulation.outbreak import DAYS, FIRST_DAY, Truth, injected_visits, truth
from broadstreet.simulation.places import DISTRICTS, MOST_CLINICS, District, Facility, closeness, facility

# Monday to Sunday, relative to the mean.
_WEEKDAYS = (1.35, 1.15, 1.10, 1.05, 1.15, 0.85, 0.35)
_WEEKDAYS_IN_HOSPITAL = (1.10, 1.00, 1.00, 0.95, 1.00, 0.95, 1.00)
_EVENNESS = 12.0  # size of the negative binomial: variance = mean + mean² / 12
_EMERGENCY = 0.6  # of visits to a hospital
_OPEN, _CLOSED = 8 / 24, 19 / 24  # a clinic without emergencies, as a share of the day
_DIAGNOSED, _MEASURED, _TRAVELLED = 0.85, 0.10, 0.015
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
class City:
    """A city of simulated clinics with one outbreak.

    Parameters
    ----------
    seed
        Decides everything, 0 or more.
    start, days
        First day and number of days of the run.
    clinics
        Number of clinics.
    zone
        IANA name of the time zone that the city lives in.
    """

    seed: int
    start: date = FIRST_DAY
    days: int = DAYS
    clinics: int = 20
    zone: str = "Asia/Seoul"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more (it is {self.seed})")
        if self.days < 1:
            raise ValueError(f"days must be 1 or more (it is {self.days})")
        if not 1 <= self.clinics <= MOST_CLINICS:
            raise ValueError(f"clinics must be from 1 to {MOST_CLINICS} (it is {self.clinics})")
        ZoneInfo(self.zone)

    @cached_property
    def truth(self) -> Truth:
        """The outbreak that is hidden in the messages."""
        return truth(self.seed, self.start, self.days)

    def clinic(self, number: int) -> Clinic:
        """Return clinic `number`, 0-based."""
        if not 0 <= number < self.clinics:
            raise ValueError(f"the clinics are 0 to {self.clinics - 1} (asked for {number})")
        return Clinic(self, number)

    def date_of(self, day: int) -> date:
        """Return the date of a day of the run, 0-based."""
        if not 0 <= day < self.days:
            raise ValueError(f"the days are 0 to {self.days - 1} (asked for {day})")
        return self.start + timedelta(days=day)


class Clinic:
    """One clinic of a city; see :meth:`messages`."""

    def __init__(self, city: City, number: int) -> None:
        self.city, self.number = city, number
        self.facility: Facility = facility(number)
        self._zone = ZoneInfo(city.zone)
        self._injected = injected_visits(city.seed, city.truth, city.clinics)
        self._homes = cumulative(
            district.weight * closeness(district, self.facility.district) for district in DISTRICTS
        )
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
        today = self.city.date_of(day)
        begin, end = self._midnight(today), self._midnight(today + timedelta(days=1))
        days = range(max(0, day - _HORIZON), day + 1)
        known = self._written
        self._written = {d: known[d] if d in known else self._written_about(d) for d in days}
        due = [timed for d in days for timed in self._written[d] if begin <= timed.send_at < end]
        return [Timed(at.astimezone(self._zone), message) for at, message in sorted(due)]

    def visits(self, day: int) -> list[Visit]:
        """Return the visits of a day in order of arrival, for the referee: they know what was injected."""
        today = self.city.date_of(day)
        draw = generator(self.city.seed, Purpose.VISITS, self.number, day)
        arrivals = [*self._background(draw, today), *self._outbreak(draw, today)]
        arrivals.sort(key=lambda arrival: arrival[0])
        return [self._visit(draw, f"{day:04d}{n:03d}", today, a) for n, a in enumerate(arrivals)]

    def _background(self, draw: np.random.Generator, today: date) -> list[_Arrival]:
        weights = weights_on(today)
        pattern = _WEEKDAYS_IN_HOSPITAL if self.facility.hospital else _WEEKDAYS
        mean = self.facility.visits * pattern[today.weekday()] * sum(weights)
        count = int(draw.negative_binomial(_EVENNESS, _EVENNESS / (_EVENNESS + mean)))
        illnesses = cumulative(weights)
        return [
            self._arrival(draw, today, ILLNESSES[by_weight(draw, illnesses)], self._draw_home(draw))
            for _ in range(count)
        ]

    def _outbreak(self, draw: np.random.Generator, today: date) -> list[_Arrival]:
        hidden = self.city.truth
        counts = self._injected.get(today)
        count = 0 if counts is None else int(counts[self.number])
        home = next(district for district in DISTRICTS if district.code == hidden.district)
        arrivals = [self._arrival(draw, today, BY_NAME[hidden.syndrome], home) for _ in range(count)]
        return [arrival._replace(injected=True) for arrival in arrivals]

    def _draw_home(self, draw: np.random.Generator) -> District:
        return DISTRICTS[by_weight(draw, self._homes)]

    def _arrival(self, draw: np.random.Generator, today: date, illness: Illness, home: District) -> _Arrival:
        emergency = bool(self.facility.hospital and draw.random() < _EMERGENCY)
        share = draw.random() if emergency else _OPEN + (_CLOSED - _OPEN) * draw.random()
        begin, end = self._midnight(today), self._midnight(today + timedelta(days=1))
        return _Arrival(begin + share * (end - begin), emergency, illness, home)

    def _visit(self, draw: np.random.Generator, number: str, today: date, arrival: _Arrival) -> Visit:
        illness = arrival.illness
        person = draw_person(draw, f"P{self.number + 1:02d}{number}", arrival.home, today)  # type: ignore[arg-type]
        diagnosed, travelled = draw.random() < _DIAGNOSED, draw.random() < _TRAVELLED
        doctor = 1 + int(draw.random() * 6)
        return Visit(
            number=number,
            facility=self.facility,  # type: ignore[arg-type]
            person=person,
            arrived=arrival.arrived,
            emergency=arrival.emergency,
            illness=illness,
            complaint=one_of(draw, complaints()[illness.name, person.language]),
            diagnosis=one_of(draw, illness.diagnoses) if diagnosed else None,
            temperature=_temperature(draw, illness),
            travel=one_of(draw, _TRAVELS) if travelled else "",
            doctor=coded(f"{self.facility.code}{doctor}", f"Doctor {doctor}", "", "", "", "Dr"),
            injected=arrival.injected,
        )

    def _written_about(self, day: int) -> list[Timed]:
        draw = generator(self.city.seed, Purpose.EPISODES, self.number, day)
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
        draw = generator(self.city.seed, Purpose.SILENCES, self.number)
        at, silences = self._midnight(self.city.start), []
        last = at + timedelta(days=self.city.days)
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
    emergency: bool
    illness: Illness
    home: District
    injected: bool = False


def _temperature(draw: np.random.Generator, illness: Illness) -> float | None:
    febrile, measured, degrees = draw.random(3).tolist()
    if febrile < illness.febrile:
        return float(38.0 + 2.0 * degrees)
    return float(36.2 + 1.2 * degrees) if measured < _MEASURED else None
