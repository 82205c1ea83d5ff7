"""The line between the hub and the process that receives: what is said arrives, and what may pass it."""

from __future__ import annotations

import asyncio
import os
import pickle
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.app.receiving.line import Line
from broadstreet.app.receiving.served import passable
from broadstreet.store.inbox import Receipt
from broadstreet.store.protocol import StoreFull


class _Written:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@given(
    said=st.lists(st.one_of(st.text(), st.binary(max_size=3_000), st.none()), max_size=8),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=50),
)
def test_what_is_said_arrives_whole_and_in_order_however_it_is_cut(
    said: list[object], cuts: list[int]
) -> None:
    written, heard = _Written(), []
    speaking, hearing = Line(lambda _: None, lambda: None), Line(heard.append, lambda: None)
    speaking.connection_made(written)  # type: ignore[arg-type]
    for each in said:
        speaking.say(each)
    data, turn = written.data, 0
    while data:
        cut = cuts[turn % len(cuts)]
        hearing.data_received(data[:cut])
        data, turn = data[cut:], turn + 1
    assert heard == said


async def test_one_end_sees_that_the_other_has_gone_and_says_nothing_more() -> None:
    ours, theirs = socket.socketpair()
    gone = asyncio.Event()
    line = Line(lambda _: None, gone.set)
    await asyncio.get_running_loop().create_connection(lambda: line, sock=ours)
    theirs.close()
    await asyncio.wait_for(gone.wait(), 10)
    line.say("lost")


async def test_what_leaves_at_once_waits_for_room() -> None:
    """What is larger than the socket's buffer arrives whole, though the speaker's loop does not turn."""
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    line = Line(lambda _: None, lambda: None, ours)
    await loop.create_connection(lambda: line, sock=ours)
    said = os.urandom(5_000_000)

    def hear() -> object:
        data = b""
        while len(data) < len(said):
            data += theirs.recv(2**16)
        return pickle.loads(data[4:])

    heard = loop.run_in_executor(None, hear)
    line.say(said)
    assert await heard == said
    line.close()
    theirs.close()


def test_what_the_store_raises_passes_and_what_nobody_expected_is_named_by_its_kind_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    receipt, full = Receipt("accepted", 1, "a"), StoreFull("full")
    assert passable(receipt) is receipt
    assert passable(full) is full
    told = passable(ValueError("KIM MINA"))
    assert isinstance(told, RuntimeError)
    assert "KIM" not in f"{told} {caplog.text}"
    assert "ValueError" in caplog.text
