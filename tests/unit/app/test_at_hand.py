"""What the process that receives has at hand: it can be read where the process has ended."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256

import pytest

from broadstreet.app.receiving.at_hand import AtHand, Suspect
from broadstreet.connectors.hl7v2.connection import Peer

PEER = Peer("10.0.0.7", 4711)


@pytest.fixture
def at_hand() -> Iterator[AtHand]:
    at_hand = AtHand.made(1_000)
    yield at_hand
    at_hand.close()


def test_the_message_at_which_a_process_was_killed_is_still_there(at_hand: AtHand) -> None:
    code = (
        "import os, sys; from broadstreet.app.receiving.at_hand import AtHand\n"
        "at_hand = AtHand(int(sys.argv[1])); at_hand.begin(b'first', 'a:1'); at_hand.end()\n"
        "at_hand.begin(b'MSH|...', '10.0.0.7:4711'); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(at_hand.descriptor)]
    done = subprocess.run(command, pass_fds=[at_hand.descriptor], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    suspect = at_hand.suspect()
    assert suspect == Suspect("10.0.0.7:4711", b"MSH|...")
    assert (at_hand.begun, suspect.address) == (2, "10.0.0.7")


def test_nothing_is_at_hand_before_a_message_and_after_it(at_hand: AtHand) -> None:
    assert at_hand.suspect() is None
    at_hand.begin(b"MSH|...", PEER)
    assert at_hand.suspect() is not None
    at_hand.end()
    assert at_hand.suspect() is None


def test_a_message_is_named_without_a_word_of_it(at_hand: AtHand) -> None:
    at_hand.begin(b"KIM MINA", PEER)
    told = str(at_hand.suspect())
    assert told == f"a message of 10.0.0.7:4711, 8 bytes, sha256 {sha256(b'KIM MINA').hexdigest()[:16]}..."


@pytest.mark.parametrize(("raw", "found"), [(b"", b""), (b"x" * 1_000, b"x" * 1_000), (b"x" * 1_001, None)])
def test_what_has_no_room_is_not_mistaken_for_another(at_hand: AtHand, raw: bytes, found: bytes) -> None:
    at_hand.begin(b"before", PEER)
    at_hand.end()
    at_hand.begin(raw, None)
    suspect = at_hand.suspect()
    assert (suspect.raw if suspect else None) == found


def test_where_no_memory_can_be_had_messages_are_not_named(caplog: pytest.LogCaptureFixture) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        at_hand = AtHand.made(100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    at_hand.begin(b"MSH|...", PEER)
    assert at_hand.suspect() is None
    at_hand.close()
    assert "cannot be named" in caplog.text
