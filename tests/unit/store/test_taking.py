from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from broadstreet.store.committer import Committer
from broadstreet.store.entry import Entry
from broadstreet.store.protocol import Store
from broadstreet.store.taking import Taking

from .cities import DAY, VISIT, Alarm, Tally
from .conftest import say


class Reading:
    """A store that counts how often its log is read."""

    def __init__(self, store: Store) -> None:
        self._store, self.reads = store, 0

    def entries(self, *args: Any, **kwargs: Any) -> Sequence[Entry]:
        self.reads += 1
        return self._store.entries(*args, **kwargs)


@pytest.fixture
def reading(store: Store) -> Any:
    return Reading(store)


def test_what_lies_behind_a_barrier_is_read_once(reading: Any, committer: Committer) -> None:
    seqs = say(committer, VISIT, DAY, VISIT, DAY, DAY, VISIT)
    taking, position, parts = Taking(reading, Tally()), 0, []
    while position < seqs[-1]:
        taken = taking.take(position, seqs[-1])
        parts.append([entry.seq for entry in taken.entries])
        position = taken.reached
    assert parts == [seqs[:2], seqs[2:4], seqs[4:5], seqs[5:]]
    assert reading.reads == 1


def test_what_has_come_since_is_taken_with_what_was_read_before(reading: Any, committer: Committer) -> None:
    first = say(committer, DAY, VISIT)
    taking = Taking(reading, Tally())
    assert taking.take(0, first[-1]).reached == first[0]
    later = say(committer, VISIT, DAY, VISIT)
    both = taking.take(first[0], later[-1])
    assert ([entry.seq for entry in both.entries], both.reached) == ([first[1], *later[:2]], later[1])
    assert [entry.seq for entry in taking.take(later[1], later[-1]).entries] == later[2:]
    assert reading.reads == 2


def test_no_more_is_taken_at_once_than_a_batch(
    reading: Any, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.store.taking.BATCH", 3)
    first = say(committer, DAY, VISIT)
    taking = Taking(reading, Tally())
    taking.take(0, first[-1])
    later = say(committer, VISIT, VISIT, VISIT)
    position, parts = first[0], []
    while position < later[-1]:
        taken = taking.take(position, later[-1])
        parts.append([entry.seq for entry in taken.entries])
        position = taken.reached
    assert parts == [[first[1], *later[:2]], later[2:]]


def test_a_follower_that_was_set_back_reads_again(reading: Any, committer: Committer) -> None:
    seqs = say(committer, DAY, VISIT)
    taking = Taking(reading, Tally())
    for _ in range(2):
        assert [entry.seq for entry in taking.take(0, seqs[-1]).entries] == seqs[:1]
    assert reading.reads == 2


def test_a_reactor_is_handed_what_its_projection_took_if_it_wants_the_same(
    reading: Any, committer: Committer
) -> None:
    seqs = say(committer, VISIT, DAY, VISIT)
    projection, alike, other = Tally(), Alarm(None), Alarm(None)
    alike.types = projection.types
    below = Taking(reading, projection)
    above, aside = Taking(reading, alike, below), Taking(reading, other, below)
    taken = below.take(0, seqs[-1])
    assert above.take(0, taken.reached).entries == taken.entries
    assert reading.reads == 1
    assert [entry.seq for entry in aside.take(0, taken.reached).entries] == [seqs[1]]
    assert reading.reads == 2
    assert [entry.seq for entry in above.take(0, seqs[0]).entries] == seqs[:1], "it does not go so far"
