"""The people that were asked where they had been: cases with their onset, and controls."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Column, Table, read
from broadstreet.analysis.transmission.dates import are_dates, day_number, is_missing
from broadstreet.analysis.transmission.linelist import SetAside, key_of, name_of

MATCHED = ("home", "age")
SHARED = ("household", "workplace")
_AGE_BAND = 10  # years: ages that are numbers are matched within such bands
_OLDEST_BAND = 8  # 80 and older


@dataclass
class Asked:
    """Cases first, then controls.

    Attributes
    ----------
    ids : list of str
    onset : ndarray of int, shape (cases,)
    stratum : ndarray of int, shape (people,)
        Cases and controls of one home area and age have the same.
    shared : dict of ndarray of int, shape (people,)
        Number of each person's household and workplace; -1 where there is none.
    """

    ids: list[str]
    onset: NDArray[np.int64]
    stratum: NDArray[np.int64]
    shared: dict[str, NDArray[np.int64]]
    dated: bool
    set_aside: list[SetAside] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many cases."""
        return len(self.onset)

    @property
    def controls(self) -> int:
        """How many controls."""
        return len(self.ids) - self.cases


def read_asked(cases: Table, controls: Table) -> Asked:
    """Read cases (`id, onset`) and controls (`id`), with `home, age, household, workplace` where known.

    Raises
    ------
    ValueError
        If a column is missing, or no case or no control is left.
    """
    optional = (*MATCHED, *SHARED)
    ill = read(cases, "cases", ("id", "onset"), optional)
    well = read(controls, "controls", ("id",), optional)
    aside: list[SetAside] = []
    onset, kept_cases = _onsets(ill, aside)
    seen = {key_of(ill["id"].tolist()[row]) for row in kept_cases}
    kept_controls = _different(well["id"], seen, aside)
    for name, kept in (("cases", kept_cases), ("controls", kept_controls)):
        if not kept:
            raise ValueError(f"{name} must have a row or more that can be used (has none)")
    people = {
        name: [_trait(ill, name, row) for row in kept_cases]
        + [_trait(well, name, row) for row in kept_controls]
        for name in optional
    }
    matched = [name for name in MATCHED if name in ill and name in well]
    keys = list(zip(*(people[name] for name in matched), strict=True)) or [()] * (
        len(kept_cases) + len(kept_controls)
    )
    return Asked(
        [key_of(ill["id"].tolist()[row]) for row in kept_cases]
        + [key_of(well["id"].tolist()[row]) for row in kept_controls],
        onset,
        _numbers(keys),
        {name: _numbers(people[name]) for name in SHARED},
        are_dates(ill["onset"]),
        aside,
    )


def _onsets(columns: dict[str, Column], aside: list[SetAside]) -> tuple[NDArray[np.int64], list[int]]:
    onset, kept, seen = [], [], set()
    cells = columns["onset"] if columns["onset"].dtype.kind == "M" else columns["onset"].tolist()
    for row, (who, cell) in enumerate(zip(columns["id"].tolist(), cells, strict=True)):
        why, day = None, np.nan
        try:
            day = day_number(cell)
        except ValueError as error:
            why = f"onset: {error}"
        if is_missing(who):
            why = "the id is missing"
        elif key_of(who) in seen:
            why = "the id is that of an earlier row"
        elif why is None and np.isnan(day):
            why = "no onset, so there is no window in which to look for an exposure"
        if why:
            aside.append(SetAside("cases", row, name_of(who), why))
            continue
        seen.add(key_of(who))
        kept.append(row)
        onset.append(int(day))
    return np.array(onset, np.int64), kept


def _different(ids: Column, cases: set[str], aside: list[SetAside]) -> list[int]:
    kept, seen = [], set()
    for row, who in enumerate(ids.tolist()):
        key = key_of(who)
        why = None
        if is_missing(who):
            why = "the id is missing"
        elif key in cases:
            why = "the control is a case"
        elif key in seen:
            why = "the id is that of an earlier row"
        if why:
            aside.append(SetAside("controls", row, name_of(who), why))
            continue
        seen.add(key)
        kept.append(row)
    return kept


def _trait(columns: dict[str, Column], name: str, row: int) -> Hashable:
    if name not in columns:
        return None
    value: Any = columns[name][row]
    if is_missing(value):
        return None
    if name == "age" and (years := _years(value)) is not None:
        return min(int(years // _AGE_BAND), _OLDEST_BAND)
    return key_of(value.item() if isinstance(value, np.generic) else value)


def _years(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _numbers(values: list[Any]) -> NDArray[np.int64]:
    """Return the number of each value, -1 for None."""
    number: dict[Hashable, int] = {}
    return np.array([-1 if v is None else number.setdefault(v, len(number)) for v in values], np.int64)
