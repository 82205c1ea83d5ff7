"""A unit as a multiple of base units, and the table of the units that have names.

All numbers are exact fractions: 4 g are 4000 mg, not nearly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

Dimensions = tuple[tuple[str, int], ...]  # base unit and exponent, by the name of the base unit

# Scales whose zero is not that of kelvin: kelvins at zero. Source: UCUM, section 4.5, special units.
ZEROS = {"Cel": Fraction("273.15"), "[degF]": Fraction("459.67") * 5 / 9}

# Source: UCUM, table 1 and table for the binary prefixes.
PREFIXES = {
    **{p: Fraction(10) ** e for p, e in zip("YZEPTGMkh", (24, 21, 18, 15, 12, 9, 6, 3, 2), strict=True)},
    **{p: Fraction(10) ** -e for p, e in zip("dcmunpfazy", (1, 2, 3, 6, 9, 12, 15, 18, 21, 24), strict=True)},
    "da": Fraction(10),
    **{p: Fraction(2) ** e for p, e in zip(("Ki", "Mi", "Gi", "Ti"), (10, 20, 30, 40), strict=True)},
}


class Unit(msgspec.Struct, frozen=True):
    """A unit: how many base units it is, of which dimensions, and where its zero lies."""

    factor: Fraction = Fraction(1)
    dimensions: Dimensions = ()
    offset: Fraction = Fraction(0)

    @property
    def dimension(self) -> str:
        """The base units as a code of UCUM, such as `g.m-1.s-2`; `1` where there are none."""
        return ".".join(f"{name}{'' if power == 1 else power}" for name, power in self.dimensions) or "1"

    def in_base_units(self, value: Decimal | int | Fraction) -> Fraction:
        """Return a value in this unit as a number of base units."""
        return Fraction(value) * self.factor + self.offset

    def from_base_units(self, value: Fraction) -> Fraction:
        """Return a number of base units as a value in this unit."""
        return (value - self.offset) / self.factor

    def combined(self, other: Unit, direction: int) -> str:
        """Return the code of the base units of a product (`direction` 1) or a quotient (-1)."""
        return multiplied(self, other, direction).dimension


def multiplied(left: Unit, right: Unit, exponent: int = 1) -> Unit:
    """Return `left` times `right` to a power; the zeros of scales are left away."""
    powers = dict(left.dimensions)
    for name, power in right.dimensions:
        powers[name] = powers.get(name, 0) + power * exponent
    dimensions = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(left.factor * right.factor**exponent, dimensions)


class Named(NamedTuple):
    """A row of the table."""

    metric: bool
    value: str
    unit: str


@cache
def table() -> Mapping[str, Named]:
    """Return the units that have names."""
    text = resources.files(__package__).joinpath("units.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("# ")]
    return {code: Named(metric == "m", value, unit) for code, metric, value, unit, _ in rows[1:]}
