"""Split a folded text into the tokens that patterns are made of.

A Latin word, a Hangul syllable, a Chinese character, a number and a sign are one token each. Each token
carries its keys: the names by which patterns may call it. A token without keys is in no pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

# One alternative begins with each kind of character, none can match nothing: the split is linear.
TOKEN = re.compile(
    r"([a-z]+(?:'[a-z]+)*)|([가-힣]+)|([㐀-鿿])|([0-9]+(?:[.,][0-9]+)?)|(\n|[^\w\s])",
)
LATIN, HANGUL, HAN, NUMBER, SIGN = 1, 2, 3, 4, 5

MINUS = ("minus_before", "minus_after")
PLUS = ("plus_before", "plus_after")
DASH = "dash"
SIGN_NAMES = frozenset({*MINUS, *PLUS, DASH})
_ENDS = frozenset(",;/).\n、")

Keys = tuple[str, ...]


# Keys, start and end in the text, and whether a gap in a pattern may skip the token. A bare tuple, for speed.
Token = tuple[Keys, int, int, bool]
KEYS: Final = 0
START: Final = 1
END: Final = 2
SKIPPABLE: Final = 3


class Vocabulary(NamedTuple):
    """What tells the keys of a token: every key of the patterns, a reader of words and one of numbers."""

    keys: frozenset[str]
    word: Callable[[str], Keys]
    number: Callable[[str], Keys]


def tokenise(text: str, vocabulary: Vocabulary) -> list[Token]:
    """Return the tokens of a folded text."""
    tokens: list[Token] = []
    known = vocabulary.keys
    signs_first = text.lstrip().startswith(("(+)", "(-)"))
    for found in TOKEN.finditer(text):
        kind, (start, end), piece = found.lastindex, found.span(), found.group()
        if kind == HANGUL:
            _add_syllables(tokens, piece, start, known)
            continue
        if kind == LATIN:
            keys, skippable = vocabulary.word(piece), True
        elif kind == HAN:
            keys, skippable = ((piece,) if piece in known else ()), True
        elif kind == NUMBER:
            keys, skippable = vocabulary.number(piece), False
        else:
            name = _sign_name(text, start, end, signs_first) if piece in "+-" else piece
            if name is None:
                continue
            keys, skippable = ((name,) if name in known else ()), name in ":=(>~"
        tokens.append((keys, start, end, skippable))
    return tokens


def _add_syllables(tokens: list[Token], run: str, start: int, known: frozenset[str]) -> None:
    last = len(run) - 1
    for place, syllable in enumerate(run):
        names = [syllable]
        if place == 0:
            names.append("_" + syllable)
        if place == last:
            names += [name + "_" for name in names]
        keys = tuple([name for name in names if name in known])
        tokens.append((keys, start + place, start + place + 1, True))


def _sign_name(text: str, start: int, end: int, signs_first: bool) -> str | None:
    """Tell a sign of absence or presence from a hyphen and a dash.

    `-fever` and `+cough` stand before, `fever -, cough +` and `fever(-)` after, unless the text begins with
    a sign in parentheses (`signs_first`); `flu-like` is a hyphen (None); a minus between spaces is a dash
    unless the writer uses plus signs too.
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    names = MINUS if text[start] == "-" else PLUS
    if before.isalnum() and after.isalnum():
        return None if text[start] == "-" else "/"
    if after.isalnum() and not before.isalnum() and before != ")":
        return names[0]
    if signs_first and (before, after) == ("(", ")"):
        return names[0]
    following = text[end : end + 3].lstrip(" ")[:1]
    if following in _ENDS or names is PLUS or "+" in text:
        return names[1]
    return DASH
