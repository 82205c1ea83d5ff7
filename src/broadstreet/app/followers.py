"""Which followers this hub runs; a follower is at work once it stands here."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from broadstreet.app.settings import Settings
from broadstreet.model.syndromes import classify
from broadstreet.store.follower import Follower, Projection
from broadstreet.store.outbox import Outbox
from broadstreet.store.quarantine import Quarantine
from broadstreet.store.timers import Timers
from broadstreet.trust.access import Looked
from broadstreet.workflows.surveillance import Counts, Rule, Tests


def followers_of(settings: Settings) -> list[Follower]:
    """Return a new instance of every follower."""
    counts = Counts(ZoneInfo(settings.zone), classify)
    return [Timers(), Quarantine(), Outbox(), Looked(), counts, Tests(counts, rule_of(settings))]


def projections_of(settings: Settings) -> dict[str, Projection]:
    """Return the followers that can be rebuilt, by name."""
    return {f.name: f for f in followers_of(settings) if isinstance(f, Projection)}


def rule_of(settings: Settings) -> Rule:
    """Return the rule that each day's counts are tested by."""
    said = settings.surveillance
    return Rule(method=said.method, minimum=said.minimum, alpha=said.alpha or None, baseline=said.baseline)
