"""What is asked of the city, by options or a TOML file: which one, what comes in how, and what is done."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from broadstreet.model.pathogens import NAMES, pathogen_named, point_sources
from broadstreet.model.what_if import Action
from broadstreet.simulation.epidemic import Contamination, Import, Scenario
from broadstreet.simulation.population import (
    AgeBand,
    City,
    Configuration,
    District,
    Kind,
    build,
    configuration,
)

_MOST_SEED = 2**63 - 1
_LARGEST = 1_000_000  # bytes of a plan
_VENUES = {"kitchen": Kind.VENUE, "market": Kind.SHOP}


class Impossible(Exception):
    """What is asked for cannot be; the text names the field."""


class Imported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Residents who come back infected: `count` of them on each day from `first_day` to `last_day`."""

    pathogen: str = ""
    count: int = 5
    first_day: int = 0
    last_day: int | None = None
    district: str | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point source: `kind` is `pump` (the water of a district), `kitchen` or `market`.

    Without `district` the city's largest is taken; `attack`, `reach` (metres, of a pump) and the days come
    from the table of point sources.
    """

    kind: str
    pathogen: str = ""
    first_day: int = 0
    last_day: int | None = None
    district: str | None = None
    attack: float | None = None
    reach: float | None = None


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of the city.

    Attributes
    ----------
    city
        `demo` (50,000 people) or `metropolis` (1 million).
    population
        Another number of people.
    seed, days
        What decides all chance, and how long the run is.
    pathogens
        Names; see `model.pathogens`.
    imports, sources
        How they come in; five imports of each pathogen on the first day where nothing is told.
    interventions
        What is done, see `model.what_if`: tables with `action` = isolate, quarantine, close, test or
        vaccinate.
    settings
        Other fields of the city's `Configuration`.
    """

    city: str = "demo"
    population: int | None = None
    seed: int = 1
    days: int = 120
    pathogens: tuple[str, ...] = ()
    imports: tuple[Imported, ...] = ()
    sources: tuple[Source, ...] = ()
    interventions: tuple[Action, ...] = ()
    settings: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MOST_SEED:
            raise ValueError(f"seed must be from 0 to {_MOST_SEED} (it is {self.seed})")
        for name in self.pathogens:
            if name not in NAMES:
                raise ValueError(f"pathogens must be of {', '.join(NAMES)} (there is {name!r})")
        for source in self.sources:
            if source.kind not in point_sources():
                raise ValueError(
                    f"sources: kind must be one of {', '.join(point_sources())} (it is {source.kind!r})"
                )


