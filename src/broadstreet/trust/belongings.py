"""What a store has about one resident, found for an erasure: it goes through the whole log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from broadstreet.model import fhir, records
from broadstreet.model.records import Erasure, Quarantined
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import ResourceKey, Store
from broadstreet.store.quarantine import QUARANTINE
from broadstreet.store.tables import OneOf, Row, Table

OURS: Final = ("fhir/", "bs/")
"""Types of what is mapped or made here; all others are messages as they came."""
PATIENT: Final = "fhir/Patient"
QUARANTINED: Final = records.entry_type(Quarantined)
ERASURE: Final = records.entry_type(Erasure)
SHORTEST: Final = 3
"""Shorter numbers and names stand in too many messages to tell who is meant."""
_ENTRY: Final = Table("entry", {"seq": "integer", "type": "text"}, key=("seq",))
_MADE: Final = Table(
    "entry", {"seq": "integer", "subject": "text", "cause": "integer", "seal": "integer"}, key=("seq",)
)
_SLICE: Final = 500
_MOST: Final = 10_000

TextOf = Callable[[bytes], str]
"""Reads a message as it came: its door knows the characters."""


@dataclass
class Words:
    """What tells who a resident is, as it is written in the versions of their record."""

    families: set[str] = field(default_factory=set)
    givens: set[str] = field(default_factory=set)
    births: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    streets: set[str] = field(default_factory=set)

    def read(self, patient: fhir.Patient) -> None:
        """Take the words of one version."""
        for name in patient.name or ():
            self.families |= _told([name.family])
            self.givens |= _told(name.given or ())
        self.numbers |= _told(each.value for each in patient.identifier or ())
        self.contacts |= _told(each.value for each in patient.telecom or ())
        self.streets |= _told(line for address in patient.address or () for line in address.line or ())
        if patient.birthDate:
            self.births |= {patient.birthDate, patient.birthDate.replace("-", "")}

    def mean(self, text: str) -> bool:
        """Tell whether a message is about the resident: it has a number of theirs with a name or the day of
        birth, or all of family name, given name and day of birth.
        """
        family, born = self._families.search(text), self._births.search(text)
        if self._numbers.search(text) and (family or born):
            return True
        return bool(family and born and self._givens.search(text))

    def touch(self, text: str) -> bool:
        """Tell whether a message has a number of theirs, or a family name with a given name."""
        named = self._families.search(text) and self._givens.search(text)
        return bool(named or self._numbers.search(text))

    @cached_property
    def _families(self) -> re.Pattern[str]:
        return _any_of(self.families)

    @cached_property
    def _givens(self) -> re.Pattern[str]:
        return _any_of(self.givens)

    @cached_property
    def _births(self) -> re.Pattern[str]:
        return _any_of(self.births)

    @cached_property
    def _numbers(self) -> re.Pattern[str]:
        return _any_of(self.numbers)


@dataclass
class Belongings:
    """What there is about a resident.

    Attributes
    ----------
    residents
        Their id, and those of records that were merged with it.
    live
        Resources and records that are to be deleted.
    entries
        The seqs of all whose bodies go.
    full
        Those among them that have a body still.
    messages
        Those among them that are messages as they came.
    seals
        The keys that seal these and nothing about anybody else: they go.
    doubtful
        Messages in quarantine that may be about them, and may be about somebody else.
    others
        Residents of whom messages tell in the same words: they may be the same person, and keep everything.
    words
        What tells who they are.
    """

    residents: tuple[str, ...]
    live: dict[ResourceKey, None] = field(default_factory=dict)
    entries: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)
    messages: set[int] = field(default_factory=set)
    seals: set[int] = field(default_factory=set)
    doubtful: list[str] = field(default_factory=list)
    others: dict[str, None] = field(default_factory=dict)
    words: Words = field(default_factory=Words)

    def add(self, entry: Entry) -> None:
        """Count an entry in."""
        self.entries.add(entry.seq)
        if entry.body is not None:
            self.full.add(entry.seq)
        if not entry.type.startswith(OURS):
            self.messages.add(entry.seq)
        if entry.seal:
            self.seals.add(entry.seal)


def belongings(store: Store, resident: str, text_of: TextOf) -> Belongings:
    """Return what a store has about a resident.

    Raises
    ------
    ValueError
        If it knows no such resident.
    """
    found = Belongings(_merged(store, resident))
    causes: set[int] = set()
    resources: dict[ResourceKey, None] = {}
    for entry in (entry for each in found.residents for entry in store.about(each)):
        found.add(entry)
        resources[entry.type, entry.id] = None
        causes |= {entry.cause} if entry.cause is not None else set()
        if entry.type == PATIENT and entry.body is not None:
            found.words.read(fhir.decode(entry.body, fhir.Patient))
    for type, id in resources:
        _add_versions(found, store.history(type, id), causes)
    _add_messages(store, found, causes, text_of)
    found.seals -= _seals_of_others(store, found)
    return found


def _add_versions(found: Belongings, versions: list[Entry], causes: set[int]) -> None:
    """Add all versions of what is theirs now, also those that were put as somebody else's."""
    newest = versions[-1]
    if newest.subject not in found.residents:
        return
    for entry in versions:
        found.add(entry)
        causes |= {entry.cause} if entry.cause is not None else set()
    if newest.body is not None:
        found.live[newest.type, newest.id] = None


