"""What a clinic says about one visit: registration, diagnosis, stay, results, corrections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from broadstreet.simulation.clinics.chance import one_of
from broadstreet.simulation.clinics.facilities import Facility
from broadstreet.simulation.clinics.illness import ILLNESSES, Illness, LabTest
from broadstreet.simulation.clinics.message import coded, header, message, segment, timestamp
from broadstreet.simulation.clinics.residents import CITY_NAME, COUNTRY, Person

CANCELLED = 0.01  # of visits: registered in error
DIAGNOSED_AT_ONCE = 0.35  # of those with a diagnosis; the others get it by an update
TRANSFERRED, DISCHARGE_UNDONE = 0.30, 0.05  # of admissions
CORRECTED = 0.02  # another diagnosis, a day or two later
ANSWER_CORRECTED = 0.01  # of results: the first answer was of another patient
COMES_AGAIN, UNDER_ANOTHER_NUMBER = 0.035, 0.30  # the second record is then merged into the first
LONGEST_EPISODE = timedelta(hours=6 + 144 + 1 + 24)  # longer than any result

_STRUCTURES = {
    "A01": "A01",
    "A02": "A02",
    "A03": "A03",
    "A04": "A01",
    "A08": "A01",
    "A11": "A09",
    "A13": "A01",
}
_WARDS = ("MED", "SURG", "PED", "ICU")
_TEMPERATURE = coded("8310-5", "Body temperature", "LN")
_TRAVEL = coded("8691-8", "History of travel", "LN")
_CELSIUS = coded("Cel", "degree Celsius", "UCUM")


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is; `injected` says that it belongs to the outbreak, and no message depends on it."""

    number: str
    facility: Facility
    person: Person
    arrived: datetime
    emergency: bool
    illness: Illness
    complaint: str
    diagnosis: tuple[str, str] | None
    temperature: float | None
    travel: str
    doctor: str
    injected: bool


Written = list[tuple[datetime, bytes]]
Step = tuple[datetime, Callable[[datetime], None]]


def messages_of(visit: Visit, zone: ZoneInfo, draw: np.random.Generator) -> Written:
    """Return every message about this visit with the time when it was written, in order of time."""
    return _Episode(visit, zone, draw).run()


