"""Acknowledgements: written for any message, also one whose header is only partly readable; and read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from broadstreet.connectors.hl7v2.delimiters import STANDARD, Delimiters, read_delimiters
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import ErrorCode, Location, Malformed, Problem
from broadstreet.connectors.hl7v2.segment import Segment
from broadstreet.connectors.hl7v2.writer import Raw, segment

_MOST_PROBLEMS = 100
_LONGEST_TEXT = 1_000  # characters of ERR-7 and ERR-8
_LONGEST_MSA_3 = 80  # HL7 v2.3.1 chapter 2, section 2.24.2
_LONGEST_MIRRORED = 250  # more than any field of MSH may hold; a longer one is cut
_LONGEST_HEADER = 4_096
_OUR_VERSION = "2.5.1"  # where the sender's cannot be read
_ERROR_CODES = {code.value: code for code in ErrorCode}
_MIRRORED = (3, 4, 5, 6, 11, 12, 18)
_CONTROL_ID = 10
_BLANK = "\x00"  # no field holds it: what is mirrored has no control characters
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Code(StrEnum):
    """Name the answer in MSA-1.

    Source: HL7 table 0008.
    """

    ACCEPT = "AA"
    ERROR = "AE"
    REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"


def acknowledge(
    received: Message | bytes,
    code: Code,
    *,
    now: datetime,
    control_id: str,
    problems: Sequence[Problem] = (),
) -> bytes:
    r"""Write the acknowledgement of a message.

    The header mirrors that of the message: receiver and sender change places; version, processing id,
    character set and delimiters stay. From version 2.5 on there is an ERR segment for each problem; before,
    ERR-1 lists them and MSA-3 holds the first one's text.

    Parameters
    ----------
    received : the message; bytes where it could not be parsed
    code : the answer
    now : the acknowledgement's time, aware
    control_id : the acknowledgement's own id (MSH-10)
    problems : what is wrong, at most 100 are written

    Returns
    -------
    The acknowledgement without a frame.

    Raises
    ------
    ValueError
        If `now` is not aware.

    Examples
    --------
    >>> from datetime import UTC
    >>> received = b"MSH|^~\\&|EHR|CLINIC|HUB|CITY|||ADT^A04|42|P|2.5.1\r"
    >>> answer = acknowledge(received, Code.ACCEPT, now=datetime(2026, 11, 20, tzinfo=UTC), control_id="1")
    >>> print(answer.decode().replace("\r", "\n").strip())
    MSH|^~\&|HUB|CITY|EHR|CLINIC|20261120000000+0000||ACK^A04^ACK|1|P|2.5.1
    MSA|AA|42
    """
    if now.tzinfo is None:
        raise ValueError(f"the time of an acknowledgement must be aware (is {now.isoformat()})")
    header = _mirror(received)
    stamp = now.strftime("%Y%m%d%H%M%S%z")[:19]
    if problems or not header.answered or header.delimiters is not STANDARD:
        return _written(header, code, stamp, control_id, problems)
    before, between, after, end = _form(header, code)
    answer = f"{before}{stamp}{between}{control_id}{after}{header.answered}{end}"
    return answer.encode(header.codec, "replace")


def acknowledge_unread(
    raw: bytes, code: Code, *, now: datetime, control_id: str, problems: Sequence[Problem] = ()
) -> bytes:
    """Write the acknowledgement of a message that is not to be parsed, its header included.

    The header mirrors what splitting the first line gives, as ASCII. Parameters as of `acknowledge`.
    """
    stamp = now.strftime("%Y%m%d%H%M%S%z")[:19]
    return _written(_mirror_unreadable(_first_line(raw)), code, stamp, control_id, problems)


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """Hold the fields of a header that its acknowledgement repeats, ready to be written again.

    `answered`, the control id, is the one that differs from message to message; empty where the message
    could not be read.
    """

    fields: tuple[tuple[int, str], ...]
    event: str
    version: str
    delimiters: Delimiters
    codec: str
    answered: str = field(default="", compare=False)


@lru_cache(maxsize=1_024)
def _form(header: _Mirrored, code: Code) -> tuple[str, ...]:
    """Return what stands around time, control id and answered control id: alike for a sender's messages."""
    blank = Raw(_BLANK)
    form = replace(header, fields=(*header.fields, (_CONTROL_ID, blank)))
    return tuple(_written(form, code, blank, blank, ()).decode(header.codec).split(_BLANK))


