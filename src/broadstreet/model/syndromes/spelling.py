"""Find the word that a misspelt word was meant to be, within one or two edits.

Source
------
Deletion index: Garbe W (2012), "1000x faster spelling correction" (SymSpell). Distance: Damerau F (1964),
Commun ACM 7:171-176 (insert, delete, replace, swap of neighbours), the restricted form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

SHORTEST = 5  # letters; shorter words have too many neighbours (rash, rush, cash)
LONGEST = 24
TWO_EDITS_FROM = 9  # letters


class Speller:
    """Correct misspellings of `words`, and of no word in `real_words`.

    Parameters
    ----------
    words
        Words that may be misspelt, folded.
    real_words
        Words that are what they seem (contusion is not a misspelt confusion).
    """

    def __init__(self, words: Iterable[str], real_words: Iterable[str]) -> None:
        self._real = frozenset(real_words)
        self._by_deletion: dict[str, list[str]] = defaultdict(list)
        for word in sorted(set(words)):
            if SHORTEST <= len(word) <= LONGEST:
                for shorter in _deletions(word, edits_allowed(word)):
                    self._by_deletion[shorter].append(word)

    def correct(self, word: str) -> tuple[str, ...]:
        """Return the words nearest to `word`: those at one edit, else those at two, else none."""
        if not SHORTEST <= len(word) <= LONGEST or word in self._real:
            return ()
        near: dict[str, int] = {}
        for shorter in _deletions(word, edits_allowed(word + "x")):
            for candidate in self._by_deletion.get(shorter, ()):
                if candidate[0] == word[0] and candidate not in near:
                    near[candidate] = distance(candidate, word)
        for edits in (1, 2):
            nearest = [w for w, d in near.items() if d == edits <= edits_allowed(w)]
            if nearest:
                return tuple(nearest)
        return ()


def edits_allowed(word: str) -> int:
    """Return how many edits away a misspelling of `word` may be."""
    return 2 if len(word) >= TWO_EDITS_FROM else 1


def distance(one: str, other: str) -> int:
    """Return the number of inserted, deleted, replaced and swapped letters between two words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _deletions(word: str, edits: int) -> set[str]:
    reached = {word}
    for _ in range(edits):
        reached |= {shorter[:i] + shorter[i + 1 :] for shorter in reached for i in range(len(shorter))}
    return reached
