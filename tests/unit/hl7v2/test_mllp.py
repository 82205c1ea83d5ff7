from __future__ import annotations

import pytest

from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits, MessageTooLong, NotFramed, frame


def test_a_message_is_framed_and_unframed() -> None:
    assert frame(b"MSH|x\r") == b"\x0bMSH|x\r\x1c\r"
    assert FrameDecoder().feed(frame(b"one") + frame(b"") + frame(b"two")) == [b"one", b"", b"two"]
    with pytest.raises(ValueError, match="must not hold the bytes VT"):
        frame(b"a\x1cb")


def test_half_a_frame_waits_for_the_rest() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\x0bMSH|on") == []
    assert decoder.half
    assert decoder.feed(b"e\x1c") == []
    assert decoder.lacks_only_cr
    assert decoder.feed(b"\r") == [b"MSH|one"]
    assert not decoder.half
    assert len(decoder) == 0


@pytest.mark.parametrize(
    ("data", "messages", "tolerated"),
    [
        (b"\r\n \x0bA\x1c\r\r\n\x0bB\x1c\r", [b"A", b"B"], {}),
        (b"xyz\x0bA\x1c\rq\x0bB\x1c\r", [b"A", b"B"], {"bytes outside frames": 4}),
        (b"\x0bA\x1c\n\x0bB\x1c\x0bC\x1c\r", [b"A", b"B", b"C"], {"frame ended by FS alone": 2}),
        (b"\x0bA\x1cB\x1c\x1c\r", [b"A\x1cB\x1c"], {"FS inside a message": 2}),
        (b"\x0bMSH|half\x0bMSH|new\x1c\r", [b"MSH|new"], {"half message dropped": 1}),
        (b"\x0bMSH|a\x0bb\x1c\r", [b"MSH|a\x0bb"], {}),
        (b"\x0b\x0bMSH|a\x1c\r", [b"MSH|a"], {"half message dropped": 1}),
    ],
)
def test_departures_between_and_in_frames_are_counted(
    data: bytes, messages: list[bytes], tolerated: dict[str, int]
) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(data) == messages
    assert decoder.tolerated == tolerated
    assert decoder.failure is None


def test_a_frame_without_its_cr_is_given_when_no_more_is_awaited() -> None:
    decoder = FrameDecoder()
    assert decoder.finish() == []
    assert decoder.feed(b"\x0bA") == decoder.finish() == []
    decoder.feed(b"\x1c")
    assert decoder.finish() == [b"A"]
    assert decoder.feed(b"\r" + frame(b"B")) == [b"B"]
    assert decoder.tolerated == {"frame ended by FS alone": 1}


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_a_message_over_the_limit_ends_the_reading(chunk: int) -> None:
    data = frame(b"ok") + frame(b"M" * 10) + frame(b"M" * 11) + frame(b"later")
    decoder = FrameDecoder(FrameLimits(message=10))
    given = [m for n in range(0, len(data), chunk) for m in decoder.feed(data[n : n + chunk])]
    assert given == [b"ok", b"M" * 10]
    assert isinstance(decoder.failure, MessageTooLong)
    assert decoder.failure.start.startswith(b"M" * 10)
    assert len(decoder) == 0


def test_an_endless_message_is_not_held() -> None:
    decoder = FrameDecoder(FrameLimits(message=1_000))
    decoder.feed(b"\x0b")
    most = 0
    for _ in range(1_000):
        decoder.feed(b"x" * 100)
        most = max(most, len(decoder))
    assert most <= 1_101
    assert isinstance(decoder.failure, MessageTooLong)


def test_another_protocol_is_recognized_by_its_bytes_outside_frames() -> None:
    decoder = FrameDecoder(FrameLimits(garbage=100))
    assert decoder.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == []
    assert decoder.failure is None
    decoder.feed(b"y" * 100 + frame(b"never"))
    assert isinstance(decoder.failure, NotFramed)
