"""Units by their UCUM codes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from broadstreet.model import ucum
from broadstreet.model.ucum.unit import table


@pytest.mark.parametrize(
    ("value", "code", "other_value", "other_code"),
    [
        ("4", "g", "4000", "mg"),
        ("1", "[lb_av]", "453.59237", "g"),
        ("38.5", "Cel", "311.65", "K"),
        ("98.6", "[degF]", "37", "Cel"),
        ("-40", "[degF]", "-40", "Cel"),
        ("1", "mm[Hg]", "133.322", "Pa"),
        ("7.2", "10*9/L", "7.2", "10*3/uL"),
        ("72", "{beats}/min", "1.2", "Hz"),
        ("90", "mg/dL", "0.9", "g/L"),
        ("5", "mmol/L", "5000", "umol/L"),
        ("1", "wk", "7", "d"),
        ("95", "%", "0.95", "1"),
        ("1", "[in_i]", "2.54", "cm"),
        ("1", "g/(8.h)", "3", "g/d"),
        ("1", "m[IU]/mL", "1", "[iU]/L"),
        ("1", "kcal", "4184", "J"),
    ],
)
def test_two_codes_of_one_dimension_meet_in_base_units(
    value: str, code: str, other_value: str, other_code: str
) -> None:
    unit, other = ucum.parse(code), ucum.parse(other_code)
    assert unit.dimension == other.dimension
    assert unit.in_base_units(Decimal(value)) == other.in_base_units(Decimal(other_value))


@pytest.mark.parametrize("code", ["", "mmHg", "°C", "bpm", "kkg", "g/", "(g", "g)", "10*99", "0", "m" * 200])
def test_what_is_no_code_of_ucum_is_no_unit(code: str) -> None:
    assert ucum.parse(code) is None


def test_every_unit_of_the_table_is_defined_by_others_of_it() -> None:
    assert [code for code in table() if ucum.parse(code) is None] == []


def test_mass_and_length_have_different_dimensions() -> None:
    assert ucum.parse("kg").dimension == "g"
    assert ucum.parse("cm").dimension == "m"
    assert ucum.parse("mm[Hg]").dimension == "g.m-1.s-2"


def test_an_arbitrary_unit_converts_to_nothing_else() -> None:
    assert ucum.parse("[iU]").dimension == "[iU]"
    assert ucum.parse("[CFU]/mL").dimension == "[CFU].m-3"


def test_a_value_comes_back_from_base_units() -> None:
    fahrenheit = ucum.parse("[degF]")
    assert fahrenheit.from_base_units(fahrenheit.in_base_units(Decimal("101.3"))) == Fraction("101.3")
