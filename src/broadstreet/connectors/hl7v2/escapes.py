r"""Escape sequences: how delimiters, line breaks and other characters stand inside a value.

Source: HL7 v2.8 chapter 2, section 2.7 (use of escape sequences in text fields).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from broadstreet.connectors.hl7v2.delimiters import Delimiters

# \Cxxyy\ and \Mxxyyzz\ name the final bytes of an ISO 2022 escape: what follows is in that character set.
# Source: HL7 v2.8 section 2.7.2; ISO-IR registration numbers beside each.
_SINGLE_BYTE_SETS = {
    "2842": "ascii",  # ISO-IR 6
    "284A": "shift_jis",  # ISO-IR 14, JIS X 0201 Romaji
    "2949": "shift_jis",  # ISO-IR 13, JIS X 0201 katakana
    "2D41": "iso8859_1",  # ISO-IR 100
    "2D42": "iso8859_2",  # ISO-IR 101
    "2D43": "iso8859_3",  # ISO-IR 109
    "2D44": "iso8859_4",  # ISO-IR 110
    "2D4C": "iso8859_5",  # ISO-IR 144
    "2D47": "iso8859_6",  # ISO-IR 127
    "2D46": "iso8859_7",  # ISO-IR 126
    "2D48": "iso8859_8",  # ISO-IR 138
    "2D4D": "iso8859_9",  # ISO-IR 148
}
_MULTI_BYTE_SETS = {
    "2442": b"\x1b$B",  # ISO-IR 87, JIS X 0208
    "242844": b"\x1b$(D",  # ISO-IR 159, JIS X 0212
}
_LINE_BREAKS = frozenset({".br", ".sp", ".ce"})
_MOST_BLANKS = 100  # of one \.sk or \.sp: a count is the sender's, memory is ours


@lru_cache(maxsize=256)
def unescaper(delimiters: Delimiters, codec: str) -> Callable[[str], str]:
    """Return the function that replaces escape sequences by what they stand for.

    Highlighting is dropped, formatting becomes line breaks and spaces. A sequence that is local
    (``\\Z..\\``), unknown or unfinished stays as it came: nothing is lost.
    """
    sign = re.escape(delimiters.escape)
    sequence = re.compile(
        rf"{sign}(?:([FSTREPHN])|X((?:[0-9A-Fa-f]{{2}})+)|(\.[a-z]{{2}})[+-]?(\d{{0,4}})"
        rf"|C([0-9A-Fa-f]{{4}})|M([0-9A-Fa-f]{{4}}|[0-9A-Fa-f]{{6}})){sign}"
    )
    plain = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation,
        "H": "",
        "N": "",
    }

    def replace(match: re.Match[str]) -> str:
        letter, hexadecimal, command, count, _, _ = match.groups()
        if letter:
            return plain[letter]
        if hexadecimal:
            return _decoded(bytes.fromhex(hexadecimal), codec, match.group())
        return _formatted(command, min(int(count or 1), _MOST_BLANKS)) if command else match.group()

    def unescape(text: str) -> str:
        if f"{delimiters.escape}C" not in text and f"{delimiters.escape}M" not in text:
            return sequence.sub(replace, text)
        return _unescape_switching(text, sequence, replace, codec)

    return unescape


def _decoded(raw: bytes, codec: str, otherwise: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return otherwise


def _formatted(command: str, count: int) -> str:
    if command in _LINE_BREAKS:
        return "\n" * (count if command == ".sp" else 1)
    return " " * count if command == ".sk" else ""


def _unescape_switching(
    text: str, sequence: re.Pattern[str], replace: Callable[[re.Match[str]], str], codec: str
) -> str:
    result: list[str] = []
    position = 0
    current = ""
    for match in sequence.finditer(text):
        result.append(_in_character_set(text[position : match.start()], current, codec))
        switch = match.group(5) or match.group(6)
        if switch:
            current = switch.upper()
        else:
            result.append(replace(match))
        position = match.end()
    result.append(_in_character_set(text[position:], current, codec))
    return "".join(result)


def _in_character_set(text: str, current: str, codec: str) -> str:
    try:
        if current in _SINGLE_BYTE_SETS:
            return text.encode(codec).decode(_SINGLE_BYTE_SETS[current])
        if current in _MULTI_BYTE_SETS:
            return (_MULTI_BYTE_SETS[current] + text.encode("ascii")).decode("iso2022_jp_ext")
    except UnicodeError:
        pass
    return text


@lru_cache(maxsize=256)
def escaper(delimiters: Delimiters) -> Callable[[str], str]:
    """Return the function that makes any text safe inside a value; `unescaper` gives it back.

    Where the sender uses no escape sign, what cannot be escaped becomes a question mark.
    """
    sign = delimiters.escape
    sequences = {control: f"{sign}X{control:02X}{sign}" for control in (*range(0x20), 0x7F)}
    if "." not in delimiters.encoding_characters + delimiters.field:
        sequences[0x0A] = f"{sign}.br{sign}"
    letters = zip(
        "FSRETP",
        (
            delimiters.field,
            delimiters.component,
            delimiters.repetition,
            sign,
            delimiters.subcomponent,
            delimiters.truncation,
        ),
        strict=True,
    )
    sequences |= {ord(character): f"{sign}{letter}{sign}" for letter, character in letters if character}
    if not sign:
        sequences = dict.fromkeys(sequences, "?")

    def escape(text: str) -> str:
        return text.translate(sequences)

    return escape
