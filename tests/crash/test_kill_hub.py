"""SIGKILL of a whole hub while clinics send over MLLP, and what its log says afterwards."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from bench.results import keep
from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Mllp, Settings
from broadstreet.app.stores import opened
from broadstreet.connectors.hl7v2.client import BlockingMllpClient, Retry, Unanswered
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.simulation import Exercise
from broadstreet.store.protocol import Store
from broadstreet.store.sqlite.store import verify
from tests.backends import NO_SERVER, has
from tests.postgres import shared_server

SENDERS = 4


ON_BOTH = pytest.mark.parametrize(("backend", "kills"), [("sqlite", 4), ("postgres", 4)])


@ON_BOTH
def test_each_message_acknowledged_over_mllp_is_there_once_after_kills(
    tmp_path: Path, backend: str, kills: int
) -> None:
    trial(settings_on(backend, tmp_path), kills, random.Random(1854))


@pytest.mark.soak
@pytest.mark.parametrize(("backend", "kept"), [("sqlite", "kills_mllp"), ("postgres", "kills_mllp_postgres")])
def test_each_message_acknowledged_over_mllp_is_there_once_after_200_kills(
    tmp_path: Path, backend: str, kept: str
) -> None:
    keep(kept, trial(settings_on(backend, tmp_path), 200, random.Random()), tmp_path)


def settings_on(backend: str, folder: Path) -> Settings:
    if not has(backend):
        pytest.skip(NO_SERVER)
    database = "" if backend == "sqlite" else shared_server().address(f"kills_{uuid4().hex}")
    return Settings(data=str(folder), database=database, mllp=Mllp(port=0))


def trial(settings: Settings, kills: int, random: random.Random) -> dict[str, int]:
    """Kill the hub at random moments under load; hold its log against the acknowledgements."""
    city = Exercise(7, days=200, clinics=SENDERS)
    city.clinic(0).messages(0)  # the city is built before the first kill
    clinics: list[object] = [messages_of(city, number) for number in range(SENDERS)]
    acknowledged: set[bytes] = set()
    for _ in range(kills):
        acknowledged |= sent_until_killed(settings, clinics, random.uniform(0.1, 1.0))
    assert len(acknowledged) > 10 * kills, "there was load"
    if not settings.database:
        verify(settings.file)
    store = opened(settings, create=False)
    try:
        check(store, acknowledged)
    finally:
        store.close()
    return {"kills": kills, "acknowledged": len(acknowledged), "lost": 0, "twice": 0}


def messages_of(city: Exercise, number: int) -> Iterator[bytes]:
    """Yield what one clinic sends, in order: no two senders send for one visit."""
    clinic = city.clinic(number)
    for day in range(200):
        for timed in clinic.messages(day):
            yield timed.message


def sent_until_killed(settings: Settings, clinics: list[object], seconds: float) -> set[bytes]:
    """Start a hub, let every clinic send, kill it; return what it had acknowledged."""
    said: list[bytes] = []
    with HubProcess(settings) as hub:
        address = hub.address()
        threads = [threading.Thread(target=send, args=(address, clinic, said)) for clinic in clinics]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        assert hub._process is not None
        os.kill(hub._process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(30)
    return set(said)


def send(address: tuple[str, int], messages: object, said: list[bytes]) -> None:
    """Send one message after the other until the hub is gone."""
    try:
        with BlockingMllpClient(*address, retry=Retry(attempts=1)) as client:
            for message in messages:  # type: ignore[attr-defined]
                if client.send(message).accepted:  # one by one: what was said before the kill counts
                    said.append(message)  # noqa: PERF401
    except (Unanswered, OSError):
        return


def check(store: Store, acknowledged: set[bytes]) -> None:
    """Each acknowledged message is one entry, with what was mapped from it; the log has no other twice."""
    raw: Counter[bytes] = Counter()
    mapped: Counter[int] = Counter()
    seqs: dict[bytes, int] = {}
    after = 0
    while entries := store.entries(after, limit=10_000):
        after = entries[-1].seq
        for entry in entries:
            if entry.type == "hl7v2/Message":
                raw[entry.body or b""] += 1
                seqs[entry.body or b""] = entry.seq
            elif entry.cause is not None and entry.type.startswith("fhir/"):
                mapped[entry.cause] += 1
    assert acknowledged <= raw.keys(), "an acknowledged message is missing"
    assert set(raw.values()) == {1}, "a message is there twice"
    silent = [m for m in acknowledged if not mapped[seqs[m]]]
    kinds = {Message.parse(message).kind for message in silent}
    assert not silent, f"acknowledged and not mapped: {kinds}"
