"""What clinics send: real people, by the city's own plans, with the cases of an epidemic among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import hl7
import numpy as np
import pytest

from broadstreet.model.pathogens import NAMES, diseases, pathogen_named
from broadstreet.model.syndromes import classify
from broadstreet.simulation.clinics import Cases, Clinics, Timed
from broadstreet.simulation.clinics.cases import cases_of
from broadstreet.simulation.clinics.episode import messages_of
from broadstreet.simulation.clinics.illness import ILLNESSES, complaints, illness_of, laboratory_tests
from broadstreet.simulation.clinics.message import coded
from broadstreet.simulation.clinics.spelling import misspelt
from broadstreet.simulation.days import visits
from broadstreet.simulation.epidemic import Contamination, Outcome, Scenario, run
from broadstreet.simulation.population import City, Habit, Kind, build, configuration

DAYS = 40


@pytest.fixture(scope="module")
def city() -> City:
    return build(
        replace(configuration("demo", 12_000), people_per_clinic=1_500, people_per_hospital=6_000), 7
    )


@pytest.fixture(scope="module")
def outcome(city: City) -> Outcome:
    kitchen = int(city.places.of(Kind.VENUE)[0])
    source = Contamination(pathogen="norovirus", attack=0.5, first_day=10, last_day=14, place=kitchen)
    return run(city, Scenario(pathogens=(pathogen_named("norovirus"),), sources=(source,), days=DAYS))


@pytest.fixture(scope="module")
def clinics(city: City, outcome: Outcome) -> Clinics:
    return Clinics(city, DAYS, cases_of(outcome))


@pytest.fixture(scope="module")
def sent(clinics: Clinics) -> dict[int, list[list[Timed]]]:
    return {clinic.number: [clinic.messages(day) for day in range(DAYS)] for clinic in clinics}


@pytest.fixture(scope="module")
def messages(sent: dict[int, list[list[Timed]]]) -> list[Timed]:
    return [timed for days in sent.values() for day in days for timed in day]


def kind(message: bytes) -> str:
    return message.split(b"|", 9)[8].decode()


def control_id(message: bytes) -> str:
    return message.split(b"|", 10)[9].decode()


def field(message: bytes, segment: bytes, number: int) -> str:
    found = next(line for line in message.split(b"\r") if line.startswith(segment + b"|"))
    return found.split(b"|")[number].decode()


def time_written(message: bytes) -> datetime:
    return datetime.strptime(field(message, b"MSH", 6), "%Y%m%d%H%M%S%z")


def test_hospitals_and_clinics_have_names_and_codes_of_their_own(clinics: Clinics, city: City) -> None:
    facilities = clinics.facilities
    assert len({facility.code for facility in facilities}) == len(facilities)
    assert len({facility.name for facility in facilities}) == len(facilities)
    assert {f.place for f in facilities if f.hospital} == set(city.places.of(Kind.HOSPITAL).tolist())
    assert {f.place for f in facilities if not f.hospital} == set(city.places.of(Kind.CLINIC).tolist())


def test_who_comes_on_a_usual_day_is_there_by_the_visit_rows_too(clinics: Clinics, city: City) -> None:
    for day in (1, 5):
        rows = visits(city, day)
        for clinic in clinics:
            there = set(rows.person[rows.place == clinic.facility.place].tolist())
            people, _ = clinics.attendance.on(day, clinic.facility.place)
            assert set(people.tolist()) == there


def test_a_patient_is_one_person_with_one_record_in_each_clinic(messages: list[Timed]) -> None:
    known: dict[str, str] = {}
    for timed in messages:
        segment = next(line for line in timed.message.split(b"\r") if line.startswith(b"PID"))
        record = segment.split(b"|")[3].decode()
        person = b"|".join(segment.split(b"|")[5:9]).decode()
        assert known.setdefault(record, person) == person


def test_who_lives_together_shares_name_address_and_language(clinics: Clinics, city: City) -> None:
    home = next(h for h in city.places.of(Kind.HOME).tolist() if len(city.places.members_of(h)) > 2)
    people = [clinics.residents.person(n, "x") for n in city.places.members_of(home).tolist()]
    assert len({(p.family, p.street, p.language, p.district.code) for p in people}) == 1
    first = city.configuration.first_day
    for number, person in zip(city.places.members_of(home).tolist(), people, strict=True):
        assert (first - person.born).days // 365.25 == int(city.people.age[number])


def test_a_day_computed_alone_equals_the_same_day_in_a_run(
    clinics: Clinics, sent: dict[int, list[list[Timed]]]
) -> None:
    for number, day in [(0, 0), (3, 17), (5, DAYS - 1)]:
        assert clinics.clinic(number).messages(day) == sent[number][day]


def test_another_seed_sends_others(clinics: Clinics, city: City) -> None:
    other = Clinics(build(city.configuration, 8), DAYS)
    assert other.clinic(0).messages(3) != clinics.clinic(0).messages(3)


def test_every_message_is_sent_on_its_day_in_order(
    clinics: Clinics, sent: dict[int, list[list[Timed]]]
) -> None:
    for days in sent.values():
        for day, timed in enumerate(days):
            assert all(each.send_at.date() == clinics.date_of(day) for each in timed)
            assert all(one.send_at <= other.send_at for one, other in pairwise(timed))


def test_control_ids_are_unique_but_for_messages_sent_again(sent: dict[int, list[list[Timed]]]) -> None:
    again = 0
    for days in sent.values():
        all_of_it = [timed.message for day in days for timed in day]
        distinct = set(all_of_it)
        assert len({control_id(message) for message in distinct}) == len(distinct)
        again += len(all_of_it) - len(distinct)
    assert again > 0


def test_every_kind_of_message_occurs(messages: list[Timed]) -> None:
    kinds = Counter(kind(timed.message) for timed in messages)
    assert set(kinds) >= {
        *(f"ADT^{event}^ADT_A01" for event in ("A01", "A04", "A08")),
        "ADT^A02^ADT_A02", "ADT^A03^ADT_A03", "ADT^A11^ADT_A09", "ADT^A40^ADT_A39", "ORU^R01^ORU_R01",
    }  # fmt: skip
    assert 0.35 < kinds["ADT^A04^ADT_A01"] / len(messages) < 0.7


def test_a_silent_clinic_sends_its_backlog_late_and_in_the_order_of_writing(
    sent: dict[int, list[list[Timed]]],
) -> None:
    longest = timedelta(0)
    for days in sent.values():
        first = {timed.message: timed.send_at for day in reversed(days) for timed in reversed(day)}
        written = {message: time_written(message) for message in first}
        late = [message for message, at in first.items() if at - written[message] > timedelta(minutes=2)]
        late.sort(key=lambda message: first[message])
        assert all(written[one] - written[after] < timedelta(minutes=1) for one, after in pairwise(late))
        longest = max([longest, *(first[message] - written[message] for message in late)])
    assert timedelta(hours=3) < longest < timedelta(hours=61)


def test_every_case_that_seeks_care_is_a_visit_of_its_day_and_facility(
    clinics: Clinics, outcome: Outcome
) -> None:
    cases = cases_of(outcome)
    assert len(cases.person) > 20
    seen: Counter[tuple[int, str]] = Counter()
    for clinic in clinics:
        for day in range(DAYS):
            for visit in clinic.visits(day):
                if visit.injected:
                    seen[day, visit.facility.code] += 1
    codes = {facility.place: facility.code for facility in clinics.facilities}
    within = cases.day < DAYS
    expected = Counter(
        (int(day), codes[int(place)])
        for day, place in zip(cases.day[within], cases.place[within], strict=True)
    )
    assert seen == expected


def test_a_case_goes_to_its_own_clinic_or_on_sunday_to_its_hospital(outcome: Outcome) -> None:
    cases, city = cases_of(outcome), outcome.city
    for person, place, day, severe in zip(cases.person, cases.place, cases.day, cases.severe, strict=True):
        sunday = city.date_of(int(day)).weekday() == 6
        habit = Habit.HOSPITAL if severe or sunday else Habit.CLINIC
        assert place == city.people.habits[person, habit]


def test_no_message_depends_on_whether_its_visit_is_of_the_epidemic(clinics: Clinics) -> None:
    zone = ZoneInfo(clinics.zone)
    some = [visit for clinic in clinics for visit in clinic.visits(14)]
    assert {visit.injected for visit in some} == {True, False}
    for visit in some:
        turned = replace(visit, injected=not visit.injected)
        as_is = messages_of(visit, zone, np.random.default_rng(1))
        assert as_is == messages_of(turned, zone, np.random.default_rng(1))


def test_a_positive_result_is_followed_by_the_diagnosis_of_the_disease(clinics: Clinics) -> None:
    disease = diseases()["measles"]
    case = illness_of(disease, severe=False, febrile=True, tested=True, positive=True)
    visit = replace(clinics.clinic(0).visits(1)[0], illness=case, diagnosis=case.diagnoses[0])
    found = [m for _, m in messages_of(visit, ZoneInfo(clinics.zone), np.random.default_rng(2))]
    result = next(at for at, message in enumerate(found) if kind(message).startswith("ORU"))
    assert laboratory_tests()["measles"].positive[0].encode() in found[result]
    assert disease.icd10.encode() in b"".join(found[result:])
    assert disease.icd10.encode() not in b"".join(found[:result])


def test_a_result_of_another_patient_is_corrected(clinics: Clinics) -> None:
    case = illness_of(diseases()["influenza"], severe=False, febrile=True, tested=True, positive=True)
    visit = replace(clinics.clinic(0).visits(1)[0], illness=case)
    statuses: Counter[str] = Counter()
    for seed in range(400):
        for _, message in messages_of(visit, ZoneInfo(clinics.zone), np.random.default_rng(seed)):
            if kind(message).startswith("ORU"):
                statuses[field(message, b"OBX", 11)] += 1
    assert statuses["C"] > 0
    assert statuses["F"] > 50 * statuses["C"] / 2


@pytest.mark.parametrize("name", NAMES)
def test_a_case_looks_like_its_syndrome_to_the_hub(name: str) -> None:
    disease = diseases()[name]
    case = illness_of(disease, severe=False, febrile=True, tested=True, positive=True)
    words = complaints()[case.name, "en"]
    assert sum(disease.syndrome in classify(text) for text in words) > 0.8 * len(words)


def test_without_fever_an_influenza_is_a_cold_to_the_clinic() -> None:
    case = illness_of(diseases()["influenza"], severe=False, febrile=False, tested=False, positive=False)
    assert case.name == "common_cold"


def test_there_are_words_for_every_illness_in_every_language() -> None:
    assert complaints().keys() == {
        (illness.name, language) for illness in ILLNESSES for language in ("en", "ko", "es", "zh")
    }


def test_slips_of_the_fingers_change_one_long_word_of_a_typed_language() -> None:
    draw = np.random.default_rng(3)
    slips = {misspelt("vomiting and fever", "en", draw) for _ in range(200)}
    assert len(slips) > 10
    assert all(
        sum(a != b for a, b in zip(s.split(), ["vomiting", "and", "fever"], strict=True)) <= 1 for s in slips
    )
    assert misspelt("발열과 발진", "ko", draw) == "발열과 발진"
    assert misspelt("leg cut", "en", draw) == "leg cut"


def test_python_hl7_reads_what_we_write(messages: list[Timed], city: City) -> None:
    codes = {district.code for district in city.districts}
    for timed in messages[:: len(messages) // 40]:
        parsed: Any = hl7.parse(timed.message.decode())
        assert str(parsed.segment("MSH")[18]) == "UNICODE UTF-8"
        assert str(parsed.segment("PID")[11][0][4]) in codes


def test_delimiters_in_a_text_are_escaped_and_come_back() -> None:
    text = "a|b^c&d~e\\f\rg"
    written = coded("", text)
    assert written == "^a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\X0D\\g"
    parsed: Any = hl7.parse(f"MSH|^~\\&|||||||ADT^A04|1|P|2.5.1\rPV2|||{written}\r")
    assert parsed.unescape(str(parsed.segment("PV2")[3][0][1])) == text


def test_another_zone_keeps_its_own_days_through_a_clock_change() -> None:
    small = build(
        replace(configuration("demo", 2_000), people_per_clinic=1_000, first_day=date(2026, 3, 27)), 2
    )
    clinics = Clinics(small, 5, Cases.none(), "Europe/London")
    sent = [timed for clinic in clinics for day in range(5) for timed in clinic.messages(day)]
    offsets = {field(timed.message, b"MSH", 6)[-5:] for timed in sent}
    assert offsets == {"+0000", "+0100"}


@pytest.mark.parametrize(
    ("fields", "message"), [({"days": 0}, "days must be 1"), ({"zone": "Mars/Base"}, "zone must be an IANA")]
)
def test_impossible_clinics_are_refused_by_field(city: City, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Clinics(city, **{"days": 3, **fields})


def test_a_clinic_or_day_outside_the_run_is_refused(clinics: Clinics) -> None:
    with pytest.raises(ValueError, match="the clinics are 0 to"):
        clinics.clinic(len(clinics))
    with pytest.raises(ValueError, match="the days are 0 to"):
        clinics.clinic(0).messages(DAYS)


def test_as_many_pupils_come_while_schools_are_closed_as_in_term(city: City) -> None:
    """Being free does not make ill: else every school holiday would look like an outbreak among the young."""
    plan = Clinics(city, 60)
    (closed, reopened), *_ = city.configuration.holidays
    came: Counter[str] = Counter()
    weekdays: Counter[str] = Counter()
    for day in range(20, 60):
        on = plan.date_of(day)
        if on.weekday() < 5:
            when = "closed" if closed <= on <= reopened else "term"
            weekdays[when] += 1
            visits_of_day = [visit for clinic in plan for visit in clinic.visits(day)]
            came[when] += sum(5 <= (on - visit.person.born).days // 365.25 < 18 for visit in visits_of_day)
    in_term, in_holidays = (came[when] / weekdays[when] for when in ("term", "closed"))
    assert weekdays["closed"] == 5
    assert 0.6 < in_holidays / in_term < 1.5
