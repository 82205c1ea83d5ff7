"""A server that is killed under load loses nothing that was acknowledged, and the hub goes on by itself."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.results import keep
from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.store.committer import Committer
from broadstreet.store.followers import Followers, settle
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Store, StoreUnavailable
from tests.backends import NO_SERVER, has
from tests.crash.city import SOURCE, TALLY, Alarms, Arrive, Tally
from tests.crash.test_kill import check_projection_and_reactors, check_the_log
from tests.postgres import Server, own_server

WRITERS = 8

pytestmark = pytest.mark.skipif(not has("postgres"), reason=NO_SERVER)


@dataclass
class Load:
    """Clinics that send without end, and send again what was not acknowledged."""

    committer: Committer
    promised: dict[str, int] = field(default_factory=dict)
    enough: threading.Event = field(default_factory=threading.Event)

    def run(self, writer: int) -> None:
        number = 0
        while not self.enough.is_set():
            key = f"{writer}-{number}"
            try:
                self.promised[key] = self.committer.commit(Arrive(key))
            except StoreUnavailable:
                continue
            number += 1

    def wait_for(self, more: int) -> None:
        goal = len(self.promised) + more
        while len(self.promised) < goal:
            time.sleep(0.002)


@pytest.mark.parametrize("seed", [1854])
def test_what_was_acknowledged_is_there_once_after_20_kills_of_the_server(seed: int) -> None:
    trial(20, random.Random(seed))


@pytest.mark.soak
def test_what_was_acknowledged_is_there_once_after_200_kills_of_the_server(tmp_path: Path) -> None:
    begin = time.time()
    figures = {"kills": 200, "acknowledged": trial(200, random.Random()), "lost": 0, "twice": 0}
    keep("kills_postgres", figures | {"seconds": round(time.time() - begin)}, tmp_path)


def trial(kills: int, random: random.Random) -> int:
    """Kill a server at random moments, hold the log against what was acknowledged; return how much."""
    with own_server() as server:
        store, clock = open_store(server.address("city")), SystemClock()
        committer = Committer(store, clock, RandomIds(clock))
        tally = Tally()
        followers = Followers.begun(store, committer, [tally, Alarms(tally)])
        followers.start()
        load = Load(committer)
        writers = [threading.Thread(target=load.run, args=(n,), daemon=True) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(kills):
            kill_and_start(server, load, random)
        load.wait_for(100)
        load.enough.set()
        for writer in writers:
            writer.join()
        assert settle(followers, committer, timeout=60)
        assert followers.faults == {}
        check(store, load.promised)
        followers.stop()
        committer.close()
        store.close()
        return len(load.promised)


def kill_and_start(server: Server, load: Load, random: random.Random) -> None:
    load.wait_for(random.randrange(200))
    time.sleep(random.uniform(0.0, 0.05))
    server.kill()
    server.start()


def check(store: Store, promised: dict[str, int]) -> None:
    entries = store.entries(0, limit=10**7)
    check_the_log(entries, promised)
    check_projection_and_reactors(entries, Counter(dict(store.select(TALLY))))  # type: ignore[arg-type]
    assert len([entry for entry in entries if entry.source == SOURCE]) == len(promised)
