"""Find the patterns of a table in a text: a trie of token keys, the longest match from the left.

There is no regular expression and no backtracking over the text. From a token the search goes at most
`MOST_TOKENS` keys deep with at most two gaps of `WIDEST_GAP` tokens, so its cost is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from broadstreet.model.syndromes.patterns import GAP, Sequence
from broadstreet.model.syndromes.spelling import LONGEST, Speller
from broadstreet.model.syndromes.tables import Measure
from broadstreet.model.syndromes.tokens import KEYS, SKIPPABLE, Keys, Token, Vocabulary, tokenise

WIDEST_GAP = 4  # tokens
SHORTEST_STEM = 3  # letters before a `*`
WORDS_REMEMBERED = 65_536

_END = ""  # the key of the entry in a node; no token has it
_Node = dict[str, Any]


class Entry(NamedTuple):
    """What a matched pattern means.

    `kind` is `finding`, `mask` (nothing), `comma`, `stop`, `sentence` (a stop that ends a sentence), `or`,
    `join`, or the reason for which a cue takes findings away: `negation`, `family`, `past`, `vaccination`,
    `hypothetical`.
    """

    kind: str
    pattern: str
    place: str
    findings: tuple[str, ...] = ()
    absent: bool = False
    stands: str = "before"
    scope: str = ""

    def meaning(self) -> tuple[object, ...]:
        """Return what two rows must share to stand for the same words."""
        return (self.kind, self.findings, self.absent, self.stands, self.scope)


class Match(NamedTuple):
    """An entry found in a text, with its tokens (first and behind the last)."""

    entry: Entry
    first: int
    behind: int


class Lexicon:
    """All patterns of a choice of languages.

    Parameters
    ----------
    entries
        Sequences of token keys with their entry; a sequence may stand twice if it means the same.
    measures
        Classes of numbers.
    classes
        Word -> names of the groups that it is in, such as `{family}`.
    speller
        What corrects words that are in no pattern.

    Raises
    ------
    ValueError
        When one sequence means two things.
    """

    def __init__(
        self,
        entries: Iterable[tuple[Sequence, Entry]],
        measures: Iterable[Measure],
        classes: Mapping[str, Iterable[str]],
        speller: Speller,
    ) -> None:
        self._root: _Node = {}
        keys: set[str] = set()
        negations: set[str] = set()
        for sequence, entry in entries:
            _insert(self._root, sequence, entry)
            keys.update(sequence)
            if entry.kind == "negation" and len(sequence) == 1:
                negations.add(sequence[0])
        self._negations = frozenset(negations)
        self._keys = frozenset(keys)
        self._measures = [m for m in measures if "#" + m.name in keys]
        self._classes = {word: [c for c in names if c in keys] for word, names in classes.items()}
        self._speller = speller
        remember = lru_cache(maxsize=WORDS_REMEMBERED)
        self._vocabulary = Vocabulary(self._keys, remember(self._word), remember(self._number))

    def match(self, text: str) -> tuple[list[Match], list[Token]]:
        """Return the matches in a folded text from left to right, and its tokens."""
        tokens = tokenise(text, self._vocabulary)
        matches: list[Match] = []
        root, count, at = self._root, len(tokens), 0
        while at < count:
            behind, entry = 0, None
            for key in tokens[at][KEYS]:
                if key in root:
                    reach = self._longest(root[key], at + 1, tokens)
                    if reach[0] > behind:
                        behind, entry = reach
            if entry is None:
                at += 1
                continue
            matches.append(Match(entry, at, behind))
            at = behind
        return matches, tokens

    def _longest(self, node: _Node, at: int, tokens: list[Token]) -> tuple[int, Entry | None]:
        behind, entry = (at, node[_END]) if _END in node else (0, None)
        if at < len(tokens):
            for key in tokens[at][KEYS]:
                if key in node:
                    reach = self._longest(node[key], at + 1, tokens)
                    if reach[0] > behind:
                        behind, entry = reach
        if GAP in node:
            reach = self._longest_behind_gap(node[GAP], at, tokens)
            if reach[0] > behind:
                behind, entry = reach
        return behind, entry

    def _longest_behind_gap(self, node: _Node, at: int, tokens: list[Token]) -> tuple[int, Entry | None]:
        """Prefer the narrowest gap that leads to a match; no gap swallows a "no" or a "without"."""
        for start in range(at, min(at + WIDEST_GAP + 1, len(tokens))):
            behind, entry = self._longest(node, start, tokens)
            if entry is not None:
                return behind, entry
            if not tokens[start][SKIPPABLE] or not self._negations.isdisjoint(tokens[start][KEYS]):
                break
        return 0, None

    def _word(self, word: str) -> Keys:
        if len(word) > LONGEST:
            return ()
        found = [word] if word in self._keys else []
        stems = (word[:length] + "*" for length in range(SHORTEST_STEM, len(word) + 1))
        found += [stem for stem in stems if stem in self._keys]
        found += self._classes.get(word, ())
        return tuple(found) or self._speller.correct(word)

    def _number(self, number: str) -> Keys:
        value = float(number.replace(",", ".")) if len(number) < 12 else float("inf")
        decimal = not number.isdigit()
        classes = [
            "#" + m.name for m in self._measures if m.least <= value < m.below and (decimal or not m.decimal)
        ]
        return tuple(classes + [key for key in ("#", number) if key in self._keys])


def _insert(root: _Node, sequence: Sequence, entry: Entry) -> None:
    node = root
    for key in sequence:
        node = node.setdefault(key, {})
    known: Entry | None = node.get(_END)
    if known and known.meaning() != entry.meaning():
        raise ValueError(
            f"{entry.place}: {' '.join(sequence)!r} means {entry.kind} {entry.findings}, "
            f"but {known.place} says {known.kind} {known.findings}; remove one"
        )
    node.setdefault(_END, entry)