class _Episode:
    def __init__(self, visit: Visit, zone: ZoneInfo, draw: np.random.Generator) -> None:
        self.visit, self.zone, self.draw = visit, zone, draw
        self.written: Written = []
        self.patient_class = "E" if visit.emergency else "O"
        self.place = self._location("ED" if visit.emergency else "OPD", "", "")
        self.former_place = ""
        self.admitted = visit.arrived
        self.discharged = ""
        self.at_once = self._chance(DIAGNOSED_AT_ONCE)

    def run(self) -> Written:
        for at, step in sorted(self._plan(), key=lambda planned: planned[0]):
            step(at)
        return self.written

    def _plan(self) -> list[Step]:
        arrived = self.visit.arrived
        plan: list[Step] = [(arrived, self._register)]
        if self._chance(CANCELLED):
            return [*plan, (arrived + self._hours(0.1, 0.5), partial(self._adt, "A11"))]
        if self.visit.diagnosis and not self.at_once:
            plan.append((arrived + self._hours(0.5, 2), self._diagnose))
        if self.visit.facility.hospital and self._chance(self.visit.illness.admitted):
            plan += self._stay(arrived + self._hours(2, 6))
        else:
            plan += self._going_home(arrived)
        return plan + self._findings(arrived)

    def _stay(self, admission: datetime) -> list[Step]:
        discharge = admission + self._hours(24, 144)
        stay: list[Step] = [(admission, self._admit), (discharge, self._discharge)]
        if self._chance(TRANSFERRED):
            stay.append((admission + self._hours(6, 20), self._transfer))
        if self._chance(DISCHARGE_UNDONE):
            undone = discharge + self._hours(0.2, 1)
            stay += [(undone, self._undo_discharge), (undone + self._hours(4, 24), self._discharge)]
        return stay

    def _going_home(self, arrived: datetime) -> list[Step]:
        steps: list[Step] = []
        if self.visit.emergency:
            steps.append((arrived + self._hours(2, 6), self._discharge))
        if self._chance(COMES_AGAIN):
            steps.append((arrived + self._hours(72, 144), self._come_again))
        return steps

    def _findings(self, arrived: datetime) -> list[Step]:
        steps: list[Step] = []
        test = self.visit.illness.test
        if test and self._chance(self.visit.illness.tested):
            steps += self._results(test, arrived + self._hours(20, 48))
        if self._chance(CORRECTED):
            steps.append((arrived + self._hours(20, 60), self._correct))
        return steps

    def _results(self, test: LabTest, known: datetime) -> list[Step]:
        positive = self._chance(self.visit.illness.positive)
        wrong = self._chance(ANSWER_CORRECTED)
        steps: list[Step] = [(known, partial(self._report_result, test, positive != wrong, "F"))]
        if wrong:
            known += self._hours(3, 20)
            steps.append((known, partial(self._report_result, test, positive, "C")))
        if positive and self.visit.illness.confirmed and self.visit.diagnosis:
            steps.append((known + self._hours(0.2, 3), self._confirm))
        return steps

    def _register(self, at: datetime) -> None:
        diagnosis = [self._diagnosis("A", at)] if self.at_once and self.visit.diagnosis else []
        self._adt("A04", at, self._reason(), *self._observations(at), *diagnosis)

    def _diagnose(self, at: datetime) -> None:
        self._adt("A08", at, self._reason(), *self._observations(at), self._diagnosis("W", at))

    def _correct(self, at: datetime) -> None:
        self.visit = replace(self.visit, diagnosis=one_of(self.draw, one_of(self.draw, ILLNESSES).diagnoses))
        self._adt("A08", at, self._reason(), self._diagnosis("F", at))

    def _confirm(self, at: datetime) -> None:
        self.visit = replace(self.visit, diagnosis=self.visit.illness.confirmed)
        self._adt("A08", at, self._reason(), self._diagnosis("F", at))

    def _admit(self, at: datetime) -> None:
        self.patient_class, self.admitted, self.place = "I", at, self._bed()
        self._adt("A01", at, self._reason())

    def _transfer(self, at: datetime) -> None:
        self.former_place, self.place = self.place, self._bed()
        self._adt("A02", at)
        self.former_place = ""

    def _discharge(self, at: datetime) -> None:
        self.discharged = self._time(at)
        self._adt("A03", at, *([self._diagnosis("F", at)] if self.visit.diagnosis else []))

    def _undo_discharge(self, at: datetime) -> None:
        self.discharged = ""
        self._adt("A13", at)

    def _report_result(self, test: LabTest, positive: bool, status: str, at: datetime) -> None:
        found = self._result(test, positive, status, at)
        self._write(at, "ORU^R01^ORU_R01", self._patient(), self._visit(), *found)

    def _come_again(self, at: datetime) -> None:
        first, other = self.visit.person, self._chance(UNDER_ANOTHER_NUMBER)
        person = replace(first, record=f"{first.record}B") if other else first
        self.visit = replace(
            self.visit, number=f"{self.visit.number}F", person=person, complaint="follow-up", arrived=at
        )
        self.patient_class, self.place, self.discharged = "O", self._location("OPD", "", ""), ""
        self.admitted = at
        self._adt("A04", at, self._reason())
        if other:
            self._merge(person, first, at + self._hours(0.2, 1))

    def _merge(self, duplicate: Person, survivor: Person, at: datetime) -> None:
        self.visit = replace(self.visit, person=survivor)
        merged = segment("MRG", {1: self._record_number(duplicate)})
        self._write(at, "ADT^A40^ADT_A39", self._event("A40", at), self._patient(), merged)

    def _adt(self, event: str, at: datetime, *clinical: str) -> None:
        kind = f"ADT^{event}^ADT_{_STRUCTURES[event]}"
        self._write(at, kind, self._event(event, at), self._patient(), self._visit(), *clinical)

    def _write(self, at: datetime, kind: str, *segments: str) -> None:
        self.written.append((at, message(self._header(kind, at), *segments)))

    def _event(self, event: str, at: datetime) -> str:
        return segment("EVN", {1: event, 2: self._time(at), 6: self._time(at)})

    def _header(self, kind: str, at: datetime) -> str:
        code, number = self.visit.facility.code, self.visit.number.rstrip("F")
        return header(kind, code, f"{code}{number}{len(self.written):02d}", self._time(at))

    def _patient(self) -> str:
        person = self.visit.person
        home = person.district.code
        return segment("PID", {
            1: "1",
            3: self._record_number(person),
            5: coded(person.family, person.given),
            7: f"{person.born:%Y%m%d}",
            8: person.sex,
            11: coded(person.street, "", CITY_NAME, "", home, COUNTRY, "H", "", home),
            15: person.language,
        })  # fmt: skip

    def _visit(self) -> str:
        visit = self.visit
        return segment("PV1", {
            1: "1",
            2: self.patient_class,
            3: self.place,
            6: self.former_place,
            7: visit.doctor,
            19: coded(visit.number, "", "", visit.facility.code, "VN"),
            44: self._time(self.admitted),
            45: self.discharged,
        })  # fmt: skip

    def _reason(self) -> str:
        return segment("PV2", {3: coded("", self.visit.complaint)})

    def _diagnosis(self, kind: str, at: datetime) -> str:
        code, title = self.visit.diagnosis or ("", "")
        return segment("DG1", {1: "1", 3: coded(code, title, "I10"), 5: self._time(at), 6: kind})

    def _observations(self, at: datetime) -> list[str]:
        found: list[dict[int, str]] = []
        if self.visit.temperature is not None:
            degrees = self.visit.temperature
            flag = "H" if degrees >= 38 else "N"
            found.append({2: "NM", 3: _TEMPERATURE, 5: f"{degrees:.1f}", 6: _CELSIUS, 8: flag})
        if self.visit.travel:
            found.append({2: "TX", 3: _TRAVEL, 5: coded(self.visit.travel)})
        shared = {11: "F", 14: self._time(at)}
        return [segment("OBX", {1: str(n), **fields, **shared}) for n, fields in enumerate(found, 1)]

    def _result(self, test: LabTest, positive: bool, status: str, at: datetime) -> list[str]:
        answer = coded(*(test.positive if positive else test.negative), "SCT")
        what, order = coded(test.code, test.name, "LN"), f"{self.visit.facility.code}{self.visit.number}L"
        taken, known, flag = self._time(self.visit.arrived), self._time(at), "A" if positive else "N"
        return [
            segment("OBR", {1: "1", 2: order, 3: order, 4: what, 7: taken, 22: known, 25: status}),
            segment("OBX", {1: "1", 2: "CWE", 3: what, 5: answer, 8: flag, 11: status, 14: taken}),
        ]

    def _record_number(self, person: Person) -> str:
        return coded(person.record, "", "", self.visit.facility.code, "MR")

    def _bed(self) -> str:
        room, bed = 100 + int(self.draw.random() * 40), 1 + int(self.draw.random() * 4)
        return self._location(one_of(self.draw, _WARDS), str(room), str(bed))

    def _location(self, ward: str, room: str, bed: str) -> str:
        facility = self.visit.facility
        return coded(ward, room, bed, facility.code, "", "", "", "", facility.name)

    def _time(self, at: datetime) -> str:
        return timestamp(at, self.zone)

    def _hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=least + (most - least) * self.draw.random())

    def _chance(self, share: float) -> bool:
        return bool(self.draw.random() < share)
