"""What a signal is told by."""

from __future__ import annotations

from datetime import date, timedelta

from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.workflows.surveillance import days_told

FIRST = date(2026, 3, 1)
CITY, OLD_TOWN = (Stratum(stream="fever", place=place, stratum="all") for place in ("city", "district:D02"))
AREA = Stratum(stream="fever", place="area:D02", stratum="all")


def test_the_numbers_of_a_signal_are_of_the_days_of_the_series_it_is_told_by() -> None:
    evidence = (_test(CITY, 1), _test(OLD_TOWN, 3), _test(CITY, 4))
    assert days_told(_signal(CITY, evidence)) == 2
    assert days_told(_signal(OLD_TOWN, evidence)) == 1


def test_an_area_is_told_by_its_strongest_test_with_all_days_that_it_looks_back_over() -> None:
    weak = _test(AREA, 2, since=FIRST, places=("D02", "D03"), chance=0.01)
    strong = _test(AREA, 4, since=FIRST + timedelta(2), places=("D02",), chance=0.001)
    assert days_told(_signal(AREA, (weak, strong, _test(CITY, 0)))) == 3


def test_what_was_withdrawn_has_no_test_left_and_is_told_by_its_span() -> None:
    assert days_told(_signal(CITY, ())) == 5


def _test(where: Stratum, day: int, **more: object) -> Evidence:
    on = FIRST + timedelta(day)
    return Evidence(where=where, day=on, observed=9, expected=3.0, upper=8.0, method="detect", **more)  # type: ignore[arg-type]


def _signal(where: Stratum, evidence: tuple[Evidence, ...]) -> Signal:
    return Signal(
        id="s", status="growing", where=where, since=FIRST, until=FIRST + timedelta(4), observed=18,
        expected=6.0, evidence=evidence,
    )  # fmt: skip
