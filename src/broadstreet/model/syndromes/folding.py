"""Fold a text to the form that patterns are written in, one character for one character."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_LAST_HANGUL_OR_BMP = 0xFFFF
_SIGNS = dict(zip("’‘`´ʼ–—−‐‑ºᵒ˚。﹐", "'''''-----°°°.,", strict=True))


class Folding(dict[int, int]):
    """A table for `str.translate`: lower case, no accents, half width, simplified Chinese.

    A folded text has the length of the text, so that a span of one is a span of the other.

    Parameters
    ----------
    simplified
        Traditional character -> simplified character.
    """

    def __init__(self, simplified: Mapping[str, str]) -> None:
        super().__init__({ord(sign): ord(plain) for sign, plain in (*_SIGNS.items(), *simplified.items())})

    def __missing__(self, point: int) -> int:
        if point > _LAST_HANGUL_OR_BMP:
            return point
        self[point] = folded = _fold(chr(point))
        return folded

    def fold(self, text: str) -> str:
        """Return `text`, which must be in NFC, folded."""
        return text.lower() if text.isascii() else text.translate(self)


def _fold(character: str) -> int:
    if "가" <= character <= "힣":
        return ord(character)
    decomposed = unicodedata.normalize("NFKD", character)
    base = decomposed[0]
    if any(not unicodedata.combining(mark) for mark in decomposed[1:]):
        return ord(character)
    lower = base.lower()
    return ord(lower) if len(lower) == 1 else ord(base)
