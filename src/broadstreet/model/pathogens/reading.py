"""Make pathogens of their tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from broadstreet.model.pathogens.bands import OLDEST, Bands
from broadstreet.model.pathogens.pathogen import (
    SETTINGS,
    Curve,
    Disease,
    Incubation,
    Pathogen,
    PointSource,
    Range,
)
from broadstreet.model.pathogens.table import Constant, TableError, constants, rows

_BAND = re.compile(r"(\d+)(?:-(\d+)|\+)")
_DISEASE = tuple(field.name for field in fields(Disease))
_POINT_SOURCE = tuple(field.name for field in fields(PointSource))
_IN_IMMUNE = "secondary cases among the partly immune"
_OF_INFECTED, _OF_SYMPTOMATIC = "share of infected", "share of symptomatic"


class _Limits(NamedTuple):
    least: float
    most: float


_SHARE, _FACTOR, _DAYS = _Limits(0, 1), _Limits(0, 100), _Limits(0.01, 400)
_LIMITS = {
    "incubation_median": _DAYS,
    "incubation_dispersion": _Limits(1.001, 10),
    "infectious_from": _Limits(-30, 60),
    "infectious_mean": _DAYS,
    "infectious_sd": _DAYS,
    "latent": _Limits(0, 30),
    "asymptomatic": _SHARE,
    "asymptomatic_infectiousness": _FACTOR,
    "hazard": _Limits(0, 100),
    "reproduction_number": _Limits(0, 50),
    "dispersion": _Limits(0.001, 1000),
    "serial_interval_mean": _DAYS,
    "setting": _FACTOR,
    "household_crowding": _Limits(0, 3),
    "susceptibility": _FACTOR,
    "immune": _SHARE,
    "hospitalised": _SHARE,
    "critical": _SHARE,
    "fatal": _SHARE,
    "seeks_care": _SHARE,
    "stays_home": _SHARE,
    "ill_days": _DAYS,
    "onset_to_care": _DAYS,
    "onset_to_hospital": _DAYS,
    "hospital_stay": _DAYS,
    "onset_to_death": _DAYS,
    "tested": _SHARE,
    "test_sensitivity": _SHARE,
    "result_delay": _DAYS,
    "attack_rate": _SHARE,
    "household_attack_rate": _SHARE,
    "doubling_time": _DAYS,
}
_NOT_NEEDED = {"attack_rate", "doubling_time"}


def _text(name: str) -> str:
    return files(__package__).joinpath("tables", f"{name}.tsv").read_text(encoding="utf-8")


def _share(place: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise TableError(f"{place}: expected a share from 0 to 1 as {column}, found {text!r}")
    return value


@cache
def diseases() -> dict[str, Disease]:
    """Return the diseases by name."""
    found = {}
    for place, cells in rows(_text("diseases"), "diseases.tsv", _DISEASE):
        values = {**cells, "fever": _share(place, "fever", cells["fever"])}
        found[cells["name"]] = Disease(**values)  # type: ignore[arg-type]
    return found


NAMES = tuple(diseases())
"""The pathogens that have a table."""


@cache
def pathogen_named(name: str) -> Pathogen:
    """Return a pathogen by name.

    Raises
    ------
    ValueError
        If there is no such pathogen.
    """
    if name not in NAMES:
        raise ValueError(f"the pathogens are {', '.join(NAMES)} (asked for {name!r})")
    return pathogen_from(_text(name), diseases()[name], f"{name}.tsv")


@cache
def point_sources() -> dict[str, PointSource]:
    """Return the kinds of point sources by name."""
    found = {}
    for place, cells in rows(_text("point_sources"), "point_sources.tsv", _POINT_SOURCE):
        known = tuple(cells["pathogens"].split())
        if strange := sorted(set(known) - set(NAMES)):
            raise TableError(f"{place}: the pathogens are {', '.join(NAMES)}, found {', '.join(strange)}")
        numbers = {"attack": _share(place, "attack", cells["attack"]), "reach": float(cells["reach"])}
        found[cells["name"]] = PointSource(
            **{**cells, **numbers, "days": float(cells["days"]), "pathogens": known}  # type: ignore[arg-type]
        )
    return found


def pathogen_from(text: str, disease: Disease, table: str = "table") -> Pathogen:
    """Return the pathogen that a table tells of, such as a corrected copy of one of ours.

    Parameters
    ----------
    text
        The table: tab-separated, columns as in the tables of `model/pathogens`.
    disease
        Its names and codes.
    table
        Name of the table in errors.

    Raises
    ------
    TableError
        If a row cannot be used, or a constant is missing or told twice; the error names line and constant.
    """
    return _Reader(constants(text, table), table).pathogen(disease)


class _Reader:
    def __init__(self, told: Sequence[Constant], table: str) -> None:
        self.told, self.table = tuple(told), table
        self.by_name: dict[str, list[Constant]] = {}
        for row in told:
            if row.constant not in _LIMITS:
                raise row.error(f"is not a constant of a pathogen; those are {', '.join(_LIMITS)}")
            limits = _LIMITS[row.constant]
            if not limits.least <= row.value <= limits.most:
                raise row.error(f"expected from {limits.least} to {limits.most}, found {row.value}")
            self.by_name.setdefault(row.constant, []).append(row)
        missing = [name for name in _LIMITS if name not in self.by_name and name not in _NOT_NEEDED]
        if missing:
            raise TableError(f"{table}: expected a row for {', '.join(missing)}; there is none")

    def pathogen(self, disease: Disease) -> Pathogen:
        number, known, bands = self._number, self._range, self._bands
        return Pathogen(
            disease=disease,
            incubation=Incubation(number("incubation_median"), number("incubation_dispersion")),
            infectiousness=Curve(
                number("infectious_from"), number("infectious_mean"), number("infectious_sd")
            ),
            latent=number("latent"),
            asymptomatic=bands("asymptomatic"),
            asymptomatic_infectiousness=number("asymptomatic_infectiousness"),
            hazard=number("hazard"),
            reproduction_number=known("reproduction_number"),
            dispersion=known("dispersion"),
            serial_interval=known("serial_interval_mean"),
            settings=self._settings(),
            household_crowding=number("household_crowding"),
            susceptibility=bands("susceptibility"),
            immune=bands("immune"),
            hospitalised=self._of_symptomatic("hospitalised"),
            critical=bands("critical"),
            fatal=self._of_symptomatic("fatal"),
            seeks_care=bands("seeks_care"),
            stays_home=number("stays_home"),
            ill_days=number("ill_days"),
            onset_to_care=number("onset_to_care"),
            onset_to_hospital=number("onset_to_hospital"),
            hospital_stay=number("hospital_stay"),
            onset_to_death=number("onset_to_death"),
            tested=number("tested"),
            test_sensitivity=number("test_sensitivity"),
            result_delay=number("result_delay"),
            attack_rate=tuple((*_band(row), _as_range(row)) for row in self.by_name.get("attack_rate", ())),
            household_attack_rate=known("household_attack_rate"),
            reproduced_in_immune=self._one("reproduction_number").unit == _IN_IMMUNE,
            doubling_time=known("doubling_time") if "doubling_time" in self.by_name else None,
            constants=self.told,
        )

    def _one(self, name: str) -> Constant:
        first, *others = self.by_name[name]
        if others:
            raise others[0].error("expected one row, this is another")
        return first

    def _number(self, name: str) -> float:
        return self._one(name).value

    def _range(self, name: str) -> Range:
        return _as_range(self._one(name))

    def _settings(self) -> tuple[float, ...]:
        found = {row.of: row for row in self.by_name["setting"]}
        if len(found) != len(self.by_name["setting"]) or set(found) != set(SETTINGS):
            raise TableError(f"{self.table}: setting: expected one row for each of {', '.join(SETTINGS)}")
        return tuple(found[name].value for name in SETTINGS)

    def _bands(self, name: str) -> Bands:
        told = sorted(self.by_name[name], key=lambda row: _band(row)[0])
        expected = 0
        for row in told:
            start, past = _band(row)
            if start != expected:
                raise row.error(f"expected a band from {expected} years on, found {row.of}")
            expected = past
        if expected <= OLDEST:
            raise told[-1].error("the last band must be open, such as 65+")
        return Bands(tuple(_band(row)[0] for row in told), tuple(row.value for row in told))

    def _of_symptomatic(self, name: str) -> Bands:
        units = {row.unit for row in self.by_name[name]}
        if units == {_OF_SYMPTOMATIC}:
            return self._bands(name)
        if units == {_OF_INFECTED}:
            share = 1 - sum(row.value for row in self.by_name["asymptomatic"]) / len(
                self.by_name["asymptomatic"]
            )
            return self._bands(name).scaled(1 / share if share else 0.0)
        raise self.by_name[name][0].error(f"the unit is {_OF_SYMPTOMATIC!r} or {_OF_INFECTED!r} in all rows")


def _as_range(row: Constant) -> Range:
    low = row.value if row.low is None else row.low
    high = row.value if row.high is None else row.high
    return Range(row.value, low, high)


def _band(row: Constant) -> tuple[int, int]:
    if row.of == "all":
        return 0, OLDEST + 1
    found = _BAND.fullmatch(row.of)
    if found is None:
        raise row.error(f"expected 'all' or ages such as 5-17 or 65+, found {row.of!r}")
    start, last = int(found[1]), int(found[2]) if found[2] else OLDEST
    if last < start:
        raise row.error(f"expected the younger age first, found {row.of!r}")
    return start, last + 1
