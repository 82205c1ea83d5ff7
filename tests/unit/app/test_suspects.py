"""Messages at which a process ended are kept and answered, and nobody reads them."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest

from broadstreet.app import requests
from broadstreet.app.core import Core
from broadstreet.app.desk import Desk
from broadstreet.app.doors import door_of
from broadstreet.app.receiving.at_hand import Suspect
from broadstreet.app.receiving.suspects import Suspects, barred_of, unread_of
from broadstreet.cli.marked import marked
from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement
from broadstreet.connectors.hl7v2.connection import Peer
from broadstreet.connectors.hl7v2.door import Door
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.store.inbox import Receipt, Receive
from broadstreet.store.protocol import StoreFull
from tests.unit.cli.conftest import message

POISON = message("POISON")
SUSPECT = Suspect("10.0.0.7:4711", POISON)
DIGEST = sha256(POISON).digest()


@pytest.fixture(autouse=True)
def poisonous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it fail the test if the message is read, its first line included."""
    parse = Message.parse

    def checked(raw: bytes, **more: str) -> Message:
        assert b"|POISON|" not in raw, "it is read"
        return parse(raw, **more)

    monkeypatch.setattr(Message, "parse", checked)


@pytest.fixture
def door(core: Core) -> Door:
    return door_of(core.settings, core.committer, core.store.indexer, core.clock, barred=frozenset({DIGEST}))


async def barred(core: Core, door: Door) -> str:
    """Let the poison be barred, and return its id in quarantine."""
    suspects = Suspects(door, core.committer, frozenset())
    for _ in range(2):
        await suspects.judge(SUSPECT, 0.0)
    assert suspects.barred == {DIGEST}
    await asyncio.to_thread(core.settle)
    (entry,) = core.store.currents("bs/Quarantined")
    return entry.id


async def test_a_message_is_barred_at_the_second_end_and_kept_before_that(core: Core, door: Door) -> None:
    suspects = Suspects(door, core.committer, frozenset())
    await suspects.judge(SUSPECT, 0.0)
    assert (suspects.barred, core.committer.head) == (frozenset(), 0)
    await suspects.judge(SUSPECT, 0.0)
    (kept,) = core.store.entries(0, types=["hl7v2/Message"])
    assert (suspects.barred, kept.body, kept.source) == ({DIGEST}, POISON, "hl7v2:10.0.0.7")


async def test_what_cannot_be_kept_is_not_barred(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        async def committed(self, _: Receive) -> Receipt:
            raise StoreFull("no room")

    suspects = Suspects(door, Full(), frozenset())
    for _ in range(3):
        await suspects.judge(SUSPECT, 0.0)
    assert suspects.barred == frozenset()
    assert "could not be kept: no room" in caplog.text


async def test_what_is_barred_is_barred_after_a_restart_until_it_is_discarded(core: Core, door: Door) -> None:
    id = await barred(core, door)
    assert barred_of(core.store) == {DIGEST}
    Desk(core, door).answer(requests.QuarantineDiscard(id=id, note="mended by an update"))
    await asyncio.to_thread(core.settle)
    assert (barred_of(core.store), unread_of(core.store)) == (frozenset(), {DIGEST})


async def test_whoever_sends_it_again_is_answered_under_its_number_and_nothing_is_kept(
    core: Core, door: Door
) -> None:
    answer = Acknowledgement.parse(await door.handle(POISON, Peer("10.0.0.7", 1)))
    assert (answer.code, answer.control_id, door.answered) == ("AE", "POISON", {"AE": 1})
    assert "do not send it again" in answer.problems[0].text
    assert core.committer.head == 0


@pytest.mark.parametrize("raw", [b"", b"MSH", b"\xff\xfe\0", b"MSH|^~\\&", b"MSH|^~\\&|A\r" * 9_999])
async def test_whatever_is_barred_is_answered(core: Core, raw: bytes) -> None:
    all_of = frozenset({sha256(raw).digest()})
    door = door_of(core.settings, core.committer, core.store.indexer, core.clock, barred=all_of)
    assert b"\rMSA|AE" in await door.handle(raw, None)


async def test_it_is_tried_again_from_quarantine_only_mended(core: Core, door: Door) -> None:
    id = await barred(core, door)
    desk = Desk(core, door)
    for same in (None, POISON):
        with pytest.raises(ValueError, match="send it mended, or discard it"):
            desk.answer(requests.QuarantineRetry(id=id, mended=same))
    mended = POISON.replace(b"POISON", b"1")
    assert desk.answer(requests.QuarantineRetry(id=id, mended=mended)).state == "accepted"


async def test_it_is_shown_and_searched_as_plain_characters(core: Core, door: Door) -> None:
    id = await barred(core, door)
    desk = Desk(core, door)
    shown = desk.answer(requests.QuarantineShow(id=id))["raw"]
    assert "KIM^MINA" in "".join(str(line) for line in marked(shown, (), read=False))
    assert desk._text_of()(POISON) == POISON.decode()
    assert "KIM^MINA" in desk._text_of()(message("2"))
