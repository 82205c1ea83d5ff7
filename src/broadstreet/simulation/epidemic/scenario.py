"""What happens to a city: pathogens, how they come in, and what is done."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from broadstreet.model.pathogens import Pathogen
from broadstreet.model.what_if import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """People who come back infected: `count` residents on each day from `first_day` to `last_day`.

    Residents of one district only where `district` (its code) is given.
    """

    pathogen: str
    count: int = 1
    first_day: int = 0
    last_day: int | None = None
    district: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """A place that infects those who come: a kitchen, a market; with `district`, its water.

    The kinds and their usual attack rates are `model.pathogens.point_sources`. `attack` is the chance to be
    infected by one day's visit (for the water: by one day), for people of susceptibility 1. With `reach`
    (kilometres) the water is that of a pump in the middle of the district: the chance falls with the distance
    of a home from it, by exp(-distance / reach), also beyond the district. Without, it is in all its mains.
    """

    pathogen: str
    attack: float
    first_day: int
    last_day: int
    place: int | None = None
    district: str | None = None
    reach: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Pathogens with their imports and point sources, and interventions, over some days."""

    pathogens: tuple[Pathogen, ...]
    imports: tuple[Import, ...] = ()
    sources: tuple[Contamination, ...] = ()
    interventions: tuple[Action, ...] = ()
    days: int = 60

    def __post_init__(self) -> None:
        names = [pathogen.name for pathogen in self.pathogens]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"pathogens must be one or more, each once (they are {names})")
        if not 1 <= self.days <= 3_650:
            raise ValueError(f"days must be from 1 to 3,650 (it is {self.days})")
        entries: tuple[Import | Contamination, ...] = (*self.imports, *self.sources)
        for entry in entries:
            if entry.pathogen not in names:
                raise ValueError(f"pathogen must be one of {', '.join(names)} (it is {entry.pathogen!r})")
            if entry.first_day < 0 or (entry.last_day is not None and entry.last_day < entry.first_day):
                raise ValueError(f"last_day must not be before first_day, first_day 0 or more (see {entry})")
        for source in self.sources:
            if (source.place is None) == (source.district is None):
                raise ValueError(f"a point source must have either place or district (see {source})")
            if source.reach is not None and not (source.district is not None and 0.0 < source.reach < inf):
                raise ValueError(f"reach must be above 0, and of a source with a district (see {source})")
            if not 0.0 < source.attack <= 1.0:
                raise ValueError(f"attack must be above 0 and at most 1 (it is {source.attack})")
        for travel in self.imports:
            if travel.count < 1:
                raise ValueError(f"count must be 1 or more (it is {travel.count})")
