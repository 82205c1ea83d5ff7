"""Which followers this hub runs; a follower is at work once it stands here."""

from __future__ import annotations

from broadstreet.app.settings import Settings
from broadstreet.store.follower import Follower, Projection
from broadstreet.store.outbox import Outbox
from broadstreet.store.quarantine import Quarantine
from broadstreet.store.timers import Timers


def followers_of(settings: Settings) -> list[Follower]:  # noqa: ARG001
    """Return a new instance of every follower."""
    return [Timers(), Quarantine(), Outbox()]


def projections_of(settings: Settings) -> dict[str, Projection]:
    """Return the followers that can be rebuilt, by name."""
    return {f.name: f for f in followers_of(settings) if isinstance(f, Projection)}
