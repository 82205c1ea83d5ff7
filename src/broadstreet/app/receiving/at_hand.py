"""The message that the process which receives has at hand, in memory that it shares with the hub.

What stands there outlives the process: so the hub can tell at which message it ended. It holds one message,
for as long as that is read, which nothing else interrupts.
"""

from __future__ import annotations

import logging
import mmap
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from struct import Struct

_HEAD = Struct("<QII")
"""How many messages were at hand, and the lengths of the sender and of the message that is: 0 if none is."""
_LONGEST_SENDER = 112
_SENDER = _HEAD.size
_RAW = _SENDER + _LONGEST_SENDER

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Suspect:
    """A message at which the process ended, and who sent it: `ADDRESS:PORT`."""

    sender: str
    raw: bytes

    @property
    def address(self) -> str:
        """Where it came from."""
        return self.sender.rpartition(":")[0] or self.sender

    @cached_property
    def digest(self) -> bytes:
        """Its SHA-256."""
        return sha256(self.raw).digest()

    def __str__(self) -> str:
        return f"a message of {self.sender}, {len(self.raw):,} bytes, sha256 {self.digest.hex()[:16]}..."


class AtHand:
    """The memory, as either process sees it.

    Parameters
    ----------
    descriptor
        Of the memory, open; -1 where there is none: then nothing is kept.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        size = os.fstat(descriptor).st_size if descriptor >= 0 else _RAW
        self._memory = mmap.mmap(descriptor, size)
        self._room, self._begun = size - _RAW, 0

    @classmethod
    def made(cls, longest: int) -> AtHand:
        """Return memory for messages of so many bytes at most; it takes room only as it is used."""
        try:
            descriptor = _memory_of(_RAW + longest)
        except OSError as error:  # such as a limit of the size of files
            _log.warning("messages that end the process cannot be named: %s", error.strerror)
            descriptor = -1
        return cls(descriptor)

    @property
    def begun(self) -> int:
        """How many messages were at hand."""
        return int(_HEAD.unpack_from(self._memory)[0])

    def begin(self, raw: bytes, sender: object) -> None:
        """Take note of a message, before anything is done with it."""
        told = str(sender).encode("ascii", "replace")[:_LONGEST_SENDER]
        self._begun += 1
        length = len(raw)
        if length > self._room:
            return
        self._memory[_SENDER : _SENDER + len(told)] = told
        self._memory[_RAW : _RAW + length] = raw
        _HEAD.pack_into(self._memory, 0, self._begun, len(told), length)

    def end(self) -> None:
        """Take note that nothing more is done with it."""
        _HEAD.pack_into(self._memory, 0, self._begun, 0, 0)

    def suspect(self) -> Suspect | None:
        """Return the message that is at hand; None if none is."""
        _, sender, length = _HEAD.unpack_from(self._memory)
        if not sender:
            return None
        told = self._memory[_SENDER : _SENDER + sender].decode("ascii")
        return Suspect(told, self._memory[_RAW : _RAW + length])

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)


def _memory_of(size: int) -> int:
    """Return a descriptor of so many bytes of memory, or of a file without a name where there is no such."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("at-hand")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
