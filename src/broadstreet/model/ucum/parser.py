"""Read a code of UCUM (case sensitive), such as `mm[Hg]`, `10*9/L`, `kg/m2` or `{beats}/min`.

Source: https://ucum.org/ucum, section 2, grammar
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from broadstreet.model.ucum.unit import PREFIXES, ZEROS, Unit, multiplied, table

MAX_LENGTH = 100
MAX_EXPONENT = 40
MAX_NESTING = 8
MAX_BITS = 1_024  # of a factor's numerator and denominator: within what a double can hold

_COMPONENT = re.compile(
    r"(?P<open>\()|(?P<note>\{[^{}]*\})|(?P<ten>10[*^])(?P<power>[+-]?[0-9]+)?|(?P<number>[0-9]+)"
    r"|(?P<atom>(?:[A-Za-z%'\"_]|\[[^\[\]]*\])+)(?P<exponent>[+-]?[0-9]+)?"
)


class _NotUcumError(ValueError):
    pass


@lru_cache(maxsize=8_192)
def parse(code: str) -> Unit | None:
    """Return the unit of a code; None if it is no code of UCUM, or of a unit that is not in the table.

    An annotation in braces counts nothing: `{beats}/min` is `/min`.
    """
    if not code or len(code) > MAX_LENGTH or not code.isascii():
        return None
    try:
        unit, at = _term(code, 0, 0)
    except _NotUcumError:
        return None
    return unit if at == len(code) and _is_measurable(unit) else None


def _is_measurable(unit: Unit) -> bool:
    return max(unit.factor.numerator, unit.factor.denominator).bit_length() <= MAX_BITS


def _term(code: str, at: int, level: int) -> tuple[Unit, int]:
    if level > MAX_NESTING:
        raise _NotUcumError
    sign = "."
    if code[at : at + 1] == "/":
        sign, at = "/", at + 1
    unit: Unit | None = None
    while True:
        found, at = _component(code, at, level)
        if unit is None and sign == ".":
            unit = found
        else:
            unit = multiplied(unit or Unit(), found, 1 if sign == "." else -1)
        sign = code[at : at + 1]
        if sign not in (".", "/") or not sign:
            return unit, at
        at += 1


def _component(code: str, at: int, level: int) -> tuple[Unit, int]:
    match = _COMPONENT.match(code, at)
    if match is None:
        raise _NotUcumError
    at = match.end()
    if match["note"]:
        return Unit(), at
    if match["open"]:
        unit, at = _term(code, at, level + 1)
        if code[at : at + 1] != ")":
            raise _NotUcumError
        at += 1
    elif match["ten"]:
        unit = _powered(Unit(Fraction(10)), match["power"])
    elif match["number"]:
        if int(match["number"]) == 0:
            raise _NotUcumError
        unit = Unit(Fraction(match["number"]))
    else:
        unit = _powered(_atom(match["atom"]), match["exponent"])
    note = re.compile(r"\{[^{}]*\}").match(code, at)
    return unit, note.end() if note else at


def _powered(unit: Unit, exponent: str | None) -> Unit:
    power = int(exponent or 1)
    if abs(power) > MAX_EXPONENT:
        raise _NotUcumError
    return unit if power == 1 else multiplied(Unit(), unit, power)


@lru_cache(maxsize=2_048)
def _atom(written: str) -> Unit:
    if written in table():
        return _named(written)
    for length in (1, 2):
        prefix, rest = written[:length], written[length:]
        if prefix in PREFIXES and rest in table() and table()[rest].metric:
            unit = _named(rest)
            return Unit(unit.factor * PREFIXES[prefix], unit.dimensions, unit.offset)
    raise _NotUcumError


def _named(name: str) -> Unit:
    row = table()[name]
    if not row.unit:
        return Unit(Fraction(1), ((name, 1),))
    unit, _ = _term(row.unit, 0, 0)
    return Unit(unit.factor * Fraction(row.value), unit.dimensions, ZEROS.get(name, Fraction(0)))
