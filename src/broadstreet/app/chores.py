"""The chores of a running hub: to keep the time, and to look after the process that keeps the search index.

Whatever one of them raises, it is done again: nobody else would notice that the time stands still.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta

from broadstreet.app.core import Core
from broadstreet.model.clock import SystemClock

LONGEST_SLEEP = 30.0
"""In seconds; so soon a system clock that was set is noticed."""
SHORTEST_SLEEP = 0.05
"""In seconds."""
AGAIN_AFTER = 1.0
"""In seconds; so soon is tried again what failed."""
INDEXING_LOOKED_AFTER = 2.0
"""In seconds; so often the hub looks whether the process that keeps the search index runs."""
JUMP = timedelta(seconds=10)
"""A clock that is so far from where it should be was set."""

_log = logging.getLogger(__name__)


async def keep_time(core: Core) -> None:
    """Let the scheduler and the housekeeping run whenever something is due.

    A driven clock moves by requests alone.
    """
    if not isinstance(core.clock, SystemClock):
        return
    while True:
        pause = await _time_kept(core)
        began, expected = time.monotonic(), core.clock.now()
        await asyncio.sleep(pause)
        jump = core.clock.now() - expected - timedelta(seconds=time.monotonic() - began)
        if abs(jump) > JUMP:
            _log.warning("the clock was set by %+.0f seconds", jump.total_seconds())


async def _time_kept(core: Core) -> float:
    """Do what is due; return the seconds until something is again."""
    try:
        await asyncio.to_thread(core.keep_time)
        pause = (core.scheduler.next_due() - core.clock.now()).total_seconds()
    except Exception as error:  # such as a full disk
        core.upkeep.failed("timers and housekeeping", error)
        return AGAIN_AFTER
    core.upkeep.succeeded("timers and housekeeping")
    return min(max(pause, SHORTEST_SLEEP), LONGEST_SLEEP)


async def keep_indexing(core: Core) -> None:
    """Start the process that keeps the search index again whenever it has ended."""
    while core.indexing is not None:
        await asyncio.sleep(INDEXING_LOOKED_AFTER)
        try:
            core.indexing.keep()
        except Exception as error:  # such as too many open files
            core.upkeep.failed("looking after the search index", error)
        else:
            core.upkeep.succeeded("looking after the search index")
