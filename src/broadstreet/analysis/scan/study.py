"""What is scanned: counts and expected counts by place and step, and how replicates are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, counts, keys, read
from broadstreet.analysis.scan.places import Places
from broadstreet.analysis.scan.population import Stratum, expected_cases, number_strata, person_time
from broadstreet.analysis.scan.replicates import (
    Counts,
    alias_table,
    choose_cases,
    draw_cells,
    permute_times,
)
from broadstreet.analysis.scan.steps import Steps, Times, read_times, study_steps

Model = Literal["permutation", "poisson", "bernoulli"]
Draw = Callable[[Counts, int, NDArray[np.uint64]], None]

_MOST_CASES = 5_000_000
_MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class Study:
    """Observed and expected counts, shape (places, steps).

    `individuals` is the number of cases and controls, infinite where there are no controls.
    `drawer(bin_of_step)` returns what fills replicates with their time in those bins.
    """

    observed: NDArray[np.int64]
    expected: NDArray[np.float64]
    individuals: float
    drawer: Callable[[NDArray[np.int64]], Draw]

    @property
    def cases(self) -> int:
        """Return the number of cases."""
        return int(self.observed.sum())


@dataclass(frozen=True)
class Rows:
    """A table of cases or controls: how many, where, when and in which covariate stratum."""

    count: NDArray[np.int64]
    place: NDArray[np.int64]
    step: NDArray[np.int64]
    stratum: NDArray[np.int64]

    def of(self, stratum: int) -> Rows:
        """Return the rows of one stratum."""
        member = self.stratum == stratum
        return Rows(self.count[member], self.place[member], self.step[member], self.stratum[member])

    def by_cell(self, shape: tuple[int, int]) -> NDArray[np.int64]:
        """Return the count by place and step."""
        table = np.zeros(shape, np.int64)
        np.add.at(table, (self.place, self.step), self.count)
        return table


def read_study(
    cases: Table,
    places: Places | None,
    *,
    model: str,
    population: Table | None,
    controls: Table | None,
    covariates: Sequence[str],
    period: tuple[Any, Any] | None,
    timeless: bool,
) -> tuple[Study, Steps]:
    """Read the tables of a study for one of the models; `places` None adds all places up."""
    _check_model(model, population, controls, covariates)
    wanted = (*(() if places is None else ("place",)), *(() if timeless else ("time",)), *covariates)
    columns = read(cases, "cases", wanted, ("count", "time"))
    times = read_times(columns["time"], "cases") if "time" in columns else None
    if not len(next(iter(columns.values()), ())):
        raise ValueError("cases has no rows: there is nothing to scan")
    steps = Steps(0, 1, "", timed=False) if times is None else study_steps(times, period)
    strata: dict[Stratum, int] = {}
    exposure = np.zeros(0)
    if population is not None:
        exposure, strata = person_time(population, places, steps, covariates)
    rows = _rows(columns, "cases", places, steps, times, covariates, strata)
    if rows.count.sum() == 0:
        raise ValueError("cases holds no case (all counts are 0): there is nothing to scan")
    shape = (1 if places is None else len(places.names), steps.count)
    if shape[0] * shape[1] > _MOST_CELLS:
        raise ValueError(f"places x steps must be at most {_MOST_CELLS:,} (are {shape[0]:,} x {shape[1]:,})")
    if model == "permutation":
        return _permutation(rows, shape, len(strata)), steps
    if model == "poisson":
        return _poisson(rows, shape, exposure, strata, places), steps
    assert controls is not None
    control_columns = read(controls, "controls", wanted, ("count", "time"))
    control_times = read_times(control_columns["time"], "controls") if "time" in control_columns else None
    if (control_times is None) != (times is None):
        raise ValueError("cases and controls must both have the column time, or neither")
    return _bernoulli(
        rows, _rows(control_columns, "controls", places, steps, control_times, (), {}), shape
    ), steps


def _check_model(
    model: str, population: Table | None, controls: Table | None, covariates: Sequence[str]
) -> None:
    if model not in ("permutation", "poisson", "bernoulli"):
        raise ValueError(f"model must be 'permutation', 'poisson' or 'bernoulli' (is {model!r})")
    if isinstance(covariates, str):
        raise TypeError(f"covariates must be a sequence of column names; got the text {covariates!r}")
    if (model == "bernoulli") != (controls is not None):
        need = "needs controls" if model == "bernoulli" else "takes no controls; use model='bernoulli'"
        raise ValueError(f"model={model!r} {need}")
    if (model == "poisson") != (population is not None):
        need = "needs population" if model == "poisson" else "takes no population; use model='poisson'"
        raise ValueError(f"model={model!r} {need}")
    if model == "bernoulli" and covariates:
        raise ValueError("covariates adjust the permutation and the Poisson model, not model='bernoulli'")


def _rows(
    columns: dict[str, NDArray[Any]],
    name: str,
    places: Places | None,
    steps: Steps,
    times: Times | None,
    covariates: Sequence[str],
    strata: dict[Stratum, int],
) -> Rows:
    count = counts(columns, name, _MOST_CASES)
    nowhere = np.zeros(count.size, np.int64)
    place = nowhere if places is None else places.locate(keys(columns["place"], name, "place"), name)
    step = nowhere if times is None else steps.index(times, name)
    known = len(strata)
    stratum = number_strata(
        [keys(columns[column], name, column) for column in covariates], count.size, strata
    )
    if known and len(strata) > known:
        raise ValueError(f"population has no row for the category {list(strata)[known]} that cases has")
    return Rows(count, place, step, stratum)


def _permutation(rows: Rows, shape: tuple[int, int], strata: int) -> Study:
    if shape[1] == 1:
        raise ValueError(
            "model='permutation' compares times: it needs cases or a period of two steps or more"
        )
    observed = rows.by_cell(shape)
    expected = np.zeros(shape)
    for stratum in range(strata):
        table = rows.of(stratum).by_cell(shape)
        expected += np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
    # Ordered by step as well, so that rows in any order have the same replicates.
    order = np.lexsort((rows.step, rows.place, rows.stratum))
    repeats = rows.count[order]
    place, step = np.repeat(rows.place[order], repeats), np.repeat(rows.step[order], repeats)
    stratum_end = np.cumsum(np.bincount(rows.stratum, rows.count, minlength=strata)).astype(np.int64)

    def drawer(bin_of_step: NDArray[np.int64]) -> Draw:
        time = bin_of_step[step].astype(np.uint8 if bin_of_step.max() < 256 else np.uint16)

        def draw(counts: Counts, lanes: int, seeds: NDArray[np.uint64]) -> None:
            permute_times(counts, lanes, seeds, place, time, stratum_end)

        return draw

    return Study(observed, expected, math.inf, drawer)


def _poisson(
    rows: Rows,
    shape: tuple[int, int],
    exposure: NDArray[np.float64],
    strata: dict[Stratum, int],
    places: Places | None,
) -> Study:
    by_stratum = np.bincount(rows.stratum, rows.count, minlength=len(strata)).astype(np.int64)
    expected = expected_cases(exposure, by_stratum, strata)
    observed = rows.by_cell(shape)
    stray = np.argwhere((observed > 0) & (expected <= 0))
    if stray.size:
        name = "the total" if places is None else repr(places.names[stray[0][0]])
        raise ValueError(f"{name} has cases but no population at risk; correct population or the cases")
    cases = int(observed.sum())

    def drawer(bin_of_step: NDArray[np.int64]) -> Draw:
        keep, alias = alias_table(_into_bins(expected, bin_of_step).ravel())

        def draw(counts: Counts, lanes: int, seeds: NDArray[np.uint64]) -> None:
            draw_cells(counts, lanes, seeds, cases, keep, alias)

        return draw

    return Study(observed, expected, math.inf, drawer)


def _bernoulli(rows: Rows, controls: Rows, shape: tuple[int, int]) -> Study:
    observed = rows.by_cell(shape)
    everyone = observed + controls.by_cell(shape)
    cases, individuals = int(observed.sum()), int(everyone.sum())
    if cases == individuals:
        raise ValueError("controls holds no control (all counts are 0): there is nothing to compare with")

    def drawer(bin_of_step: NDArray[np.int64]) -> Draw:
        table = _into_bins(everyone, bin_of_step).ravel()
        cell_of = np.repeat(np.arange(table.size), table)

        def draw(counts: Counts, lanes: int, seeds: NDArray[np.uint64]) -> None:
            choose_cases(counts, lanes, seeds, cases, cell_of)

        return draw

    return Study(observed, everyone.astype(np.float64) * (cases / individuals), float(individuals), drawer)


def _into_bins(table: NDArray[Any], bin_of_step: NDArray[np.int64]) -> NDArray[Any]:
    binned = np.zeros((int(bin_of_step.max()) + 1, len(table)), table.dtype)
    np.add.at(binned, bin_of_step, table.T)
    return np.ascontiguousarray(binned.T)