def read_plan(path: Path) -> Plan:
    """Return the plan of a TOML file.

    Raises
    ------
    Impossible
        If the file cannot be read as TOML, a field is unknown, or a value is impossible; the field is named.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise Impossible(f"{path.name}: expected a plan of at most {_LARGEST:,} bytes")
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Impossible(f"{path}: the plan cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise Impossible(f"{path.name}: expected TOML in UTF-8 (it is nested too deeply)") from error
    except ValueError as error:  # also of a number or a date that is none, and of another encoding
        raise Impossible(f"{path.name}: expected TOML in UTF-8 ({error})") from error
    try:
        return msgspec.convert(read, Plan)
    except msgspec.ValidationError as error:
        raise Impossible(f"{path.name}: {error}") from error


def with_options(plan: Plan, **options: Any) -> Plan:
    """Return a plan in which options that were given replace what the file says.

    Raises
    ------
    Impossible
        If a value is impossible.
    """
    given = {name: value for name, value in options.items() if value not in {None, ()}}
    try:
        return msgspec.convert({**msgspec.structs.asdict(plan), **given}, Plan, from_attributes=True)
    except msgspec.ValidationError as error:
        raise Impossible(str(error)) from error


def action_of(text: str) -> Action:
    """Return an action written in words, such as `isolate adherence=0.9 first_day=20`.

    Raises
    ------
    Impossible
        If the action or a field is not known, or a value is impossible.
    """
    name, *words = text.split() or [""]
    fields = dict(word.partition("=")[::2] for word in words)
    if strange := [word for word in words if "=" not in word]:
        raise Impossible(f"{text!r}: expected name=value after the action (there is {strange[0]!r})")
    try:
        found: Action = msgspec.convert({"action": name, **fields}, Action, strict=False)
    except msgspec.ValidationError as error:
        raise Impossible(f"{text!r}: {error}") from error
    return found


def built(plan: Plan) -> City:
    """Build the city of a plan.

    Raises
    ------
    Impossible
        If the configuration is impossible; the field is named.
    """
    return build(configured(plan), plan.seed)


def configured(plan: Plan) -> Configuration:
    """Return the configuration of the city of a plan.

    Raises
    ------
    Impossible
        If it is impossible; the field is named.
    """
    fields = Configuration.__dataclass_fields__
    if strange := sorted(set(plan.settings) - set(fields)):
        raise Impossible(f"settings: a city has no {strange[0]}; its fields are {', '.join(fields)}")
    try:
        known = configuration(plan.city, plan.population)
        told = {name: getattr(known, name) for name in fields} | _rows(plan.settings)
        return msgspec.convert(told, Configuration)
    except msgspec.ValidationError as error:  # of a wrong type, or by the configuration's own checks
        raise Impossible(f"settings: {error}") from error
    except ValueError as error:
        raise Impossible(str(error)) from error


def _rows(settings: dict[str, Any]) -> dict[str, Any]:
    """Take rows of ages and districts that are told as tables by the order of their columns."""
    told = dict(settings)
    for name, row in (("ages", AgeBand), ("districts", District)):
        if isinstance(told.get(name), list):
            told[name] = [_row(name, row, each) for each in told[name]]
    return told


def _row(name: str, row: type[AgeBand | District], told: object) -> object:
    if not isinstance(told, dict):
        return told
    try:
        return row(**told)
    except TypeError as error:
        raise Impossible(
            f"settings: {name} have the columns {', '.join(row._fields)} (see {told})"
        ) from error


def scenario_of(plan: Plan, city: City) -> Scenario:
    """Return what happens to a city by a plan.

    Raises
    ------
    Impossible
        If it cannot happen in this city; the field is named.
    """
    named = [entry.pathogen for entry in plan.imports] + [entry.pathogen for entry in plan.sources]
    names = tuple(name for name in dict.fromkeys((*plan.pathogens, *named)) if name)
    if not names:
        raise Impossible(f"pathogens must name one or more of {', '.join(NAMES)}")
    imports = plan.imports or (() if plan.sources else tuple(Imported(pathogen=name) for name in names))
    try:
        return Scenario(
            pathogens=tuple(pathogen_named(name) for name in names),
            imports=tuple(_import(entry, names) for entry in imports),
            sources=tuple(_source(entry, names, city) for entry in plan.sources),
            interventions=plan.interventions,
            days=plan.days,
        )
    except ValueError as error:
        raise Impossible(str(error)) from error


def _import(entry: Imported, names: tuple[str, ...]) -> Import:
    return Import(
        pathogen=entry.pathogen or names[0],
        count=entry.count,
        first_day=entry.first_day,
        last_day=entry.last_day,
        district=entry.district,
    )


def _source(entry: Source, names: tuple[str, ...], city: City) -> Contamination:
    usual = point_sources()[entry.kind]
    codes = {district.code: at for at, district in enumerate(city.districts)}
    largest = max(city.districts, key=lambda district: district.weight).code
    district = entry.district or largest
    if district not in codes:
        raise ValueError(f"sources: district must be one of {', '.join(codes)} (it is {district!r})")
    last = entry.first_day + int(usual.days) - 1 if entry.last_day is None else entry.last_day
    kind = _VENUES.get(entry.kind)
    metres = usual.reach if entry.reach is None else entry.reach
    return Contamination(
        pathogen=entry.pathogen or names[0],
        attack=usual.attack if entry.attack is None else entry.attack,
        first_day=entry.first_day,
        last_day=last,
        place=None if kind is None else _busiest(city, kind, codes[district]),
        district=district if kind is None else None,
        reach=metres / 1_000 if kind is None else None,
    )


def _busiest(city: City, kind: Kind, district: int) -> int:
    """Return the place of a kind with most regulars in a district; in the city if the district has none."""
    places = city.places.of(kind)
    there = places[city.places.district[places] == district]
    chosen = there if len(there) else places
    if not len(chosen):
        raise ValueError(f"sources: the city has no {kind.name.lower()}")
    regulars = np.diff(city.places.first)[chosen]
    return int(chosen[np.argmax(regulars)])
