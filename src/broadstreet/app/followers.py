"""Which followers this hub runs; a follower is at work once it stands here."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from broadstreet.app.settings import PLACES, Settings
from broadstreet.model.syndromes import classify
from broadstreet.store.follower import Follower, Projection
from broadstreet.store.outbox import Outbox
from broadstreet.store.protocol import StoreError
from broadstreet.store.quarantine import Quarantine
from broadstreet.store.timers import Timers
from broadstreet.trust.access import Looked
from broadstreet.workflows.surveillance import NOWHERE, Counts, Places, Rule, Tests, read_places


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
    name = settings.surveillance.places or str(settings.folder / PLACES)
    if not settings.surveillance.places and not (settings.folder / PLACES).exists():
        return NOWHERE
    try:
        return read_places(Path(name).read_text(encoding="utf-8-sig"), name)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise StoreError(f"surveillance.places: cannot read {name} ({reason})") from error
    except ValueError as error:
        raise StoreError(f"surveillance.places: {error}") from error


def rule_of(settings: Settings) -> Rule:
    """Return the rule that each day's counts are tested by."""
    said = settings.surveillance
    return Rule(
        method=said.method, minimum=said.minimum, history=said.history,
        alpha=said.alpha or None, baseline=said.baseline,
    )  # fmt: skip
