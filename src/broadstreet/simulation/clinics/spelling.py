"""Misspell what is typed at a desk in a hurry."""

from __future__ import annotations

import numpy as np

_TYPED = frozenset(
    ["en", "es"]
)  # languages of the Latin keyboard; Korean and Chinese come by an input method
_SHORTEST = 5  # letters of a word that may go wrong: shorter ones would become other words


def misspelt(text: str, language: str, draw: np.random.Generator) -> str:
    """Return a text with one slip of the fingers: a letter left out, doubled, or swapped with the next.

    Parameters
    ----------
    text, language
        What was meant, and in which language; a text in another script comes back as it is.
    draw
        Where the chance comes from.
    """
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if word.isalpha() and len(word) >= _SHORTEST]
    if language not in _TYPED or not long:
        return text
    which = long[int(draw.random() * len(long))]
    word = words[which]
    at = 1 + int(draw.random() * (len(word) - 2))
    slips = (
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    words[which] = slips[int(draw.random() * len(slips))]
    return " ".join(words)
