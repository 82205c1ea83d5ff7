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

from broadstreet.simulation import City, Timed, truth
from broadstreet.simulation.clinics.episode import messages_of
from broadstreet.simulation.clinics.illness import ILLNESSES, OUTBREAK_SYNDROMES, complaints
from broadstreet.simulation.clinics.message import coded
from broadstreet.simulation.places import DISTRICTS

SEED = 1854


@pytest.fixture(scope="module")
def run() -> dict[int, list[list[Timed]]]:
    city = City(seed=SEED)
    clinics = {number: city.clinic(number) for number in range(city.clinics)}
    return {n: [clinic.messages(day) for day in range(city.days)] for n, clinic in clinics.items()}


@pytest.fixture(scope="module")
def sent(run: dict[int, list[list[Timed]]]) -> list[Timed]:
    return [timed for days in run.values() for day in days for timed in day]


def kind(message: bytes) -> str:
    return message.split(b"|", 9)[8].decode()


def control_id(message: bytes) -> str:
    return message.split(b"|", 10)[9].decode()


def field(message: bytes, segment: bytes, number: int) -> str:
    found = next(line for line in message.split(b"\r") if line.startswith(segment + b"|"))
    return found.split(b"|")[number].decode()


def time_written(message: bytes) -> datetime:
    return datetime.strptime(field(message, b"MSH", 6), "%Y%m%d%H%M%S%z")


def test_a_run_of_twenty_clinics_sends_more_than_thirty_thousand_messages(sent: list[Timed]) -> None:
    assert 33_000 <= len(sent) <= 36_500


