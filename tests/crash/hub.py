"""A hub to be killed: `python -m tests.crash.hub DATABASE COUNTERPART_PORT ROUND [finish]`.

It prints `ready`, then a line `key seq` for each arrival once that is durable, and goes on until it
is killed. With `finish` it takes nothing in: it lets followers and courier come to the end, and ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers, settle
from broadstreet.store.outbox import OUTBOX, Courier, Outbox
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.tables import OneOf
from tests.crash.city import Alarms, Arrive, Orders, Tally
from tests.crash.counterpart import OverTcp

WRITERS = 8
RESENT = 30
UNDER_WAY = {"state": OneOf(("waiting", "sent", "unknown"))}


class Hub:
    """A store with its committer, followers and courier."""

    def __init__(self, database: Path, port: int) -> None:
        self.store, clock = SqliteStore(database), SystemClock()
        self.committer = Committer(self.store, clock, RandomIds(clock))
        tally = Tally()
        self.followers = Followers.begun(
            self.store, self.committer, [tally, Alarms(tally), Orders(), Outbox()]
        )
        counterparts = {"printer": OverTcp(port, honours_keys=True)}
        self.courier = Courier(self.store, self.committer, clock, counterparts)
        self.followers.start()

    def write(self, round: int, writer: int) -> None:
        """Send the end of the last round again, then new things for ever."""
        keys = [f"{round - 1}-{writer}-{number}" for number in range(RESENT)] if round else []
        number = 0
        while True:
            key = keys.pop() if keys else f"{round}-{writer}-{number}"
            number += not keys
            seq = self.committer.commit(Arrive(key))
            os.write(1, f"{key} {seq}\n".encode())

    async def deliver(self) -> None:
        """Send what waits in the outbox, for ever."""
        while True:
            if not await self.courier.run_once():
                await asyncio.sleep(0.002)

    async def come_to_the_end(self) -> None:
        """Follow and deliver until nothing is left to do."""
        while True:
            assert settle(self.followers, self.committer, timeout=60)
            if not self.store.select(OUTBOX, UNDER_WAY, limit=1):
                return
            if not await self.courier.run_once():
                await asyncio.sleep(0.02)


def main(database: str, port: str, round: str, *more: str) -> None:
    hub = Hub(Path(database), int(port))
    os.write(1, b"ready\n")
    if more == ("finish",):
        asyncio.run(hub.come_to_the_end())
        assert hub.followers.faults == {}, hub.followers.faults
        hub.followers.stop()
        hub.committer.close()
        hub.store.close()
        return
    for writer in range(WRITERS):
        threading.Thread(target=hub.write, args=(int(round), writer), daemon=True).start()
    asyncio.run(hub.deliver())


if __name__ == "__main__":
    main(*sys.argv[1:])
