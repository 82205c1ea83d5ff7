"""Categories of what is known, and how sensitive it is: the numbers that index rows carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from broadstreet.trust.rows import rows


class Sensitivity(IntEnum):
    """How sensitive something is, in the order of HL7's Confidentiality (N, R, V); 0 in an index row is
    unknown.

    Source: http://terminology.hl7.org/CodeSystem/v3-Confidentiality
    """

    NORMAL = 1
    RESTRICTED = 2
    VERY_RESTRICTED = 3

    @classmethod
    def named(cls, name: str) -> Sensitivity:
        """Return the sensitivity of a name such as `very-restricted`."""
        return cls[name.replace("-", "_").upper()]


@dataclass(frozen=True)
class Category:
    """What a resource tells; `personal` if it tells that about a resident."""

    number: int
    name: str
    personal: bool
    meaning: str


@cache
def categories() -> dict[str, Category]:
    """Return every category by its name."""
    return {
        row["category"]: Category(
            int(row["number"]), row["category"], row["personal"] == "yes", row["meaning"]
        )
        for row in rows("categories")
    }


def named(words: str) -> frozenset[int]:
    """Return the numbers of categories: names with commas, or `personal` or `impersonal`.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = categories()
    if words in ("personal", "impersonal"):
        return frozenset(each.number for each in known.values() if each.personal == (words == "personal"))
    names = words.split(",")
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"categories are {', '.join(known)} (got {', '.join(unknown)})")
    return frozenset(known[name].number for name in names)
