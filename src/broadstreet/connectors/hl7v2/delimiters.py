"""The signs that separate a message's parts; the sender states them in MSH-1 and MSH-2."""

from __future__ import annotations

import string
from dataclasses import dataclass

from broadstreet.connectors.hl7v2.problems import Malformed

_SIGNS = frozenset(string.punctuation)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """Hold the signs of one message; an empty one is not in use by its sender.

    Source: HL7 v2.8 chapter 2, section 2.5.4 (message delimiters).
    """

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        """Return what stands in MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


STANDARD = Delimiters()


def read_delimiters(header: bytes) -> tuple[Delimiters, bool]:
    """Read the delimiters at the start of a message.

    Parameters
    ----------
    header : the message's first bytes, from ``MSH`` on

    Returns
    -------
    The delimiters, and whether a doubled escape sign (from a sender's own escaping) was tolerated.

    Raises
    ------
    Malformed
        At MSH-1 or MSH-2, where the signs are missing, too many, not punctuation, or not distinct.
    """
    field = header[3:4].decode("latin-1")
    if field not in _SIGNS or not field:
        raise Malformed("MSH", 1, 1, f"MSH-1 must be a punctuation sign such as '|' (is {field!r})")
    stated, end, _ = header[4:].partition(field.encode())
    signs = stated[:16].decode("latin-1")
    doubled = "\\\\" in signs
    signs = signs.replace("\\\\", "\\")
    if not (end and 1 <= len(signs) <= 5):
        raise Malformed("MSH", 1, 2, f"MSH-2 must hold 1 to 5 signs such as '^~\\&' (starts with {signs!r})")
    if not _SIGNS.issuperset(signs) or len({field, *signs}) != len(signs) + 1:
        raise Malformed(
            "MSH", 1, 2, f"MSH-2 must hold distinct punctuation signs, none of MSH-1 (is {signs!r})"
        )
    return Delimiters(field, *(signs[n : n + 1] for n in range(5))), doubled
