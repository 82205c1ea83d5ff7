from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.results import keep
from broadstreet.model import records
from broadstreet.model.records import Delivery
from broadstreet.store.entry import Entry
from broadstreet.store.outbox import OUTBOX
from broadstreet.store.sqlite import SqliteStore
from broadstreet.store.sqlite.store import verify
from tests.crash.city import ALARM, DAY, ORDER, SOURCE, TALLY, VISIT
from tests.crash.counterpart import effects, running
from tests.crash.harness import Program, acknowledged

HUB = "tests.crash.hub"


@pytest.mark.parametrize("seed", [1854])
def test_what_was_acknowledged_is_there_once_after_20_kills(tmp_path: Path, seed: int) -> None:
    trial(tmp_path / "log.db", rounds=20, random=random.Random(seed))


@pytest.mark.soak
def test_what_was_acknowledged_is_there_once_after_200_kills(tmp_path: Path) -> None:
    begin = time.time()
    promised = trial(tmp_path / "log.db", rounds=200, random=random.Random())
    keep(
        "kills",
        {
            "kills": 200,
            "acknowledged": promised,
            "lost": 0,
            "twice": 0,
            "seconds": round(time.time() - begin),
        },
        tmp_path,
    )


def trial(database: Path, rounds: int, random: random.Random) -> int:
    """Kill a hub at random moments on one file, hold the log against what was said; return how much."""
    with running(honours_keys=True) as port:
        said: list[str] = []
        for round in range(rounds):
            said += killed(database, port, round, random)
        with Program(HUB, str(database), str(port), str(rounds), "finish") as hub:
            hub.finish()
        happened = effects(port)
    promised = acknowledged(said)
    assert len(promised) > 20 * rounds, "there was load"
    verify(database)
    store = SqliteStore(database, create=False)
    entries = store.entries(0, limit=10**7)
    tally, outbox = dict(store.select(TALLY)), store.select(OUTBOX)  # type: ignore[var-annotated, arg-type]
    store.close()
    check_the_log(entries, promised)
    check_projection_and_reactors(entries, tally)
    check_outbox(entries, {str(row[0]): str(row[2]) for row in outbox}, happened)
    return len(promised)


def killed(database: Path, port: int, round: int, random: random.Random) -> list[str]:
    """Run the hub for a random while: one time in five the kill falls into its start."""
    with Program(HUB, str(database), str(port), str(round)) as hub:
        if random.random() < 0.8:
            hub.wait_until_ready()
        time.sleep(random.uniform(0.0, 0.5))
        return hub.kill()


def check_the_log(entries: list[Entry], promised: dict[str, int]) -> None:
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    arrived = [entry for entry in entries if entry.source == SOURCE]
    held = {entry.key: entry.seq for entry in arrived}
    assert len(held) == len(arrived), "a key is there twice"
    assert {key: held.get(key) for key in promised} == promised
    mapped = Counter(entry.cause for entry in entries if entry.source == "map@1")
    assert mapped == Counter(held.values()), "a message and what is mapped from it are one commit"
    versions: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.source == "map@1":
            versions[entry.type, entry.id] += 1
            assert entry.version == versions[entry.type, entry.id]


def check_projection_and_reactors(entries: list[Entry], tally: dict[str, int]) -> None:
    assert tally == Counter(entry.type for entry in entries if entry.type in (VISIT, DAY, ORDER))
    visits, expected = 0, {}
    for entry in entries:
        visits += entry.type == VISIT
        if entry.type == DAY:
            expected[entry.seq] = str(visits).encode()
    alarms = [entry for entry in entries if entry.type == ALARM]
    assert len(alarms) == len(expected)
    assert {alarm.cause: alarm.body for alarm in alarms} == expected


def check_outbox(entries: list[Entry], states: dict[str, str], happened: dict[str, int]) -> None:
    orders = [f"order-{entry.seq}" for entry in entries if entry.type == ORDER]
    assert orders, "there were side effects"
    assert states == dict.fromkeys(orders, "confirmed")
    assert happened == dict.fromkeys(orders, 1), "0 lost, 0 twice"
    attempts = Counter(
        e.id for e in entries if e.type == records.entry_type(Delivery) and b'"sent"' in (e.body or b"")
    )
    assert set(attempts) == set(orders)
