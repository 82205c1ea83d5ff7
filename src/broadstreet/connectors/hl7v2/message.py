"""A message, read lazily: a segment is found, and a field split, only when it is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache

from broadstreet.connectors.hl7v2.characters import decode
from broadstreet.connectors.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from broadstreet.connectors.hl7v2.escapes import unescaper
from broadstreet.connectors.hl7v2.paths import message_path
from broadstreet.connectors.hl7v2.problems import ErrorCode, Malformed
from broadstreet.connectors.hl7v2.segment import Grammar, Header, Segment, grammar
from broadstreet.connectors.hl7v2.timestamps import Timestamp

_STANDARD_START = b"MSH|^~\\&|"
_MARK = b"\xef\xbb\xbf"
_MSH_18 = 17  # its index among the parts of the segment, since MSH-1 is the separator itself
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what one message may hold.

    Parameters
    ----------
    size : bytes of the message
    segments : number of segments
    fields : number of fields in one segment
    """

    size: int = 4 * 2**20
    segments: int = 10_000
    fields: int = 1_000


DEFAULT_LIMITS = Limits()


class Message:
    """An HL7 v2 message, immutable."""

    __slots__ = ("_codec", "_first", "_grammar", "_header", "_raw", "_text", "_tolerated")

    def __init__(
        self, raw: bytes, text: str, codec: str, shared: Grammar, tolerated: tuple[str, ...]
    ) -> None:
        self._raw = raw
        self._text = text
        self._codec = codec
        self._header = Header(text[: text.index("\r")], 1, shared)
        self._grammar = shared
        self._tolerated = tolerated
        self._first: dict[str, Segment | None] = {"MSH": self._header}

    @classmethod
    def parse(cls, data: bytes, *, limits: Limits = DEFAULT_LIMITS, fallback: str = "latin-1") -> Message:
        r"""Read a message.

        Parameters
        ----------
        data : the message without its frame
        limits : what it may hold
        fallback : Python codec for a message that states no character set and is not UTF-8

        Returns
        -------
        The message. What departs from the standard but can be read is tolerated, and counted in
        `tolerated`.

        Raises
        ------
        Malformed
            If it cannot be read: no MSH, wrong delimiters or characters, over a limit, two messages in one.

        Examples
        --------
        >>> message = Message.parse(b"MSH|^~\\&|ADT|CLINIC|||20261120||ADT^A04|7|P|2.5.1\rPID|1||42||DOE\r")
        >>> message.kind, message.value("PID-5.1")
        (('ADT', 'A04'), 'DOE')
        """
        tolerated: tuple[str, ...] = ()
        if len(data) > limits.size:
            raise Malformed(
                "MSH",
                1,
                None,
                f"the message must be at most {limits.size} bytes long (is {len(data)})",
                code=ErrorCode.VALUE_TOO_LONG,
            )
        if data.startswith(_STANDARD_START):
            delimiters, bare = STANDARD, data
        else:
            delimiters, bare, tolerated = _find_start(data)
        if len(bare) > limits.segments:  # each takes a byte at least: most messages need no count
            _check_segments(bare, limits.segments)
        text, codec, departures = decode(bare, _stated_character_set(bare, delimiters), fallback)
        if "\n" in text or text[-1] != "\r" or _departure(delimiters.field)(text):
            text, mended = _mend(text, delimiters.field)
            departures += mended
        return cls(data, text, codec, grammar(delimiters, codec, limits.fields), tolerated + departures)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name, None if there is none."""
        try:
            return self._first[name]
        except KeyError:
            found = self._find(name, most=1)
            segment = self._first[name] = found[0] if found else None
            return segment

    def all(self, name: str) -> list[Segment]:
        """Return the segments of that name, in order."""
        return [self._header] if name == "MSH" else self._find(name)

    def _find(self, name: str, most: int = -1) -> list[Segment]:
        text, shared = self._text, self._grammar
        mark = "\r" + name + shared.separator
        found: list[Segment] = []
        position = text.find(mark)
        while position >= 0 and len(found) != most:
            end = text.find("\r", position + 1)
            found.append(Segment(text[position + 1 : end], len(found) + 1, shared))
            position = text.find(mark, end)
        return found

    @property
    def segments(self) -> list[Segment]:
        """Return all segments in order, MSH first."""
        counted: Counter[str] = Counter()
        result: list[Segment] = [self._header]
        for line in self._text.split("\r")[1:-1]:
            name = line[:3]
            counted[name] += 1
            result.append(Segment(line, counted[name], self._grammar))
        return result

    def value(self, path: str) -> str | None:
        """Return the text at a path such as ``PID-3[2].4.1`` in the first segment of that name.

        None if it is empty, ``""`` if it is explicitly null.
        """
        name, number, repetition, component, subcomponent = message_path(path)
        segment = self._first.get(name)
        if segment is None:
            segment = self.first(name)
        return segment.pick(number, repetition, component, subcomponent) if segment is not None else None

    @property
    def raw(self) -> bytes:
        """Return the message as it came."""
        return self._raw

    @property
    def text(self) -> str:
        """Return the message decoded; each segment ends with a carriage return."""
        return self._text

    @property
    def codec(self) -> str:
        """Return the Python codec that the message was decoded with."""
        return self._codec

    @property
    def header(self) -> Segment:
        """Return the MSH segment."""
        return self._header

    @property
    def delimiters(self) -> Delimiters:
        """Return the signs that separate its parts."""
        return self._grammar.delimiters

    @property
    def kind(self) -> tuple[str, str]:
        """Return message type and trigger event (MSH-9), such as ``("ADT", "A04")``; empty if not stated."""
        return self._header.value("9.1") or "", self._header.value("9.2") or ""

    @property
    def control_id(self) -> str:
        """Return MSH-10, empty if not stated."""
        return self._header.value("10") or ""

    @property
    def version(self) -> str:
        """Return MSH-12, empty if not stated."""
        return self._header.value("12") or ""

    @property
    def sender(self) -> tuple[str, str]:
        """Return sending application and facility (MSH-3, MSH-4) as text, with the components they hold."""
        return self._header.text(3) or "", self._header.text(4) or ""

    def time(self, zone: tzinfo) -> Timestamp | None:
        """Return when it was made (MSH-7), None if not stated.

        Raises
        ------
        Malformed
            If MSH-7 is not an HL7 time.
        """
        return self._header.time("7", zone)

    @property
    def tolerated(self) -> Counter[str]:
        """Return what departs from the standard and was tolerated, with how often."""
        return Counter(self._tolerated)


def _find_start(data: bytes) -> tuple[Delimiters, bytes, tuple[str, ...]]:
    tolerated: tuple[str, ...] = ()
    bare = data.removeprefix(_MARK)
    if bare is not data and len(bare) != len(data):
        tolerated += ("byte order mark",)
    start = bare.lstrip()
    if len(start) != len(bare):
        tolerated += ("blanks before MSH",)
    if not start.startswith(b"MSH"):
        raise Malformed("MSH", 1, None, f"a message must start with MSH (starts with {start[:8]!r})")
    delimiters, doubled = read_delimiters(start)
    return delimiters, start, (*tolerated, "escape sign doubled in MSH-2") if doubled else tolerated


def _stated_character_set(data: bytes, delimiters: Delimiters) -> str:
    end = data.find(b"\r")
    header = data if end < 0 else data[:end]
    end = header.find(b"\n")
    parts = (header if end < 0 else header[:end]).split(data[3:4], _MSH_18 + 1)
    stated = parts[_MSH_18].decode("latin-1").strip() if len(parts) > _MSH_18 else ""
    if delimiters is STANDARD or not stated:
        return stated
    unescape = unescaper(delimiters, "ascii") if delimiters.escape else str
    return "~".join(unescape(name) for name in stated.split(delimiters.repetition or "\r"))


def _check_segments(data: bytes, most: int) -> None:
    segments = data.count(b"\r") + data.count(b"\n") - data.count(b"\r\n")
    if segments > most:
        raise Malformed("MSH", 1, None, f"the message must have at most {most} segments (has {segments})")


@lru_cache(maxsize=64)
def _departure(separator: str) -> Callable[[str], re.Match[str] | None]:
    """Return the search for a line that starts no segment, or starts another message."""
    return re.compile(rf"\r(?!(?!MSH)[A-Z][A-Z0-9]{{2}}{re.escape(separator)}|\Z)").search


def _mend(text: str, separator: str) -> tuple[str, tuple[str, ...]]:
    """Give each segment its carriage return; a line that starts no segment continues the one before."""
    tolerated: list[str] = []
    both = text.count("\r\n")
    tolerated += ["CR LF between segments"] * (both > 0)
    if text.count("\n") > both:
        tolerated.append("LF between segments")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    elif both:
        text = text.replace("\r\n", "\r")
    if not text.endswith("\r"):
        tolerated.append("last segment without CR")
    lines = text.split("\r")
    while not lines[-1].strip():
        lines.pop()
    segments: list[str] = []
    for line in lines:
        if _NAME.match(line) and (len(line) == 3 or line[3] == separator):
            segments.append(line if len(line) > 3 else line + separator)
        elif line.strip():
            segments[-1] += "\n" + line
            tolerated.append("line break inside a field")
        else:
            tolerated.append("blank line")
    if any(segment.startswith("MSH") for segment in segments[1:]):
        raise Malformed("MSH", 2, None, "a message must hold one MSH segment; send one message a frame")
    return "\r".join(segments) + "\r", tuple(tolerated)
