"""What cases tell an investigator: where they were, and whom they met; some of it is forgotten."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.days import visits
from broadstreet.simulation.draws import compiled, unit
from broadstreet.simulation.epidemic import Outcome
from broadstreet.simulation.population import Kind
from broadstreet.simulation.tables.columns import Column, Columns, instants_of, kinds_of

_REMEMBERED, _NAMED = 2001, 2002  # purposes of random numbers
_AT_HOME = (Kind.HOME, Kind.CARE_HOME)


class Recall(NamedTuple):
    """How much is told: days before onset that are asked for, and the shares of visits and of contacts told.

    Shares as in interviews: people recall between a half and nine tenths of their contacts and visits
    (Mastin 2011, Smieszek 2016, BMC Infect Dis 16:341, against sensors).
    """

    days: int = 14
    visits: float = 0.7
    contacts: float = 0.6


def visits_recalled(outcome: Outcome, cases: Column, recall: Recall | None = None) -> Columns:
    """Return the visits that cases tell of, outside their homes: `id, place, kind, start, end`.

    Parameters
    ----------
    outcome
        The run.
    cases
        Numbers of people who fell ill.
    recall
        How much they tell.

    Raises
    ------
    ValueError
        If a share is none or `days` is below 1.
    """
    wanted = _checked(recall)
    people, onset = _onsets(outcome, cases)
    first = outcome.city.configuration.first_day
    last = int(onset.max()) if len(onset) else -1
    parts = [_told_on(outcome, day, people, onset, wanted) for day in range(last + 1)]
    person, place, start, end = (
        np.concatenate([part[n] for part in parts]) if parts else np.zeros(0) for n in range(4)
    )
    order = np.lexsort((start, person))
    where = place[order].astype(np.uint32)
    return {
        "id": person[order].astype(np.uint32),
        "place": where,
        "kind": kinds_of(outcome.city, where),
        "start": instants_of(first, start[order]),
        "end": instants_of(first, end[order]),
    }


def contacts_named(outcome: Outcome, cases: Column, recall: Recall | None = None) -> Columns:
    """Return the pairs of cases of which one names the other, `id, contact`: true links that are recalled.

    Parameters
    ----------
    outcome
        The run.
    cases
        Numbers of people who fell ill.
    recall
        How much they tell.

    Raises
    ------
    ValueError
        If a share is none or `days` is below 1.
    """
    wanted = _checked(recall)
    truth = outcome.truth
    both = np.isin(truth.infected, cases) & np.isin(truth.infector, cases)
    infected, infector = truth.infected[both], truth.infector[both].astype(np.uint32)
    drawn = _drawn(outcome.city.seed, _NAMED, infected, infector.astype(np.int64))
    told = drawn < wanted.contacts
    return {"id": infected[told], "contact": infector[told]}


def _checked(recall: Recall | None) -> Recall:
    wanted = recall or Recall()
    for name in ("visits", "contacts"):
        if not 0.0 <= getattr(wanted, name) <= 1.0:
            raise ValueError(f"{name} must be a share from 0 to 1 (it is {getattr(wanted, name)})")
    if wanted.days < 1:
        raise ValueError(f"days must be 1 or more (it is {wanted.days})")
    return wanted


def _onsets(outcome: Outcome, cases: Column) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return cases with their first onset, in order of their numbers."""
    truth = outcome.truth
    rows = np.flatnonzero(np.isin(truth.infected, cases) & np.isfinite(truth.onset))
    people, at = np.unique(truth.infected[rows], return_index=True)
    return people.astype(np.uint32), truth.onset[rows][at].astype(np.float64)


def _told_on(
    outcome: Outcome, day: int, people: NDArray[np.uint32], onset: NDArray[np.float64], recall: Recall
) -> tuple[Column, ...]:
    asked = people[(np.floor(onset) >= day) & (np.floor(onset) - recall.days <= day)]
    made = visits(outcome.city, day, asked, outcome.modes(day), outcome.closed(day))
    told = ~np.isin(outcome.city.places.kind[made.place], _AT_HOME)
    start = day * 1440 + made.start.astype(np.int64)
    told &= _drawn(outcome.city.seed, _REMEMBERED, made.person, start) < recall.visits
    return (
        made.person[told],
        made.place[told],
        start[told] / 1440,
        (day * 1440 + made.end.astype(np.int64)[told]) / 1440,
    )


@compiled
def _drawn(seed: int, purpose: int, one: NDArray[np.uint32], other: NDArray[np.int64]) -> NDArray[np.float64]:
    numbers = np.empty(len(one), np.float64)
    for at in range(len(one)):
        numbers[at] = unit(seed, purpose, one[at], other[at])
    return numbers
