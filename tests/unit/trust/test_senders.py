"""Who may send: known by certificate or network, for the facilities that they speak for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from broadstreet.app.doors import identify_of
from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.connection import Peer
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.model.ids import SeededIds
from broadstreet.trust import senders
from broadstreet.trust.accounts import Account, Accounts
from broadstreet.trust.senders import ANYBODY, Senders
from tests.hl7v2_hub import PID, PV1, ZONE, Hub

HERS = "commonName=clinic 7"


@pytest.fixture
def known(tmp_path: Path) -> Accounts:
    accounts = Accounts(tmp_path)
    accounts.add(
        Account(name="clinic", kind="client", roles=("sender",), certificates=(HERS,), facilities=("CLINIC",))
    )
    return accounts


def door(hub: Hub, folder: Path) -> Door:
    return Door(
        hub.committer,
        hub.store.indexer,
        hub.clock,
        SeededIds(hub.clock, 3),
        zone=ZONE,
        identify=identify_of(folder),
    )


def answer(door: Door, raw: bytes, certificate: str | None) -> Acknowledgement:
    return Acknowledgement.parse(asyncio.run(door.handle(raw, Peer("10.1.2.3", 4_711, certificate))))


def test_without_accounts_anybody_who_reaches_the_door_may_send(tmp_path: Path) -> None:
    assert Senders(Accounts(tmp_path)).of("127.0.0.1", None) == ANYBODY


def test_a_message_of_a_known_certificate_is_taken_and_names_who_brought_it(
    hub: Hub, known: Accounts, tmp_path: Path
) -> None:
    del known
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1))
    assert answer(door(hub, tmp_path), raw, HERS).code == "AA"
    assert {entry.actor for entry in hub.store.entries(0, limit=100)} == {"clinic"}


@pytest.mark.parametrize("certificate", [None, "commonName=clinic 8", "commonName=clinic 7,x=y"])
def test_a_message_of_nobody_that_is_known_is_rejected_and_kept_apart(
    hub: Hub, known: Accounts, tmp_path: Path, certificate: str | None
) -> None:
    del known
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1))
    refused = answer(door(hub, tmp_path), raw, certificate)
    assert refused.code == "AR"
    assert hub.store.entries(0)[0].source == "hl7v2:10.1.2.3", "not under the name that it gives itself"
    assert answer(door(hub, tmp_path), raw, HERS).code == "AA", "the true sender's is another message"


def test_what_is_no_message_and_comes_from_nobody_is_rejected_too(
    hub: Hub, known: Accounts, tmp_path: Path
) -> None:
    del known
    assert answer(door(hub, tmp_path), b"hello", None).code == "AR"
    assert answer(door(hub, tmp_path), b"hello", HERS).code == "AE"


def test_a_sender_speaks_for_its_own_facilities_alone(hub: Hub, known: Accounts, tmp_path: Path) -> None:
    del known
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1), facility="OTHER")
    assert answer(door(hub, tmp_path), raw, HERS).code == "AR"


def test_accounts_that_cannot_be_read_let_nobody_in(hub: Hub, known: Accounts, tmp_path: Path) -> None:
    del known
    (tmp_path / "accounts.json").chmod(0o644)
    before = hub.store.head()
    raw = hub.message("ADT^A04", ("PID", PID), ("PV1", PV1))
    assert answer(door(hub, tmp_path), raw, HERS).code == "AE"
    assert hub.store.head() == before, "nothing is stored of whom nobody can know"


def test_who_is_disabled_is_forgotten(known: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    of = Senders(known)
    assert of.of("10.1.2.3", HERS) is not None
    known.disable("clinic")
    assert of.of("10.1.2.3", HERS) is not None, "it is remembered for a second"
    now = senders.time.monotonic()
    monkeypatch.setattr(senders.time, "monotonic", lambda: now + 2)
    assert of.of("10.1.2.3", HERS) is None
