"""Strings, folded: a search finds `Ångström` by `angstrom`.

Case and accents are taken off, compatibility forms (full width, ligatures) become plain, white space is one
space. Hangul and Han stay as they are, and so do the vowel signs and voicing marks of other scripts, which
are no accents.

Source: https://hl7.org/fhir/R4/search.html#string
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from broadstreet.model import fhir

LONGEST_KEPT = 200  # characters of a text whose folded form is remembered
# Letters that Unicode does not take apart into a letter and a mark.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "ʼ": "'"}
)
# Combining marks of Latin, Greek and Cyrillic: the blocks of diacritical marks, not those of other scripts.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
EAST_ASIAN = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")


def fold(text: str) -> str:
    """Return a text as it is searched.

    Parameters
    ----------
    text
        Any text; a search term is folded in the same way.

    Returns
    -------
    str
        Folding it again changes nothing.
    """
    if not text.isascii():
        text = _folded(text) if len(text) <= LONGEST_KEPT else _fold(text)
    return " ".join(text.lower().split())


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
    # Taking apart may bring other capitals and marks to light, so once more.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


_folded = lru_cache(maxsize=65_536)(_fold)


def of_text(text: str) -> list[str]:
    """Return a text, folded."""
    return [fold(text)]


def of_name(name: fhir.HumanName) -> list[str]:
    """Return the parts of a name; written without a space between them, also family and given name as one."""
    parts = [name.text, name.family, *(name.given or ()), *(name.prefix or ()), *(name.suffix or ())]
    found = [fold(part) for part in parts if part]
    if name.family and name.given and EAST_ASIAN.match(name.family):
        found.append(fold(name.family + "".join(filter(None, name.given))))
    return found


def of_address(address: fhir.Address) -> list[str]:
    """Return the parts of an address."""
    parts = (
        address.text,
        *(address.line or ()),
        address.city,
        address.district,
        address.state,
        address.postalCode,
        address.country,
    )
    return [fold(part) for part in parts if part]


def of_concept(concept: fhir.CodeableConcept) -> list[str]:
    """Return the text, and what the codings are shown as."""
    shown = [concept.text, *(coding.display for coding in concept.coding or ())]
    return [fold(text) for text in shown if text]


READERS = {
    "HumanName": of_name,
    "Address": of_address,
    "CodeableConcept": of_concept,
    "str": of_text,
}
