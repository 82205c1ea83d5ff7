"""How sure a card says that a signal is, and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.workflows.surveillance.card.rarity import Nightly, Rarity, rarity_of
from broadstreet.workflows.surveillance.card.sureness import Ground, sureness_of
from broadstreet.workflows.surveillance.days import number_of
from broadstreet.workflows.surveillance.scanning import METHOD as SCAN

DAY = date(2026, 2, 3)
NIGHTLY = Nightly(series=80, scans=4, feeds=20)


def evidence(place: str, chance: float, stream: str = "fever", **more: Any) -> Evidence:
    usual = {"day": DAY, "observed": 40, "expected": 10.0, "upper": 20.0, "method": "detect", "visits": ()}
    where = Stratum(stream=stream, place=place, stratum=more.pop("stratum", "all"))
    return Evidence(where=where, chance=chance, **(usual | more))


def signal(*tests: Evidence, **more: Any) -> Signal:
    usual = {"status": "opened", "since": DAY, "until": DAY, "observed": 40, "expected": 10.0}
    return Signal(id="x", where=tests[0].where, evidence=tests, **(usual | more))


def told(*tests: Evidence, history: int = 100, nightly: Nightly = NIGHTLY, **more: Any) -> tuple[str, str]:
    made = signal(*tests, **more)
    ground = Ground(number_of(DAY) + 1, history, nightly)
    level, reasons = sureness_of(made, rarity_of(made, nightly), ground)
    return level, " ".join(reasons)


def rare(*tests: Evidence, nightly: Nightly = NIGHTLY) -> Rarity:
    found = rarity_of(signal(*tests), nightly)
    assert found is not None
    return found


def test_evidence_of_the_scan_alone_is_as_sure_as_its_chance_says() -> None:
    area = evidence("area:D1", 1e-9, method=SCAN, since=DAY - timedelta(days=2), places=("D1", "D2"))
    level, reasons = told(area)
    assert level == "strong"
    assert "not known" not in reasons
    assert "No single series of counts stands out: a scan of neighbouring districts shows it." in reasons


def test_a_chance_of_the_scan_counts_by_the_number_of_scans() -> None:
    area = evidence("area:D1", 1 / 4_000, method=SCAN, places=("D1", "D2"))
    assert rare(area).days == pytest.approx(4_000 / 4 * 0.25)


def test_a_silence_counts_by_the_number_of_sources_and_of_their_tests() -> None:
    silence = evidence("facility:c3", 1 / 15_651, stream="visits", method="expected volume of the source")
    assert rare(silence).days == pytest.approx(15_651 / 60)
    _, reasons = told(silence, kind="silence")
    assert "1 in 15,651" in reasons
    assert "20 sources are tested each night, each over 1, 2 and 3 days" in reasons
    assert "about once in 9 months" in reasons


def test_the_chance_of_one_test_is_linked_to_how_often_chance_brings_as_much() -> None:
    only_series = Nightly(series=92)
    assert rare(evidence("city", 1 / 8_350), nightly=only_series).days == pytest.approx(8_350 * 8 / 92)
    _, reasons = told(evidence("city", 1 / 8_350), nightly=only_series)
    assert "1 in 8,350" in reasons
    assert "92 series are tested each night; about 8 alarms by chance make one signal" in reasons
    assert "about once in 24 months" in reasons


def test_evidence_just_at_the_budget_is_as_rare_as_the_budget_says() -> None:
    at_level = 0.75 * 8 / 30.4375 / 80
    assert rare(evidence("city", at_level)).days == pytest.approx(30.4375)
    scan_level = 0.25 / 30.4375 / 4
    assert rare(evidence("area:D1", scan_level, method=SCAN)).days == pytest.approx(30.4375)


def test_a_district_and_the_city_of_one_syndrome_are_one_finding() -> None:
    _, reasons = told(evidence("city", 1e-4), evidence("district:D1", 1e-3, day=DAY - timedelta(days=2)))
    assert "2 series of counts show it. They are one finding: the same visits count in each" in reasons


def test_series_that_share_visits_are_counted_once() -> None:
    _, reasons = told(
        evidence("district:D1", 1e-4, visits=("a", "b")),
        evidence("district:D1", 1e-3, stream="ili", visits=("b",)),
        evidence("district:D2", 1e-3, visits=("c",)),
    )
    assert "Only 2 of them count different visits; the others count the same ones again." in reasons
    _, reasons = told(evidence("district:D1", 1e-4), evidence("district:D2", 1e-3))
    assert "They count different visits." in reasons


def test_a_short_history_is_said_and_makes_it_less_sure() -> None:
    three = evidence("district:D1", 1e-6, observed=3)
    assert told(three, observed=3)[0] == "moderate"
    level, reasons = told(three, observed=3, history=7)
    assert level == "weak"
    assert "The estimate rests on 7 days of counts before it" in reasons
    assert "one or two wrong codes would undo it" in reasons


def test_a_signal_that_nothing_speaks_for_says_no_more_than_that() -> None:
    gone = Signal(
        id="x", status="withdrawn", since=DAY, until=DAY, observed=4, expected=1.0,
        where=Stratum(stream="fever", place="city", stratum="all"),
    )  # fmt: skip
    ground = Ground(number_of(DAY), 100, NIGHTLY)
    assert sureness_of(gone, None, ground) == ("weak", ("Nothing speaks for it any more.",))
