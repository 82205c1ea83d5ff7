"""What speaks for a signal: each alarm day with its test and the visits that were counted."""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec

from broadstreet.model import records
from broadstreet.model.records import Evidence, Signal, Stratum
from broadstreet.store.tables import TableReader
from broadstreet.workflows.surveillance.days import date_of
from broadstreet.workflows.surveillance.episodes import QUIET, Alarm, Episode
from broadstreet.workflows.surveillance.tables import CITY, DISTRICT, VISIT, Cell, Held, Visit

MOST_VISITS = 500
"""So many visits are named for each day at most; `observed` says how many there were."""

Series = tuple[str, str, str]
"""`(stream, place, stratum)`."""


class Witness:
    """Writes signals with their evidence.

    Parameters
    ----------
    tables
        The visits.
    method
        Of EARS, with which the days were tested.
    closed
        The last closed day.
    changed
        Cells whose visits are to be looked up although they were before.
    """

    def __init__(self, tables: TableReader, method: str, closed: int, changed: Collection[Cell]) -> None:
        self._tables, self._method, self._closed, self._changed = tables, method, closed, changed
        self._visits: dict[int, list[Visit]] = {}

    def signal(self, id: str, series: Series, episode: Episode | None, held: Held | None) -> Signal:
        """Return a signal as it should be; what an officer has said of it stays."""
        before = signal_of(held) if held else None
        if episode is None:
            assert held is not None
            assert before is not None
            status = held.verdict or "withdrawn"
            return msgspec.structs.replace(before, status=status, observed=0, expected=0.0, evidence=())
        known = {each.day: each for each in before.evidence} if before else {}
        evidence = tuple(self._evidence(series, alarm, known.get(date_of(alarm.day))) for alarm in episode)
        ended = self._closed - episode[-1].day >= QUIET
        status = (held.verdict if held else "") or ("closed" if ended else "open")
        return Signal(
            id=id,
            status=status,  # type: ignore[arg-type]
            where=Stratum(stream=series[0], place=series[1], stratum=series[2]),
            since=date_of(episode[0].day),
            until=date_of(episode[-1].day),
            observed=sum(alarm.observed for alarm in episode),
            expected=sum(alarm.expected for alarm in episode),
            evidence=evidence,
            reason=before.reason if before else None,
        )

    def _evidence(self, series: Series, alarm: Alarm, known: Evidence | None) -> Evidence:
        reused = (
            known is not None
            and known.observed == alarm.observed
            and (*series, alarm.day) not in self._changed
        )
        return Evidence(
            day=date_of(alarm.day),
            observed=alarm.observed,
            expected=alarm.expected,
            upper=alarm.upper,
            score=alarm.score if math.isfinite(alarm.score) else None,
            method=f"EARS {self._method}, baseline of {alarm.baseline} days",
            visits=known.visits if reused and known else self._counted(series, alarm.day),
        )

    def _counted(self, series: Series, day: int) -> tuple[str, ...]:
        if day not in self._visits:
            self._visits[day] = [Visit._make(row) for row in self._tables.select(VISIT, {"day": day})]
        stream, place, _ = series
        ids = (v.id for v in self._visits[day] if _is_at(v, place) and stream in v.syndromes.split())
        return tuple(sorted(ids)[:MOST_VISITS])


def signal_of(held: Held) -> Signal:
    """Return the signal's newest version."""
    signal = records.decode(held.body)
    assert isinstance(signal, Signal)
    return signal


def _is_at(visit: Visit, place: str) -> bool:
    return place in (CITY, f"{DISTRICT}{visit.district}")