def _written(
    header: _Mirrored, code: Code, stamp: str, control_id: str, problems: Sequence[Problem]
) -> bytes:
    modern = _at_least(header.version, (2, 5))
    lines = [
        segment("MSH", _header_values(header, stamp, control_id), header.delimiters),
        segment("MSA", _message_values(header, code, problems, modern), header.delimiters),
        *_error_segments(header.delimiters, problems[:_MOST_PROBLEMS], modern),
    ]
    return "".join(f"{line}\r" for line in lines).encode(header.codec, "replace")


def _mirror(received: Message | bytes) -> _Mirrored:
    if isinstance(received, bytes):
        line = _first_line(received)
        try:
            received = Message.parse(line)
        except Malformed:
            return _mirror_unreadable(line)
    parts = received.header.encoded
    end = len(parts)
    fields = tuple([(n, Raw(_bounded(parts[n]))) for n in _MIRRORED if n < end and parts[n]])
    answered = _bounded(parts[_CONTROL_ID]) if end > _CONTROL_ID else ""
    return _Mirrored(
        fields, received.kind[1], received.version, received.delimiters, received.codec, answered
    )


def _first_line(data: bytes) -> bytes:
    start = max(data[:_LONGEST_HEADER].find(b"MSH"), 0)
    return re.split(rb"[\r\n]", data[start : start + _LONGEST_HEADER], maxsplit=1)[0] + b"\r"


def _mirror_unreadable(line: bytes) -> _Mirrored:
    """Take what can be had from a header whose delimiters or characters cannot be read, as plain text."""
    if not line.startswith(b"MSH"):
        return _Mirrored((), "", "", STANDARD, "ascii")
    try:
        signs = read_delimiters(line)[0]
    except Malformed:
        signs = STANDARD
    parts = line.decode("ascii", "replace").rstrip("\r").split(chr(line[3]) if line[3] < 0x80 else "|")
    fields = {
        number: _bounded(parts[number - 1].replace("\ufffd", "?"))
        for number in (3, 4, 5, 6, 10, 11, 12)
        if number <= len(parts)
    }
    event = parts[8].split(signs.component)[1:2] if len(parts) > 8 else []
    return _Mirrored(tuple(fields.items()), "".join(event), fields.get(12, ""), STANDARD, "ascii")


def _bounded(text: str) -> str:
    return _CONTROLS.sub(" ", text[:_LONGEST_MIRRORED])


def _at_least(version: str, wanted: tuple[int, int]) -> bool:
    match = re.match(r"(\d{1,3})\.(\d{1,3})", version or _OUR_VERSION)
    return match is None or (int(match[1]), int(match[2])) >= wanted


def _header_values(header: _Mirrored, stamp: str, control_id: str) -> dict[str, str | None]:
    mirrored = dict(header.fields)
    event = _bounded(header.event)
    structured = bool(event) and _at_least(header.version, (2, 4))
    return {
        "3": mirrored.get(5) or None,
        "4": mirrored.get(6) or None,
        "5": mirrored.get(3) or None,
        "6": mirrored.get(4) or None,
        "7": stamp,
        "9.1": "ACK",
        "9.2": event if structured else None,
        "9.3": "ACK" if structured else None,
        "10": control_id,
        "11": mirrored.get(11) or "P",
        "12": mirrored.get(12) or _OUR_VERSION,
        "18": mirrored.get(18) or None,
    }


def _message_values(
    header: _Mirrored, code: Code, problems: Sequence[Problem], modern: bool
) -> dict[str, str | None]:
    text = problems[0].text[:_LONGEST_MSA_3] if problems and not modern else None
    return {
        "1": code.value,
        "2": dict(header.fields).get(_CONTROL_ID) or header.answered or None,
        "3": text or None,
    }


