"""The columns that an inference reads, kept as they came."""

from __future__ import annotations

from typing import Any

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.declared import DIRECTED, EITHER_WAY
from broadstreet.analysis.transmission.linelist import DAYS
from broadstreet.analysis.transmission.settings import Settings
from broadstreet.analysis.transmission.stays import TIMES

Rows = dict[str, list[Any]]


def kept(settings: Settings, cases: Table, contacts: Table | None, visits: Table | None) -> dict[str, Rows]:
    """Return the columns that an inference reads, to be added to later."""
    names = {
        "cases": (cases, ("id", *DAYS, *settings.same, *settings.near)),
        "contacts": (contacts, (*DIRECTED, *EITHER_WAY)),
        "visits": (visits, ("id", "place", *TIMES)),
    }
    return {
        name: {}
        if table is None
        else {key: list(values) for key, values in read(table, name, (), wanted).items()}
        for name, (table, wanted) in names.items()
    }
