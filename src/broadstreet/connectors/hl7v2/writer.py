"""Write messages: each value is escaped, each segment ends with a carriage return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broadstreet.connectors.hl7v2.characters import codec_of
from broadstreet.connectors.hl7v2.delimiters import STANDARD, Delimiters
from broadstreet.connectors.hl7v2.escapes import escaper
from broadstreet.connectors.hl7v2.paths import field_path
from broadstreet.connectors.hl7v2.segment import NULL

Values = Mapping[str, str | None]


class Raw(str):
    """Text that is already encoded with the message's delimiters and is written as it is."""

    __slots__ = ()


def segment(name: str, values: Values, delimiters: Delimiters = STANDARD) -> str:
    r"""Write a segment without its carriage return.

    Parameters
    ----------
    name : three characters; of ``MSH`` the first two fields are written by itself
    values : text by path (``"5.1"``, ``"3[2].4.1"``); None is left empty, ``""`` is written as explicit null
    delimiters : the signs of the message

    Returns
    -------
    The segment; empty parts at the end are left out.

    Raises
    ------
    ValueError
        If a path is not of that form, or needs a delimiter that is not in use.

    Examples
    --------
    >>> segment("PID", {"3.1": "42", "3[2].1": "K&7", "5.1": "DOE", "7": ""})
    'PID|||42~K\\T\\7||DOE||""'
    """
    leaves = sorted(
        (field_path(path), _encoded(text, delimiters)) for path, text in values.items() if text is not None
    )
    if name == "MSH":
        start = f"MSH{delimiters.field}{delimiters.encoding_characters}"
        return _joined(leaves, (delimiters.field, *_inner(delimiters)), start, first=2)
    return _joined(leaves, (delimiters.field, *_inner(delimiters)), name, first=0)


def build(
    header: Values,
    body: Iterable[tuple[str, Values]],
    *,
    delimiters: Delimiters = STANDARD,
    character_set: str = "UNICODE UTF-8",
) -> bytes:
    """Write a message.

    Parameters
    ----------
    header : fields of MSH from the third on; MSH-18 is written from `character_set`
    body : name and values of each segment that follows
    delimiters : the signs of the message
    character_set : a name of HL7 table 0211

    Returns
    -------
    The message without a frame.

    Raises
    ------
    ValueError
        If a path is wrong, or a character is not in the character set.
    """
    lines = [segment("MSH", {**header, "18": character_set}, delimiters)]
    lines += [segment(name, values, delimiters) for name, values in body]
    return encode(lines, character_set)


def encode(segments: Iterable[str], character_set: str) -> bytes:
    """Return the bytes of written segments.

    Raises
    ------
    ValueError
        If a character is not in the character set.
    """
    text = "".join(f"{line}\r" for line in segments)
    try:
        return text.encode(codec_of(character_set)[0])
    except UnicodeEncodeError as error:
        sign = text[error.start]
        raise ValueError(
            f"U+{ord(sign):04X} cannot be written in {character_set}; write UNICODE UTF-8 instead"
        ) from None


def _encoded(text: str, delimiters: Delimiters) -> str:
    if isinstance(text, Raw):
        return text
    if not text:
        return NULL
    if text == NULL:
        return f'"{delimiters.escape}X22{delimiters.escape}' if delimiters.escape else "?"
    return escaper(delimiters)(text)


def _inner(delimiters: Delimiters) -> tuple[str, str, str]:
    return delimiters.repetition, delimiters.component, delimiters.subcomponent


def _joined(
    leaves: list[tuple[tuple[int, int, int, int], str]], signs: tuple[str, ...], start: str, first: int
) -> str:
    """Put between two neighbours the signs by which their paths differ."""
    written = [start]
    before = (first, 0, 0, 0)
    for path, text in leaves:
        level = next((n for n in range(4) if path[n] != before[n]), None)
        if level is None or path < before:
            raise ValueError(f"field {path[0]} cannot be written here: a value already stands there")
        written += _signs_between(before, path, level, signs)
        written.append(text)
        before = path
    return "".join(written)


def _signs_between(
    before: tuple[int, ...], path: tuple[int, ...], level: int, signs: tuple[str, ...]
) -> Iterable[str]:
    steps = (path[level] - before[level], *path[level + 1 :])
    for sign, count in zip(signs[level:], steps, strict=True):
        if count and not sign:
            raise ValueError(f"field {path[0]} needs a delimiter that MSH-2 does not state")
        yield sign * count