def _error_segments(delimiters: Delimiters, problems: Sequence[Problem], modern: bool) -> list[str]:
    if modern:
        return [segment("ERR", _error_values(problem), delimiters) for problem in problems]
    if not problems:
        return []
    values: dict[str, str | None] = {}
    for number, problem in enumerate(problems[: None if delimiters.repetition else 1], start=1):
        values |= _old_error_values(problem, f"1[{number}]", bool(delimiters.subcomponent))
    return [segment("ERR", values, delimiters)]


def _error_values(problem: Problem) -> dict[str, str | None]:
    place = problem.location
    numbers = (
        (place.sequence, place.field, place.repetition, place.component, place.subcomponent) if place else ()
    )
    return {
        "2.1": place.segment if place else None,
        **{f"2.{n}": str(number) for n, number in enumerate(numbers, start=2) if number is not None},
        "3.1": problem.code.value,
        "3.2": problem.code.display,
        "3.3": "HL70357",
        "4": problem.severity,
        "7": problem.diagnostic[:_LONGEST_TEXT] or None,
        "8": problem.text[:_LONGEST_TEXT] or None,
    }


def _old_error_values(problem: Problem, path: str, full: bool) -> dict[str, str | None]:
    place = problem.location
    return {
        f"{path}.1": place.segment if place else None,
        f"{path}.2": str(place.sequence) if place else None,
        f"{path}.3": str(place.field) if place and place.field is not None else None,
        f"{path}.4.1": problem.code.value,
        f"{path}.4.2": problem.code.display if full else None,
        f"{path}.4.3": "HL70357" if full else None,
    }


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Hold what a receiver answered.

    Parameters
    ----------
    code : the answer
    control_id : control id of the message that is answered (MSA-2), empty if not stated
    problems : what the receiver found wrong
    raw : the answer as it came
    """

    code: Code
    control_id: str
    problems: tuple[Problem, ...]
    raw: bytes

    @property
    def accepted(self) -> bool:
        """Say whether the message need not be sent again."""
        return self.code in {Code.ACCEPT, Code.COMMIT_ACCEPT}

    @classmethod
    def parse(cls, data: bytes) -> Acknowledgement:
        """Read an acknowledgement.

        Raises
        ------
        Malformed
            If it is no message, or MSA is missing or holds no known code.
        """
        message = Message.parse(data)
        answer = message.first("MSA")
        if answer is None:
            raise Malformed("MSA", 1, None, "an acknowledgement must hold an MSA segment")
        stated = answer.value("1") or ""
        if stated not in set(Code):
            raise answer.malformed(1, f"MSA-1 must be one of {', '.join(Code)} (is {stated[:20]!r})")
        problems = [problem for error in message.all("ERR") for problem in _read_problems(error)]
        text = answer.value("3")
        if not problems and text:
            problems = [Problem(text)]
        return cls(Code(stated), answer.value("2") or "", tuple(problems), data)


def _read_problems(error: Segment) -> list[Problem]:
    if error.value("3.1"):
        place = _location([error.value(f"2.{n}") for n in range(1, 7)])
        text = error.value("8") or error.value("7") or error.value("3.2") or ""
        code = _ERROR_CODES.get(error.value("3.1") or "", ErrorCode.OTHER_HL7_ERROR)
        return [Problem(text, code, place, error.value("4") or "E", error.value("7") or "")]
    return [
        Problem(
            repetition.value("4.2") or "",
            _ERROR_CODES.get(repetition.value("4") or "", ErrorCode.OTHER_HL7_ERROR),
            _location([repetition.value(str(n)) for n in (1, 2, 3)]),
        )
        for repetition in error.repetitions(1)
    ]


def _location(parts: list[str | None]) -> Location | None:
    name, *numbers = parts
    if not name:
        return None
    sequence, *rest = [int(n) if n and n.isdecimal() and len(n) < 10 else None for n in numbers]
    return Location(name, sequence or 1, *rest)
