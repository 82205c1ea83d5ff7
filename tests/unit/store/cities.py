"""A small projection and a reactor over it, for the tests that need followers."""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.store.entry import Entry
from broadstreet.store.follower import Emission
from broadstreet.store.tables import Change, Increment, Table, TableReader

VISIT, DAY, ALARM = "t/visit", "t/day", "t/alarm"
TALLY = Table("tally", {"type": "text", "n": "integer"}, key=("type",))


class Tally:
    """Counts visits and days; waits at each day for whoever reads its table."""

    name = "tally"
    types = frozenset({VISIT, DAY})
    barriers = frozenset({DAY})

    def __init__(self, version: int = 1, table: Table = TALLY) -> None:
        self.version = version
        self.tables = (table,)
        self.fails_at: int | None = None

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:  # noqa: ARG002
        if self.fails_at is not None and entries[-1].seq >= self.fails_at:
            raise RuntimeError("the projection is broken")
        more = (0,) * (len(self.tables[0].columns) - 2)
        return [Increment(self.tables[0], [(entry.type, 1, *more) for entry in entries])]


class Alarm:
    """Emits at the end of each day how many visits there were so far."""

    name = "alarm"
    types = frozenset({DAY})

    def __init__(self, over: Tally | None, version: int = 1) -> None:
        self.over, self.version = over, version
        self.broken = False

    def react(self, entries: Sequence[Entry], tables: TableReader) -> list[Emission]:
        if self.broken:
            raise RuntimeError("the reactor is broken")
        return [self._emission(entry, tables) for entry in entries]

    def _emission(self, entry: Entry, tables: TableReader) -> Emission:
        held = dict(tables.select(self.over.tables[0])) if self.over else {}  # type: ignore[arg-type]
        body = str(held.get(VISIT, 0)).encode()
        return Emission(entry.seq, 0, ALARM, f"{self.name}-{entry.seq}", body)
