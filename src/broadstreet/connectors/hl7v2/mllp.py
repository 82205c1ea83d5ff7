"""The frame of the minimal lower layer protocol: VT, the message, FS, CR.

Source: HL7 v2 implementation guide, appendix C ("Lower layer protocols"); Minimal Lower Layer Protocol,
release 1 (HL7 transport specification).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

VT = b"\x0b"
FS = b"\x1c"
CR = b"\r"
END = FS + CR

_TOLERATED_AFTER_FS = (b"\n", VT)  # shows that FS ended a frame and is not part of a text
_BETWEEN_FRAMES = (b"\r", b"\n", b" ", b"\t")
_BEGUN_ANEW = VT + b"MSH"
_START = 4_096  # bytes of a refused message that are kept for its answer


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """Bound what a sender can make the decoder hold.

    Parameters
    ----------
    message : bytes of one message
    garbage : bytes outside frames on one connection
    """

    message: int = 4 * 2**20
    garbage: int = 4_096


class FrameError(ValueError):
    """Report a stream that cannot be read on."""


class MessageTooLong(FrameError):
    """Report a message over the limit; `start` holds its first bytes."""

    def __init__(self, limit: int, start: bytes) -> None:
        super().__init__(f"a message must be at most {limit} bytes long")
        self.start = start


class NotFramed(FrameError):
    """Report too many bytes outside frames, such as those of another protocol."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there must be at most {limit} bytes outside frames (VT, message, FS, CR)")


def frame(message: bytes) -> bytes:
    """Put a message into a frame.

    Raises
    ------
    ValueError
        If the message holds a byte that ends or begins a frame.
    """
    if FS in message or VT in message:
        raise ValueError("a message must not hold the bytes VT (0x0B) and FS (0x1C) of its frame")
    return VT + message + END


class FrameDecoder:
    r"""Take bytes as they come and give whole messages; what is given does not depend on the chunks.

    Tolerated, and counted in `tolerated`: bytes between frames; FS that is followed by VT or LF, or by
    nothing (see `finish`), as the end of a frame; FS inside a message; a frame begun anew inside another
    (the half message before it is dropped: it was never answered, so its sender sends it again).

    After `failure` is set no more is read.

    Examples
    --------
    >>> decoder = FrameDecoder()
    >>> decoder.feed(b"\x0bMSH|on"), decoder.feed(b"e\x1c\r\x0bMSH|two\x1c\r")
    ([], [b'MSH|one', b'MSH|two'])
    """

    def __init__(self, limits: FrameLimits | None = None) -> None:
        self._limits = limits or FrameLimits()
        self._buffer = bytearray()
        self._inside = False
        self._searched = 0
        self._garbage = 0
        self.failure: FrameError | None = None
        self.tolerated: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return the number of bytes that are held."""
        return len(self._buffer)

    @property
    def half(self) -> bool:
        """Say whether a frame has begun and not ended."""
        return self._inside

    @property
    def lacks_only_cr(self) -> bool:
        """Say whether the frame ends with FS so far, so that `finish` would give its message."""
        return self._inside and self._buffer.endswith(FS)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that these bytes complete."""
        if self.failure is not None:
            return []
        self._buffer += data
        messages: list[bytes] = []
        while self._begin() and (end := self._find_end()) is not None:
            messages += self._take(end)
        return messages

    def finish(self) -> list[bytes]:
        """Return the message whose FS has come but whose CR has not, once no more bytes are awaited."""
        if not self.lacks_only_cr:
            return []
        self.tolerated["frame ended by FS alone"] += 1
        return self._take(len(self._buffer) - 1)

    def _begin(self) -> bool:
        """Drop what stands before the frame; say whether there is one."""
        if self._inside:
            return True
        if self._buffer.startswith(VT):
            del self._buffer[0]
            self._inside = True
            return True
        start = self._buffer.find(VT)
        outside = self._buffer[: start if start >= 0 else len(self._buffer)]
        garbage = len(outside) - sum(outside.count(blank) for blank in _BETWEEN_FRAMES)
        del self._buffer[: len(outside) + 1]
        if garbage:
            self._garbage += garbage
            self.tolerated["bytes outside frames"] += garbage
            if self._garbage > self._limits.garbage:
                self._fail(NotFramed(self._limits.garbage))
                return False
        self._inside = start >= 0
        return self._inside

    def _find_end(self) -> int | None:
        """Return where the FS stands that ends the frame, None if it has not come."""
        while (position := self._buffer.find(FS, self._searched)) >= 0:
            after = self._buffer[position + 1 : position + 2]
            self._searched = position + bool(after)
            if not after or position > self._limits.message:
                break
            if after == CR:
                return position
            if after in _TOLERATED_AFTER_FS:
                self.tolerated["frame ended by FS alone"] += 1
                return position
            self.tolerated["FS inside a message"] += 1
        else:
            self._searched = len(self._buffer)
        if len(self._buffer) > self._limits.message + 1:
            self._fail(MessageTooLong(self._limits.message, bytes(self._buffer[:_START])))
        return None

    def _take(self, end: int) -> list[bytes]:
        message = bytes(memoryview(self._buffer)[:end])
        del self._buffer[: end + (2 if self._buffer[end + 1 : end + 2] == CR else 1)]
        self._inside = False
        self._searched = 0
        if len(message) > self._limits.message:
            self._fail(MessageTooLong(self._limits.message, message[:_START]))
            return []
        anew = message.rfind(_BEGUN_ANEW)
        if anew >= 0:
            self.tolerated["half message dropped"] += 1
        return [message[anew + 1 :]]

    def _fail(self, failure: FrameError) -> None:
        self.failure = failure
        self._inside = False
        self._buffer.clear()
