"""Look a diagnosis code up: ICD-10 or ICD-10-CM, with or without the dot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from broadstreet.model.syndromes.tables import NO_FINDING, Row, read_rows

_CODE = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")
_RANGE = re.compile(r"([A-Z])([0-9]{2})-([A-Z])([0-9]{2})")
LONGEST_CODE = 10


class CodeEntry(NamedTuple):
    """What a code means: the line of the table, and the findings or syndromes."""

    code: str
    term: str
    place: str
    findings: tuple[str, ...]


class CodeTable:
    """The codes of the table; the longest prefix of a code that is in the table speaks for it."""

    def __init__(self) -> None:
        self._entries: dict[str, CodeEntry] = {}
        for row in read_rows("icd10.tsv"):
            self._add(row)

    def findings(self) -> frozenset[str]:
        """Return every finding or syndrome that a code leads to."""
        return frozenset(name for entry in self._entries.values() for name in entry.findings)

    def look_up(self, code: str) -> CodeEntry | None:
        """Return what `code` means, or None for a code (or anything else) that is not in the table."""
        if not isinstance(code, str) or len(code) > LONGEST_CODE:
            return None
        plain = code.strip().upper().replace(".", "")
        if not _CODE.fullmatch(plain):
            return None
        for length in range(len(plain), 2, -1):
            if entry := self._entries.get(plain[:length]):
                return entry
        return None

    def _add(self, row: Row) -> None:
        names = tuple(row.cells["findings"].replace(",", " ").split())
        for code in _codes_of(row):
            if code in self._entries:
                raise row.error(f"{code} stands in {self._entries[code].place} already")
            findings = () if names == (NO_FINDING,) else names
            self._entries[code] = CodeEntry(row.cells["code"], row.cells["term"], row.place, findings)


def _codes_of(row: Row) -> Iterator[str]:
    text = row.cells["code"]
    if ends := _RANGE.fullmatch(text):
        first, low, last, high = ends.groups()
        if first != last or int(low) > int(high):
            raise row.error(f"expected a range within one letter, such as A00-A09, found {text!r}")
        yield from (f"{first}{number:02d}" for number in range(int(low), int(high) + 1))
        return
    plain = text.replace(".", "")
    if not _CODE.fullmatch(plain):
        raise row.error(f"expected a code such as J10, R50.9 or a range such as A00-A09, found {text!r}")
    yield plain
