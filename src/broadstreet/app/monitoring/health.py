"""Whether a hub lives, and whether it is ready: each check with its reason, without personal data."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from broadstreet.app.core import Core
from broadstreet.store.protocol import StoreError


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at; `reason` says what is wrong and what to do, empty where all is well."""

    check: str
    ok: bool
    reason: str = ""


class Health(msgspec.Struct, frozen=True):
    """The answer: `ok` if every check is."""

    ok: bool
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is wrong."""
        return tuple(check.reason for check in self.checks if not check.ok)


def life_of(core: Core) -> Health:
    """Say whether the hub must be started anew: a thread without which nothing goes on has ended."""
    return _health(
        [
            _check("committer", core.committer.running, "the committer has ended: start the hub again"),
            _check("followers", core.followers.running, "the followers have ended: start the hub again"),
        ]
    )


def readiness_of(core: Core, *, listening: bool = True) -> Health:
    """Say whether the hub can take messages and work on them.

    Parameters
    ----------
    core
        What is looked at.
    listening
        Whether the doors are open.
    """
    checks = [
        _check(
            "doors",
            listening,
            "the doors are not open: the hub, or the process that receives, starts or stops",
        ),
        _lease(core),
        *_followers(core),
        _room(core),
        _index(core),
        _indexing(core),
        _check("upkeep", not core.upkeep.reason, core.upkeep.reason),
    ]
    return _health(checks)


def _indexing(core: Core) -> Check:
    runs = core.indexing is None or core.indexing.running
    return _check("indexing", runs, "the process that keeps the search index has ended; it is started again")


def _lease(core: Core) -> Check:
    held = not core.committer.closed and core.committer.leased()
    return _check("lease", held, "the writer's lease is lost: a second hub could write; start the hub again")


def _followers(core: Core) -> list[Check]:
    faults = dict(core.followers.faults)
    if not faults:
        return [Check("followers", ok=True)]
    return [
        Check(
            "followers",
            ok=False,
            reason=f"follower {name} has stopped ({fault}): mend the cause, then"
            f" `broadstreet followers resume {name}`",
        )
        for name, fault in sorted(faults.items())
    ]


def _room(core: Core) -> Check:
    if core.committer.meter.read().full:
        return Check("room", ok=False, reason="the last commit found no room on the disk: make room")
    wanted, free = core.settings.monitoring.min_free_mb, core.store.volume().free
    enough = free is None or free >= wanted * 1_000_000
    return _check(
        "room", enough, f"{(free or 0) // 1_000_000:,} MB are left on the disk, {wanted:,} are wanted"
    )


def _index(core: Core) -> Check:
    try:
        whole = core.store.indexed()
    except StoreError as error:
        return Check("index", ok=False, reason=str(error))
    return _check("index", whole, "the search index is not whole: stop the hub and rebuild it")


def _check(name: str, ok: bool, reason: str) -> Check:
    return Check(name, ok, "" if ok else reason)


def _health(checks: Sequence[Check]) -> Health:
    return Health(all(check.ok for check in checks), tuple(checks))