def test_the_same_seed_sends_the_same_bytes_and_another_seed_others() -> None:
    first, again, other = (City(seed=seed, days=20).clinic(3).messages(12) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_day_computed_alone_equals_the_same_day_in_a_run(run: dict[int, list[list[Timed]]]) -> None:
    for clinic, day in [(0, 0), (0, 77), (7, 30), (19, 119), (6, 64)]:
        assert City(seed=SEED).clinic(clinic).messages(day) == run[clinic][day]


def test_days_asked_for_in_any_order_are_the_same() -> None:
    backwards = City(seed=SEED).clinic(6)
    days = {day: backwards.messages(day) for day in (90, 20, 21, 5)}
    forwards = City(seed=SEED).clinic(6)
    assert days == {day: forwards.messages(day) for day in (5, 20, 21, 90)}


def test_every_message_is_sent_on_its_day_in_order(run: dict[int, list[list[Timed]]]) -> None:
    start, zone = date(2026, 1, 5), ZoneInfo("Asia/Seoul")
    for days in run.values():
        for day, messages in enumerate(days):
            assert all(timed.send_at.date() == start + timedelta(days=day) for timed in messages)
            assert all(timed.send_at.tzinfo == zone for timed in messages)
            assert all(one.send_at <= next_.send_at for one, next_ in pairwise(messages))


def test_nothing_that_a_clinic_wrote_is_lost() -> None:
    city = City(seed=SEED, days=60)
    for number in (0, 6, 13):
        clinic = city.clinic(number)
        sent_in_run = [timed for day in range(60) for timed in clinic.messages(day)]
        last = sent_in_run[-1].send_at
        written = [timed for day in range(60) for timed in clinic._written_about(day)]
        due = [timed for timed in written if timed.send_at <= last]
        assert sorted(due) == sorted(sent_in_run)


def test_every_kind_of_message_occurs_in_a_plausible_share(sent: list[Timed]) -> None:
    kinds = Counter(kind(timed.message) for timed in sent)
    assert set(kinds) == {
        *(f"ADT^{event}^ADT_A01" for event in ("A01", "A04", "A08", "A13")),
        "ADT^A02^ADT_A02", "ADT^A03^ADT_A03", "ADT^A11^ADT_A09", "ADT^A40^ADT_A39", "ORU^R01^ORU_R01",
    }  # fmt: skip
    assert 0.4 < kinds["ADT^A04^ADT_A01"] / len(sent) < 0.6
    assert 0.01 < kinds["ORU^R01^ORU_R01"] / len(sent) < 0.06
    assert kinds["ADT^A13^ADT_A01"] >= 5


def test_control_ids_are_unique_but_for_messages_sent_again(run: dict[int, list[list[Timed]]]) -> None:
    resent = 0
    for days in run.values():
        messages = [timed.message for day in days for timed in day]
        distinct = set(messages)
        assert len({control_id(message) for message in distinct}) == len(distinct)
        resent += len(messages) - len(distinct)
    assert resent > 50


def test_a_silent_clinic_sends_its_backlog_late_and_in_the_order_of_writing(
    run: dict[int, list[list[Timed]]],
) -> None:
    longest = []
    for days in run.values():
        messages = [timed for day in days for timed in day]
        first_sent = {timed.message: timed.send_at for timed in reversed(messages)}
        written = {message: time_written(message) for message in first_sent}
        late = [message for message, at in first_sent.items() if at - written[message] > timedelta(minutes=2)]
        late.sort(key=lambda message: first_sent[message])
        assert all(written[one] - written[after] < timedelta(minutes=1) for one, after in pairwise(late))
        if late:
            longest.append(max(first_sent[message] - written[message] for message in late))
    assert len(longest) > 15
    assert timedelta(hours=12) < max(longest) < timedelta(hours=61)


def test_python_hl7_reads_what_we_write(sent: list[Timed]) -> None:
    for timed in sent[:: len(sent) // 80]:
        parsed: Any = hl7.parse(timed.message.decode())
        assert str(parsed.segment("MSH")[18]) == "UNICODE UTF-8"
        address = parsed.segment("PID")[11][0]
        assert str(address[4]) == str(address[8])
        assert str(address[4]) in {district.code for district in DISTRICTS}


def test_delimiters_in_a_text_are_escaped_and_come_back() -> None:
    text = "a|b^c&d~e\\f\rg"
    written = coded("", text)
    assert written == "^a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\X0D\\g"
    parsed: Any = hl7.parse(f"MSH|^~\\&|||||||ADT^A04|1|P|2.5.1\rPV2|||{written}\r")
    assert parsed.unescape(str(parsed.segment("PV2")[3][0][1])) == text


def test_complaints_are_mostly_english_with_three_other_languages(sent: list[Timed]) -> None:
    visits = [timed.message for timed in sent if kind(timed.message) == "ADT^A04^ADT_A01"]
    shares = Counter(field(message, b"PID", 15) for message in visits)
    assert shares.keys() == {"en", "ko", "es", "zh"}
    assert 0.8 < shares["en"] / len(visits) < 0.88
    assert "발열" in b"".join(visits).decode()


def test_there_are_words_for_every_illness_in_every_language() -> None:
    assert complaints().keys() == {
        (illness.name, language) for illness in ILLNESSES for language in ("en", "ko", "es", "zh")
    }


def test_weekdays_and_winter_show_in_the_number_of_visits() -> None:
    city = City(seed=SEED, days=364)
    visits = [len(city.clinic(5).visits(day)) for day in range(364)]
    mondays, sundays = sum(visits[0::7]), sum(visits[6::7])
    assert mondays > 2 * sundays
    assert np.var(visits[0::7]) > np.mean(visits[0::7])  # over-dispersed
    colds = [sum(v.illness.winter > 0.3 for v in city.clinic(5).visits(day)) for day in range(364)]
    assert sum(colds[:60]) > 1.3 * sum(colds[150:210])


@pytest.mark.parametrize("seed", range(30))
def test_an_outbreak_keeps_to_its_limits(seed: int) -> None:
    hidden = truth(seed)
    assert hidden.syndrome in OUTBREAK_SYNDROMES
    assert 40 <= (hidden.start - date(2026, 1, 5)).days <= 97
    assert 40 <= hidden.size <= 160
    assert 5 <= len(hidden.visits) <= 14
    assert sum(hidden.visits.values()) == hidden.size
    assert (min(hidden.visits), max(hidden.visits)) == (hidden.start, hidden.end)
    assert hidden.visits[hidden.start] > 0


def test_the_truth_is_what_the_clinics_injected() -> None:
    city = City(seed=SEED)
    hidden = city.truth
    first, last = ((day - city.start).days for day in (hidden.start, hidden.end))
    found: Counter[date] = Counter()
    for number in range(city.clinics):
        clinic = city.clinic(number)
        for day in range(max(0, first - 5), min(city.days, last + 6)):
            for visit in clinic.visits(day):
                if visit.injected:
                    found[city.date_of(day)] += 1
                    assert visit.person.district.code == hidden.district
                    assert visit.illness.name == hidden.syndrome
    assert found == {day: count for day, count in hidden.visits.items() if count}


def test_most_patients_of_an_outbreak_go_to_clinics_near_by() -> None:
    city = City(seed=SEED)
    home = next(district for district in DISTRICTS if district.code == city.truth.district)
    distances = [
        float(np.hypot(clinic.facility.district.x - home.x, clinic.facility.district.y - home.y))
        for clinic in map(city.clinic, range(city.clinics))
        for day in range(city.days)
        for visit in clinic.visits(day)
        if visit.injected
    ]
    assert np.median(distances) < 3.5


def test_no_message_depends_on_whether_its_visit_was_injected() -> None:
    city = City(seed=SEED)
    zone = ZoneInfo(city.zone)
    day = (city.truth.start - city.start).days + 3
    visits = [visit for number in range(city.clinics) for visit in city.clinic(number).visits(day)]
    assert {visit.injected for visit in visits} == {True, False}
    for visit in visits:
        turned = replace(visit, injected=not visit.injected)
        as_is = messages_of(visit, zone, np.random.default_rng(1))
        assert as_is == messages_of(turned, zone, np.random.default_rng(1))


def test_record_and_visit_numbers_follow_the_order_of_arrival_alone() -> None:
    city = City(seed=SEED)
    day = (city.truth.start - city.start).days + 3
    for number in range(city.clinics):
        visits = city.clinic(number).visits(day)
        assert [visit.number for visit in visits] == [f"{day:04d}{n:03d}" for n in range(len(visits))]
        assert all(one.arrived <= other.arrived for one, other in pairwise(visits))


def test_another_zone_keeps_its_own_days_through_a_clock_change() -> None:
    city = City(seed=2, start=date(2026, 3, 27), days=5, clinics=2, zone="Europe/London")
    messages = [timed for day in range(5) for timed in city.clinic(0).messages(day)]
    offsets = {field(timed.message, b"MSH", 6)[-5:] for timed in messages}
    assert offsets == {"+0000", "+0100"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "0 or more"),
        ({"seed": 1, "days": 0}, "1 or more"),
        ({"seed": 1, "clinics": 49}, "from 1 to 48"),
    ],
)
def test_an_impossible_city_is_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        City(**settings)  # type: ignore[arg-type]


def test_a_clinic_or_day_outside_the_city_is_refused() -> None:
    city = City(seed=1, days=3, clinics=2)
    with pytest.raises(ValueError, match="clinics are 0 to 1"):
        city.clinic(2)
    with pytest.raises(ValueError, match="days are 0 to 2"):
        city.clinic(1).messages(3)
