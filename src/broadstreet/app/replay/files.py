"""HL7 v2 messages in files: one or many a file, framed or not, a folder in the order of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from broadstreet.app.replay.parcel import MOST_MESSAGES, NothingToSend, Parcel
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import Malformed

SUFFIXES = (".hl7", ".txt")
MOST_BYTES = 1 * 2**30
"""Of one file."""

_FRAME = bytes.maketrans(b"\x0b\x1c", b"\r\r")
_BEGIN = re.compile(rb"(?:\A|(?<=[\r\n]))(?=MSH)")
# HL7 v2.5.1 section 2.10.3, batch protocol: what stands around the messages of a batch.
_ENVELOPE = re.compile(rb"(?:\A|(?<=[\r\n]))(?:FHS|BHS|BTS|FTS)[^\r\n]*[\r\n]*")


def parcels(path: Path, zone: ZoneInfo) -> list[Parcel]:
    """Return the messages of a file, or of all files below a folder.

    Parameters
    ----------
    path
        A file, or a folder whose `.hl7` and `.txt` files are read in the order of their names.
    zone
        The city's: it decides the day of a message, and of times without an offset.

    Raises
    ------
    NothingToSend
        If there is no message.
    """
    found = [parcel for file in _files(path) for parcel in _of_file(file, zone)]
    if not found:
        raise NothingToSend(
            f"expected HL7 v2 messages (each begins with MSH) in .hl7 or .txt files at {path}, found none"
        )
    if len(found) > MOST_MESSAGES:
        raise NothingToSend(f"expected at most {MOST_MESSAGES:,} messages at {path}, found more")
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())


def _of_file(path: Path, zone: ZoneInfo) -> Iterator[Parcel]:
    if path.stat().st_size > MOST_BYTES:
        raise NothingToSend(f"expected a file of at most {MOST_BYTES:,} bytes, {path} is larger")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").translate(_FRAME)
    for number, message in enumerate(_messages(data), start=1):
        yield Parcel(message, _day(message, zone), f"{path.name} ({number})")


def _messages(data: bytes) -> Iterator[bytes]:
    for part in _BEGIN.split(_ENVELOPE.sub(b"", data)):
        if part.startswith(b"MSH"):
            yield part.rstrip(b"\r\n") + b"\r"


def _day(message: bytes, zone: ZoneInfo) -> date | None:
    """Return the city's day on which a message was made; None if it does not say."""
    try:
        made = Message.parse(message).time(zone)
        return None if made is None else made.start.astimezone(zone).date()
    except (Malformed, OverflowError):
        return None
