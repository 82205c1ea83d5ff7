from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits, frame

STREAM = st.lists(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"MSH", b"\x1c\r", b"x", b"\x0bMSH|a\r\x1c\r"]),
    max_size=40,
).map(b"".join)


def outcome(chunks: list[bytes]) -> tuple[list[bytes], str, bool, int]:
    decoder = FrameDecoder(FrameLimits(message=12, garbage=8))
    given_out = [message for chunk in chunks for message in decoder.feed(chunk)]
    given_out += decoder.finish()
    return given_out, type(decoder.failure).__name__, decoder.half, len(decoder)


@given(STREAM, st.lists(st.integers(0, 120), max_size=12))
@example(b"\x0bMSH|aaaaaaaaaaaaa\x1c\r\x0bA\x1c\r", [17, 18, 19])
def test_what_is_given_does_not_depend_on_the_chunks(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    single_bytes = [stream[n : n + 1] for n in range(len(stream))]
    assert outcome(chunks) == outcome([stream]) == outcome(single_bytes)


@given(st.lists(st.binary(max_size=12).filter(lambda m: not {0x0B, 0x1C} & set(m))))
def test_framed_messages_come_out_as_they_went_in(messages: list[bytes]) -> None:
    assert outcome([frame(message) for message in messages])[0] == messages


@given(st.binary(max_size=200))
def test_any_bytes_hold_a_bounded_memory(stream: bytes) -> None:
    decoder = FrameDecoder(FrameLimits(message=12, garbage=8))
    for n in range(len(stream)):
        decoder.feed(stream[n : n + 1])
        assert len(decoder) <= 13
