from __future__ import annotations

from datetime import date, timedelta

import msgspec

from broadstreet.app.demo.story import limits, summary
from broadstreet.app.demo.verdict import judge
from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.simulation import Truth

START = date(2026, 3, 1)
TRUTH = Truth("gastrointestinal", "D03", START, START + timedelta(9), 60, {START: 60})


def signal(
    *alarms: int, stream: str = "gastrointestinal", place: str = "district:D03", status: str = "growing"
) -> Signal:
    days = [START + timedelta(n) for n in alarms]
    where = Stratum(stream=stream, place=place)
    evidence = tuple(
        Evidence(where=where, day=day, observed=9, expected=2.0, upper=6.0, method="EARS C2") for day in days
    )
    return Signal(
        id=f"{stream}{place}{alarms}", status=status, where=where,  # type: ignore[arg-type]
        since=min(days), until=max(days), observed=9, expected=2.0, evidence=evidence,
    )  # fmt: skip


def test_lateness_is_counted_to_the_end_of_the_first_alarm_day() -> None:
    verdict = judge(TRUTH, [signal(4, 5), signal(2, place="city")])
    assert [(found.signal.where.place, found.late) for found in verdict.found] == [
        ("city", 3),
        ("district:D03", 5),
    ]
    assert verdict.first is verdict.found[0]
    assert verdict.others == ()


def test_a_signal_that_began_before_the_outbreak_counts_from_its_first_alarm_inside() -> None:
    verdict = judge(TRUTH, [signal(-3, 1)])
    assert verdict.first is not None
    assert verdict.first.alarm == START + timedelta(1)


def test_another_syndrome_at_the_same_place_and_time_is_an_echo_and_finds_nothing() -> None:
    echo, elsewhere = signal(1, stream="fever"), signal(1, stream="fever", place="district:D04")
    verdict = judge(TRUTH, [echo, elsewhere])
    assert (verdict.first, verdict.echoes, verdict.others) == (None, (echo,), (elsewhere,))


def test_other_districts_and_times_are_false_alarms() -> None:
    others = [signal(1, place="district:D04"), signal(-1), signal(10)]
    verdict = judge(TRUTH, others)
    assert verdict.first is None
    assert verdict.others == tuple(others)


def test_a_signal_that_was_withdrawn_neither_finds_nor_misleads() -> None:
    verdict = judge(TRUTH, [signal(1, status="withdrawn"), signal(-9, status="withdrawn")])
    assert (verdict.found, verdict.others, len(verdict.withdrawn)) == ((), (), 2)


def test_a_source_that_fell_silent_is_no_false_alarm() -> None:
    silent = msgspec.structs.replace(signal(1, stream="visits", place="facility:c1"), kind="silence")
    verdict = judge(TRUTH, [silent])
    assert (verdict.found, verdict.echoes, verdict.others) == ((), (), ())


def test_an_area_with_the_district_finds_the_outbreak() -> None:
    area = signal(2, place="area:D04")
    evidence = tuple(msgspec.structs.replace(each, places=("D04", "D03")) for each in area.evidence)
    verdict = judge(TRUTH, [msgspec.structs.replace(area, evidence=evidence)])
    assert verdict.first is not None
    assert verdict.first.late == 3


def test_what_is_under_another_syndrome_is_not_counted_as_of_the_outbreak_and_silent_sources_are_told() -> (
    None
):
    silent = msgspec.structs.replace(signal(3, stream="visits", place="facility:C05"), kind="silence")
    verdict = judge(TRUTH, [signal(2), signal(1, stream="fever"), signal(-9), silent])
    assert limits(verdict)[0].startswith(
        "1 of 3 signals in this run are of the outbreak, 1 more at its place and time under another syndrome."
    )
    assert summary(verdict).endswith("; 1 source sent less than usual for some days")
