"""A raw message made readable, with the faulty fields marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import Malformed
from broadstreet.model.records import Fault

BAD = "bold reverse red"
WHY = "red"


def marked(raw: bytes, faults: Sequence[Fault], *, read: bool = True) -> list[Text]:
    """Return one line a segment, and below it why it was refused.

    Parameters
    ----------
    raw
        The message as it came; what cannot be decoded is shown as far as it can.
    faults
        What is wrong, and where. A field that is at fault stands between » and «.
    read
        Whether the message is parsed; one at which a process ended is shown as it is.
    """
    text, separator = _decoded(raw) if read else _plain(raw)
    counted: Counter[str] = Counter()
    lines: list[Text] = []
    told: set[int] = set()
    for segment in filter(None, text.replace("\n", "\r").split("\r")):
        counted[segment[:3]] += 1
        mine = [
            n
            for n, f in enumerate(faults)
            if (f.segment, f.sequence or 1) == (segment[:3], counted[segment[:3]])
        ]
        told.update(mine)
        lines.append(_segment(segment, separator, {faults[n].field for n in mine}))
        lines += [_why(faults[n]) for n in mine]
    return lines + [_why(fault) for n, fault in enumerate(faults) if n not in told]


def _decoded(raw: bytes) -> tuple[str, str]:
    try:
        message = Message.parse(raw)
    except Malformed:
        return _plain(raw)
    return message.text, message.delimiters.field


def _plain(raw: bytes) -> tuple[str, str]:
    return raw.decode("utf-8", "backslashreplace"), chr(raw[3]) if raw[:3] == b"MSH" and raw[3:] else "|"


def _segment(segment: str, separator: str, bad: set[int | None]) -> Text:
    parts = segment.split(separator)
    shift = 1 if parts[0] == "MSH" else 0  # MSH-1 is the separator itself
    line = Text()
    for number, part in enumerate(parts):
        if number:
            line.append(separator)
        if number and number + shift in bad:
            line.append(f"»{visible(part)}«", BAD)
        else:
            line.append(visible(part))
    missing = [n for n in bad if n is not None and n - shift >= len(parts)]
    for field in sorted(missing):
        line.append(f" »{parts[0]}-{field} is missing«", BAD)
    return line


def visible(part: str) -> str:
    """Return a sender's text so that a terminal shows it and does not obey it."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in part)


def _why(fault: Fault) -> Text:
    place = fault.segment or fault.path or "message"
    if fault.sequence and fault.sequence > 1:
        place += f"[{fault.sequence}]"
    if fault.field is not None:
        place += f"-{fault.field}" + (f".{fault.component}" if fault.component else "")
    return Text(f"    {place}: {fault.reason}", WHY)
