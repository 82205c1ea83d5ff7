"""Send people to work: in teams, in firms of many sizes and in the places that serve others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population.city import NOWHERE, People
from broadstreet.simulation.population.configuration import Configuration
from broadstreet.simulation.population.gathering import near_work
from broadstreet.simulation.population.kinds import Habit, Kind, Role
from broadstreet.simulation.population.plots import Plots

# Teams that serve a place, and people in each. A district hospital in England has about 12 staff for 1,000
# residents (NHS Workforce Statistics 2021: 1.2 million for 56 million, 21, of which half are in wards and
# clinics).
_SERVE = ((Kind.SHOP, 1, 8), (Kind.VENUE, 1, 6), (Kind.CLINIC, 1, 8))
_HOSPITAL_STAFF = 0.010  # of the residents it serves
_HOSPITAL_TEAM = 12
_CARE_STAFF = 14  # of a unit of a care home, in all shifts
# Sizes of firms by employment: Pareto, tail exponent 1.06 (Axtell 2001, Science 293:1818), here cut at 2,000.
_PARETO, _SMALLEST, _LARGEST = 1.06, 3.0, 2_000.0
_COMMUTE = 4.0  # kilometres over which the chance to work there falls to 1/e; an assumption


def send_to_work(
    configuration: Configuration,
    people: People,
    plots: Plots,
    public: dict[Kind, NDArray[np.uint32]],
    workers: NDArray[np.int64],
    draw: np.random.Generator,
) -> None:
    """Give each worker a team; teams of public places are `staff` of them."""
    chosen = draw.permutation(workers)
    chosen = chosen[_care_for(people, chosen) :]
    teams = [_teams_of(public[kind], each, size, plots) for kind, each, size in _SERVE]
    per_hospital = max(1, round(_HOSPITAL_STAFF * len(people) / len(public[Kind.HOSPITAL]) / _HOSPITAL_TEAM))
    teams.append(_teams_of(public[Kind.HOSPITAL], per_hospital, _HOSPITAL_TEAM, plots))
    seats = np.concatenate([np.repeat(team, size) for team, size in teams])[: int(0.6 * len(chosen))]
    # Who serves lives anywhere; a sorted choice keeps most of them near.
    serving = np.sort(chosen[: len(seats)])
    place = _anchor_of(plots, seats)
    people.main[serving] = seats[np.argsort(place, kind="stable")]
    people.role[serving] = Role.SHIFT
    _employ(configuration, people, plots, public[Kind.VENUE], chosen[len(seats) :], draw)


def _care_for(people: People, workers: NDArray[np.int64]) -> int:
    units = np.unique(people.home[people.role == Role.RESIDENT])
    seats = np.repeat(units, _CARE_STAFF)[: len(workers) // 10]
    carers = workers[: len(seats)]
    people.main[carers] = seats
    people.role[carers] = Role.SHIFT
    return len(seats)


def _teams_of(
    places: NDArray[np.uint32], each: int, size: int, plots: Plots
) -> tuple[NDArray[np.uint32], int]:
    middles = ((np.arange(len(places)) + 0.5) * len(plots.x) / len(places)).astype(np.int64)
    parents = np.repeat(places, each)
    teams = plots.add(Kind.TEAM, np.repeat(middles, each), parents)
    plots.serve(parents, teams)
    return teams, size


def _anchor_of(plots: Plots, places: NDArray[np.uint32]) -> NDArray[np.int64]:
    return plots.anchors()[places]


def _employ(
    configuration: Configuration,
    people: People,
    plots: Plots,
    venues: NDArray[np.uint32],
    workers: NDArray[np.int64],
    draw: np.random.Generator,
) -> None:
    if not len(workers):
        return
    district = _destinations(configuration, plots, workers, draw)
    workers = workers[np.argsort(district, kind="stable")]  # they are in random order within a district
    district = np.sort(district)
    sizes = _firm_sizes(len(workers), draw)
    first = np.cumsum(sizes) - sizes
    firm = np.repeat(np.arange(len(sizes)), sizes)
    anchors = _residents_of(plots, district[first], draw)
    buildings = plots.add(Kind.WORKPLACE, anchors)
    counts = np.maximum(1, np.rint(sizes / configuration.team_size)).astype(np.int64)
    rank = np.arange(len(workers)) - first[firm]
    team = (np.cumsum(counts) - counts)[firm] + rank * counts[firm] // sizes[firm]
    teams = plots.add(Kind.TEAM, np.repeat(anchors, counts), np.repeat(buildings, counts))
    people.main[workers] = teams[team]
    people.role[workers] = Role.WORKER
    near_work(people, workers, anchors[firm], venues, draw)
    _commute(configuration, people, plots, workers, draw)


def _destinations(
    configuration: Configuration, plots: Plots, workers: NDArray[np.int64], draw: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the district of work: by its weight and the distance (a gravity model)."""
    centres = np.array([(district.x, district.y) for district in configuration.districts])
    away = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    weight = np.exp(-away / _COMMUTE) * np.array([district.weight for district in configuration.districts])
    totals = np.cumsum(weight / weight.sum(1, keepdims=True), axis=1)
    home = plots.district[workers]
    found = np.empty(len(workers), np.int64)
    for one in range(len(centres)):
        here = home == one
        found[here] = np.searchsorted(totals[one, :-1], draw.random(int(here.sum())))
    return found


def _firm_sizes(workers: int, draw: np.random.Generator) -> NDArray[np.int64]:
    sizes: list[NDArray[np.int64]] = []
    total = 0
    while total < workers:
        drawn = _SMALLEST * (1.0 - draw.random(max(16, workers // 10))) ** (-1.0 / _PARETO)
        sizes.append(np.minimum(drawn, min(_LARGEST, max(20.0, workers / 20))).astype(np.int64))
        total += int(sizes[-1].sum())
    every = np.concatenate(sizes)
    ends = np.cumsum(every)
    last = int(np.searchsorted(ends, workers))
    every = every[: last + 1]
    every[-1] -= int(ends[last]) - workers
    return every


def _residents_of(plots: Plots, district: NDArray[np.int64], draw: np.random.Generator) -> NDArray[np.int64]:
    """Draw a resident of each district given, beside whom a firm has its building."""
    order = np.argsort(plots.district, kind="stable")
    first = np.searchsorted(plots.district[order], np.arange(int(plots.district.max()) + 2))
    count = np.diff(first)[district]
    at = first[district] + (draw.random(len(district)) * np.maximum(count, 1)).astype(np.int64)
    return order[np.minimum(at, len(order) - 1)]


def _commute(
    configuration: Configuration,
    people: People,
    plots: Plots,
    workers: NDArray[np.int64],
    draw: np.random.Generator,
) -> None:
    riders = np.sort(workers[draw.random(len(workers)) < configuration.commuters])
    if not len(riders):
        return
    lines = max(1, round(len(riders) / configuration.line_size))
    line = np.arange(len(riders)) * lines // len(riders)
    stations = riders[np.searchsorted(line, np.arange(lines))]
    people.habits[:, Habit.TRANSPORT] = NOWHERE
    people.habits[riders, Habit.TRANSPORT] = plots.add(Kind.TRANSPORT, stations)[line]
