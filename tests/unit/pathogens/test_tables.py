from __future__ import annotations

import math

import pytest

from broadstreet.model.pathogens import (
    NAMES,
    SETTINGS,
    Bands,
    TableError,
    diseases,
    pathogen_from,
    pathogen_named,
    point_sources,
)
from broadstreet.model.pathogens.reading import _text
from broadstreet.model.syndromes import definition

INFLUENZA = _text("influenza")


def corrected(old: str, new: str) -> str:
    assert old in INFLUENZA
    return INFLUENZA.replace(old, new)


def test_the_seven_pathogens_of_the_city_have_tables() -> None:
    assert NAMES == ("influenza", "sars", "mers", "covid19", "measles", "norovirus", "cholera")


@pytest.mark.parametrize("name", NAMES)
def test_each_constant_stands_beside_its_source_version_and_population(name: str) -> None:
    for row in pathogen_named(name).constants:
        assert all((row.unit, row.source, row.version, row.population)), row


@pytest.mark.parametrize("name", NAMES)
def test_incubation_and_infectiousness_together_give_the_published_serial_interval(name: str) -> None:
    it = pathogen_named(name)
    assert it.serial_interval.holds(it.mean_generation)


@pytest.mark.parametrize("name", NAMES)
def test_the_infectiousness_is_a_gamma_density_with_its_mean_and_deviation(name: str) -> None:
    curve = pathogen_named(name).infectiousness
    assert curve.shape * curve.scale == pytest.approx(curve.mean)
    assert math.sqrt(curve.shape) * curve.scale == pytest.approx(curve.sd)


@pytest.mark.parametrize("name", NAMES)
def test_the_syndromes_of_a_disease_are_ones_that_the_hub_counts(name: str) -> None:
    disease = diseases()[name]
    assert {definition(disease.syndrome).name, definition(disease.severe_syndrome).name}


@pytest.mark.parametrize("name", NAMES)
def test_no_more_die_or_are_admitted_than_fall_ill(name: str) -> None:
    it = pathogen_named(name)
    for age in range(0, 121, 5):
        assert 0 <= it.fatal.at(age) <= it.hospitalised.at(age) <= 1


def test_a_share_of_infected_becomes_one_of_those_with_symptoms() -> None:
    covid = pathogen_named("covid19")
    assert covid.fatal.at(85) == pytest.approx(0.078 / 0.8)


def test_a_value_by_age_is_that_of_its_band() -> None:
    bands = Bands((0, 5, 65), (1.0, 2.0, 3.0))
    assert [bands.at(age) for age in (0, 4, 5, 64, 65, 130)] == [1, 1, 2, 2, 3, 3]
    assert bands.by_year(66)[62:] == (2.0, 2.0, 2.0, 3.0, 3.0)


def test_a_clinician_corrects_a_row_and_the_pathogen_follows() -> None:
    changed = pathogen_from(
        corrected("incubation_median\tall\t1.4", "incubation_median\tall\t1.5"), diseases()["influenza"]
    )
    assert changed.incubation.median == 1.5
    assert changed.settings == pathogen_named("influenza").settings


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("incubation_median\tall\t1.4", "incubation_median\tall\tabout 1", r"table:4: expected a number"),
        ("incubation_median\tall\t1.4", "incubation_median\tall\t-1", r"is outside its own range|from 0.01"),
        ("incubation_median\tall\t1.4", "incubation_median\tall\tnan", r"expected a number as value"),
        ("incubation_median\tall\t1.4", "incubation_mean\tall\t1.4", r"incubation_mean all: is not"),
        ("incubation_median\tall\t1.4", "incubation_median\tall\t3.0", r"outside its own range 1.3 to 1.5"),
        ("asymptomatic\tall\t0.16\t0.13\t0.19", "asymptomatic\tall\t1.6\t\t", r"from 0 to 1, found 1.6"),
        ("fatal\t65+", "fatal\t70+", r"expected a band from 65 years on, found 70\+"),
        ("fatal\t65+", "fatal\t65-80", r"the last band must be open"),
        ("fatal\t65+", "fatal\told", r"expected 'all' or ages such as 5-17"),
        ("setting\tshop", "setting\tpub", r"expected one row for each of household"),
        ("table 3\tinfluenza A\t", "table 3\t\t", r"version is empty"),
        ("constant\tof", "konstant\tof", r"expected the columns constant, of"),
        ("\tinfluenza A\tpooled studies, all ages", "\tinfluenza A", r"expected 9 cells, found 8"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_refused_with_its_line_and_what_was_expected(old: str, new: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        pathogen_from(corrected(old, new), diseases()["influenza"])


def test_a_missing_or_doubled_constant_is_named() -> None:
    lines = INFLUENZA.splitlines()
    without = "\n".join(line for line in lines if not line.startswith("test_sensitivity"))
    with pytest.raises(TableError, match="expected a row for test_sensitivity"):
        pathogen_from(without, diseases()["influenza"])
    twice = "\n".join([*lines, next(line for line in lines if line.startswith("tested"))])
    with pytest.raises(TableError, match="tested all: expected one row, this is another"):
        pathogen_from(twice, diseases()["influenza"])


def test_an_unknown_pathogen_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"the pathogens are influenza, sars.*asked for 'ebola'"):
        pathogen_named("ebola")


def test_a_pump_a_kitchen_and_a_market_are_sources_of_known_pathogens() -> None:
    kinds = point_sources()
    assert set(kinds) == {"pump", "kitchen", "market"}
    assert all(set(source.pathogens) <= set(NAMES) for source in kinds.values())
    assert kinds["pump"].reach > 0


def test_transmission_is_told_for_each_kind_of_place() -> None:
    for name in NAMES:
        by_setting = dict(zip(SETTINGS, pathogen_named(name).settings, strict=True))
        assert by_setting["household"] == 1
