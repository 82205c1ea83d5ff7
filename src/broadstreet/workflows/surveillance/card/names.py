"""What places, syndromes and people are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from broadstreet.workflows.surveillance.card.focus import Focus
from broadstreet.workflows.surveillance.tables import CITY

MOST_NAMED = 8
"""So many districts are named in a sentence."""


@dataclass(frozen=True)
class Names:
    """What facilities and districts are called, by id and code."""

    sources: Mapping[str, str] = field(default_factory=dict)
    districts: Mapping[str, str] = field(default_factory=dict)

    def where(self, focus: Focus) -> str:
        """Return the name of the place; an area of one district is that district."""
        if len(focus.districts) == 1:
            return self.district(focus.districts[0])
        kind, _, code = focus.where.place.partition(":")
        if kind == CITY:
            return "the whole city"
        if kind == "facility":
            return self.source(code)
        return f"the area around {self.district(code)}" if kind == "area" else self.district(code)

    def district(self, code: str) -> str:
        """Return the name of a district, with its code."""
        name = self.districts.get(code, "")
        return f"{name} ({code})" if name and name != code else f"district {code}"

    def source(self, id: str) -> str:
        """Return the name of a facility."""
        return self.sources.get(id, id)


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, the first of many."""
    each = list(names)
    if len(each) > MOST_NAMED:
        return f"{', '.join(each[:MOST_NAMED])} and {len(each) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(each[:-1]), each[-1])))


def stream(name: str) -> str:
    """Return the name of a syndrome for people."""
    return name.replace("_like_", "-like ").replace("_", " ")


def who(stratum: str) -> str:
    """Return whom a stratum has."""
    kind, _, band = stratum.partition(":")
    if kind != "age":
        return "everybody"
    return f"ages {band[:-1]} and over" if band.endswith("+") else f"ages {band}"
