"""A built city agrees with the published tables, and a strange one does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broadstreet.simulation.days import check_city
from broadstreet.simulation.population import build, configuration


def test_a_city_agrees_with_censuses_and_contact_surveys(town):
    checks = check_city(town, people=2_500)
    assert {check.topic for check in checks} == {"household size", "age", "contacts a day", "mixing by age"}
    failed = [
        f"{check.topic} {check.what}: {check.city:.2f} ({check.published})"
        for check in checks
        if not check.passed
    ]
    assert not failed
    assert all(check.source for check in checks)


def test_a_city_without_work_and_shops_fails_the_survey():
    strange = replace(
        configuration("demo", 3_000),
        employed=0.0,
        people_per_shop=3_000,
        people_per_venue=3_000,
        commuters=0.0,
    )
    failed = [check for check in check_city(build(strange, 1), people=1_000) if not check.passed]
    assert any(check.topic == "contacts a day" for check in failed)


def test_too_few_people_to_count_are_refused(town):
    with pytest.raises(ValueError, match="people must"):
        check_city(town, people=10)
