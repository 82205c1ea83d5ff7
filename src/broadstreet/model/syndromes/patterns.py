"""Parse the patterns of the tables: `short|shortness of? breath`, `can_not|can't ... breathe`, `_열 없`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from broadstreet.model.syndromes.folding import Folding
from broadstreet.model.syndromes.tokens import SIGN_NAMES

GAP = "..."
MOST_SEQUENCES = 30_000
MOST_TOKENS = 16
MOST_GAPS = 2
_PIECE = re.compile(
    r"[a-z]+(?:'[a-z]+)*\*?|_?[가-힣]_?|[㐀-鿿]|[0-9]+(?:[.,][0-9]+)?|[^\w\s]|\\n",
)

_HANGUL = re.compile("[가-힣]")

Sequence = tuple[str, ...]


class Patterns:
    """Expand patterns to sequences of token keys.

    Parameters
    ----------
    groups
        Word lists that a pattern names in braces, as alternatives.
    folding
        What folds a pattern like a text.
    """

    def __init__(self, groups: Mapping[str, str], folding: Folding) -> None:
        self._groups, self._folding = groups, folding

    def expand(self, pattern: str) -> list[Sequence]:
        """Return the sequences of token keys that `pattern` stands for.

        Raises
        ------
        ValueError
            When the pattern is empty, begins or ends with a gap, has too many gaps, or stands for too much.
        """
        choices = [self._choices(element) for element in pattern.split()]
        count = 1
        for choice in choices:
            count *= len(choice)
        if not choices or count > MOST_SEQUENCES:
            raise ValueError(f"expected 1 to {MOST_SEQUENCES} readings of {pattern!r}, found {count}")
        sequences = [sum(parts, ()) for parts in itertools.product(*choices)]
        for sequence in sequences:
            _check(sequence, pattern)
        return sequences

    def _choices(self, element: str) -> list[Sequence]:
        if element == GAP:
            return [(GAP,)]
        optional = len(element) > 1 and element.endswith("?")
        parts = (element.removesuffix("?") or element).split("|")
        if "" in parts:
            raise ValueError(f"expected a word on both sides of each '|' in {element!r}")
        words = [word for part in parts for word in self._words(part)]
        return [self._keys(word) for word in words] + ([()] if optional else [])

    def _words(self, part: str) -> list[str]:
        if not part.startswith("{"):
            return [part]
        if part[1:-1] not in self._groups:
            raise ValueError(f"no group is named {part}; there are: {', '.join(self._groups)}")
        words = self._groups[part[1:-1]].split("|")
        return [part, *(word for word in words if not word_class_member(word))]

    def _keys(self, word: str) -> Sequence:
        if word in SIGN_NAMES or (word[0] in "#{" and len(word) > 1):
            return (word,)
        pieces = word.split() if _HANGUL.search(word) else word.replace("_", " ").split()
        return tuple(key for piece in pieces for key in self._pieces(piece))

    def _pieces(self, word: str) -> list[str]:
        folded = self._folding.fold(word)
        pieces = _PIECE.findall(folded)
        if "".join(pieces) != folded:
            raise ValueError(f"cannot read {word!r} in a pattern")
        return ["\n" if piece == "\\n" else piece for piece in pieces if piece != "-"]


def word_class_member(word: str) -> bool:
    """Tell whether a word of a group is one Latin word: those are found by the name of their group."""
    return word.isascii() and word.replace("'", "").isalpha()


def _check(sequence: Sequence, pattern: str) -> None:
    if not 0 < len(sequence) <= MOST_TOKENS:
        raise ValueError(f"expected 1 to {MOST_TOKENS} tokens in {pattern!r}, found {len(sequence)}")
    if GAP in (sequence[0], sequence[-1]) or sequence.count(GAP) > MOST_GAPS:
        raise ValueError(f"expected at most {MOST_GAPS} '...' and words on both sides of them in {pattern!r}")
