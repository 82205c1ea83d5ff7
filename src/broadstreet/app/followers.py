"""Which followers this hub runs; a follower is at work once it stands here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from broadstreet.app.settings import HOLIDAYS, PLACES, Settings
from broadstreet.model.syndromes import classify
from broadstreet.store.follower import Follower, Projection
from broadstreet.store.outbox import Outbox
from broadstreet.store.protocol import StoreError
from broadstreet.store.quarantine import Quarantine
from broadstreet.store.timers import Timers
from broadstreet.trust.access import Looked
from broadstreet.workflows.surveillance import (
    NOWHERE,
    ORDINARY,
    Counts,
    Holidays,
    Places,
    Rule,
    Tests,
    listed_holidays,
    read_holidays,
    read_places,
)

Read = TypeVar("Read")


def followers_of(settings: Settings) -> list[Follower]:
    """Return a new instance of every follower."""
    return [Timers(), Quarantine(), Outbox(), Looked(), *surveillance_of(settings)]


def surveillance_of(settings: Settings) -> tuple[Counts, Tests]:
    """Return the counts and the tests over them."""
    counts = Counts(ZoneInfo(settings.zone), classify, settings.surveillance.strata)
    return counts, Tests(counts, rule_of(settings), places_of(settings), settings.surveillance.budget)


def projections_of(settings: Settings) -> dict[str, Projection]:
    """Return the followers that can be rebuilt, by name."""
    return {f.name: f for f in followers_of(settings) if isinstance(f, Projection)}


def places_of(settings: Settings) -> Places:
    """Return where the districts are; nowhere if no file tells it.

    Raises
    ------
    StoreError
        If the file cannot be read, or is no table of places.
    """
    file = _file(settings, settings.surveillance.places, (PLACES,))
    return _read(file, "places", read_places) if file else NOWHERE


def districts_of(settings: Settings) -> dict[str, str]:
    """Return what the districts are called, by code, where a file tells it."""
    return {code: place.name for code, place in places_of(settings).by_code.items()}


def holidays_of(settings: Settings) -> Holidays:
    """Return the holidays; none if no setting and no file tells them.

    Raises
    ------
    StoreError
        If the file cannot be read, or is neither a calendar nor a table of dates.
    """
    said = settings.surveillance
    if said.lists_holidays:
        return listed_holidays(said.holidays)
    file = _file(settings, said.holidays, HOLIDAYS)
    return _read(file, "holidays", read_holidays) if file else ORDINARY


def _file(settings: Settings, named: str, usual: Sequence[str]) -> Path | None:
    """Return the file that is named, or the first of the usual ones that is in the data folder."""
    if named:
        return Path(named)
    return next((settings.folder / name for name in usual if (settings.folder / name).exists()), None)


def _read(file: Path, setting: str, read: Callable[[str, str], Read]) -> Read:
    try:
        return read(file.read_text(encoding="utf-8-sig"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise StoreError(f"surveillance.{setting}: cannot read {file} ({reason})") from error
    except ValueError as error:
        raise StoreError(f"surveillance.{setting}: {error}") from error


def rule_of(settings: Settings) -> Rule:
    """Return the rule that each day's counts are tested by."""
    said = settings.surveillance
    return Rule(
        method=said.method, minimum=said.minimum, history=said.history,
        alpha=said.alpha or None, baseline=said.baseline, holidays=holidays_of(settings),
    )  # fmt: skip
