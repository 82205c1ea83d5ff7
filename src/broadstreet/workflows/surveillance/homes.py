"""Where patients live and when they were born; of a merged record its survivor's word goes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from broadstreet.store.tables import Change, TableReader
from broadstreet.workflows.surveillance.overlay import Overlay, selected
from broadstreet.workflows.surveillance.tables import RESIDENT, Resident


class Homes:
    """The patient records that a batch needs.

    Parameters
    ----------
    reader
        The stored records.
    changing
        The ids of the records that the batch writes or removes.
    """

    def __init__(self, reader: TableReader, changing: set[str]) -> None:
        self._reader = reader
        self._residents = Overlay[str, Resident](RESIDENT, Resident._make, reader)
        self._merged: defaultdict[str | None, set[str]] = defaultdict(set)
        self._read(self._residents.load("id", changing))
        self.affected = self._load_merged(changing)
        """The changing records and those merged into them: their homes may change."""

    def load(self, patients: Iterable[str | None], merges: Iterable[Resident]) -> None:
        """Read what tells the homes of patients, those of merges that the batch writes included."""
        wanted = {*patients, *(each.merged_into for each in merges)}
        wanted |= {each.merged_into for each in self._residents.rows.values()}
        asked: set[str | None] = {None, *self._residents.rows}
        while wanted := wanted - asked:
            asked |= wanted
            fresh = self._residents.load("id", wanted)
            self._read(fresh)
            wanted = {each.merged_into for each in fresh}

    def put(self, id: str, new: Resident | None) -> set[str]:
        """Write or remove a record; return the records whose home may have changed."""
        old = self._residents.rows.get(id)
        if old == new:
            return set()
        if old is not None:
            self._merged[old.merged_into].discard(id)
        if new is not None:
            self._merged[new.merged_into].add(id)
        self._residents.set(id, new)
        return self._with_merged(id)

    def of(self, patient: str | None) -> tuple[str | None, str | None]:
        """Return home and birth date as the last record of a chain of merges tells; a ring ends where it
        began."""
        home: str | None = None
        born: str | None = None
        passed: set[str] = set()
        resident = self._residents.rows.get(patient or "")
        while resident is not None and resident.id not in passed:
            home, born = resident.home or home, resident.born or born
            passed.add(resident.id)
            resident = self._residents.rows.get(resident.merged_into or "")
        return home, born

    def changes(self) -> list[Change]:
        """Return what the batch changes."""
        return self._residents.changes()

    def _load_merged(self, ids: set[str]) -> set[str]:
        known = frontier = ids
        while frontier:
            rows = selected(self._reader, RESIDENT, "merged_into", frontier)
            self._read(self._residents.take(rows))
            frontier = {str(row[0]) for row in rows} - known
            known = known | frontier
        return known

    def _read(self, fresh: Iterable[Resident]) -> None:
        for each in fresh:
            self._merged[each.merged_into].add(each.id)

    def _with_merged(self, id: str) -> set[str]:
        found = frontier = {id}
        while frontier:
            frontier = {each for one in frontier for each in self._merged.get(one, ())} - found
            found = found | frontier
        return found