def _add_messages(store: Store, found: Belongings, causes: set[int], text_of: TextOf) -> None:
    """Add the messages that entries were made from, those that those mend, and others that mean them."""
    rows = store.select(QUARANTINE) if store.has(QUARANTINE) else []
    quarantined = {int(row[1] or 0): str(row[0]) for row in rows}
    mended: dict[int, int] = {}
    meaning: list[Entry] = []
    for entry in _raw(store):
        if entry.cause is not None:
            mended[entry.seq] = entry.cause
        if entry.seq in causes:
            _add_message(found, entry, causes)
        elif entry.body is not None:
            text = text_of(entry.body)
            if found.words.mean(text):
                meaning.append(entry)
            elif entry.seq in quarantined and found.words.touch(text):
                found.doubtful.append(entry.id)
    for entry in _not_of_others(store, found, meaning):
        _add_message(found, entry, causes)
    _add_mended(store, found, causes, mended)
    for seq in found.messages & quarantined.keys():
        for entry in store.history(QUARANTINED, quarantined[seq]):
            found.add(entry)
        if store.current(QUARANTINED, quarantined[seq]) is not None:
            found.live[QUARANTINED, quarantined[seq]] = None


def _add_message(found: Belongings, entry: Entry, causes: set[int]) -> None:
    found.add(entry)
    causes |= {entry.cause} if entry.cause is not None else set()


def _add_mended(store: Store, found: Belongings, causes: set[int], mended: dict[int, int]) -> None:
    """Add messages whose mended text is added, and mended texts of messages that are."""
    theirs = causes | found.messages
    seqs = {seq for pair in mended.items() if theirs.intersection(pair) for seq in pair} - found.entries
    messages = [entry for seq in sorted(seqs) for entry in store.entries(seq - 1, limit=1)]
    for entry in _not_of_others(store, found, messages):
        found.add(entry)


def _not_of_others(store: Store, found: Belongings, messages: Sequence[Entry]) -> list[Entry]:
    """Return the messages from which nothing was made, or something of theirs; name whom the rest are of.

    What words tell may as well be of a namesake, of a twin, or of another record of the same person: the
    record that a message was mapped to decides.
    """
    made = _subjects(store, [entry.seq for entry in messages])
    foreign = {seq: about for seq, about in made.items() if about.isdisjoint(found.residents)}
    about = sorted({id for each in foreign.values() for id in each})
    found.others |= dict.fromkeys(id for id in about if store.current(PATIENT, id) is not None)
    return [entry for entry in messages if entry.seq not in foreign]


def _subjects(store: Store, messages: Sequence[int]) -> dict[int, set[str]]:
    """Return by the seq of a message the residents of whom entries were made from it."""
    made: dict[int, set[str]] = {}
    for _, subject, cause, _ in _selected(store, "cause", messages):
        if subject is not None:
            made.setdefault(int(cause or 0), set()).add(str(subject))
    return made


def _seals_of_others(store: Store, found: Belongings) -> set[int]:
    """Return which of the keys seal something about somebody else; the log tells it of every entry.

    A message is sealed with the key of whom it is about, and what was moved into a record with the key of
    whose it was before.
    """
    rows = _selected(store, "seal", sorted(found.seals))
    return {int(seal or 0) for _, subject, _, seal in rows if subject not in {None, *found.residents}}


def _selected(store: Store, column: str, values: Sequence[int]) -> Iterator[Row]:
    for begin in range(0, len(values), _SLICE):
        yield from store.select(_MADE, {column: OneOf(values[begin : begin + _SLICE])}, order=("seq",))


def _raw(store: Store) -> Iterator[Entry]:
    types = [str(type) for type in store.tally(_ENTRY, "type") if not str(type).startswith(OURS)]
    position = 0
    while types and (entries := store.entries(position, types=types, limit=_SLICE)):
        yield from entries
        position = entries[-1].seq


def _merged(store: Store, resident: str) -> tuple[str, ...]:
    """Return the ids of a resident and of records that were merged with theirs, also by an erasure that was
    begun before.
    """
    if not store.history(PATIENT, resident):
        raise ValueError(f"expected the id of a resident's Patient, got {resident!r}: there is none with it")
    known: dict[str, None] = {}
    for entry in store.currents(ERASURE, limit=_MOST):
        order = records.decode(entry.body) if entry.body else None
        if isinstance(order, Erasure) and resident in (order.resident, *order.also):
            known |= dict.fromkeys((order.resident, *order.also))
    waiting = [resident, *known]
    while waiting:
        id = waiting.pop()
        known[id] = None
        waiting += [other for other in _linked(store, id) if other not in known]
    return (resident, *(id for id in known if id != resident))


def _linked(store: Store, id: str) -> Iterator[str]:
    held = store.current(PATIENT, id)
    patient = fhir.decode(held.body, fhir.Patient) if held is not None and held.body is not None else None
    for link in (patient.link or ()) if patient is not None else ():
        if link.type in ("replaced-by", "replaces") and link.other.reference:
            yield link.other.reference.rpartition("/")[2]


def _told(words: Iterable[str | None]) -> set[str]:
    return {word for word in words if word and len(word) >= SHORTEST}


def _any_of(words: set[str]) -> re.Pattern[str]:
    """Return what finds one of the words, whole; of none, nothing."""
    if not words:
        return re.compile(r"(?!)")
    either = "|".join(re.escape(word) for word in sorted(words))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)
