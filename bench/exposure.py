"""How often the source of an outbreak comes first: a place by reported visits, a site on a map."""

from __future__ import annotations

import csv
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import visited_city
from bench.results import keep
from broadstreet.analysis.exposure import rank_sites, rank_visits
from broadstreet.model.pathogens import pathogen_named
from broadstreet.simulation.epidemic.practice import case_table, common_source, controls_for, visit_table
from broadstreet.simulation.population import City, Kind, build, configuration

OUTBREAKS, CITIES = 200, 4
PEOPLE = 120_000
PATHOGENS = {
    "norovirus": (0, 5),
    "covid19": (1, 14),
}  # and days before onset in which exposures are asked for
CASES, OBSERVED, RECALLED, ATTACK, CONTROLS = 20, 0.5, 0.6, 0.05, 4
LEAST_VISITORS = 100
FIRST_DAY = 14
PUMP_CASES, PUMP_STRAYS, PUMP_REACH = 30, 0.4, 2.0
SNOW = Path(os.environ.get("BROADSTREET_SHARED", "../shared")) / "data" / "snow_1854"
Table = dict[str, Any]


@dataclass
class Score:
    """How often the truth is first and among the first three."""

    first: int = 0
    three: int = 0
    number: int = 0

    def add(self, ranked: list[Any], truth: Any) -> None:
        self.number += 1
        self.first += ranked[:1] == [truth]
        self.three += truth in ranked[:3]

    def told(self) -> dict[str, str]:
        return {"first": _share(self.first, self.number), "top 3": _share(self.three, self.number)}


def _share(hits: int, number: int) -> str:
    share = hits / number
    return f"{100 * share:.1f} % (se {100 * math.sqrt(share * (1 - share) / number):.1f})"


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else OUTBREAKS
    figures: dict[str, Any] = {}
    places(outbreaks(number), figures, "the city")
    places(
        hard_outbreaks(number), figures, "a town with popular places, half of the cases infected by others"
    )
    pumps(number, figures)
    print(f"kept in {keep('exposure', figures)}")


Given = tuple[str, str, dict[str, Table], int]
"""Pathogen, true place, tables, and how many candidate places there are."""


def places(given: Iterator[Given], figures: dict[str, Any], where: str) -> None:
    """Rank places in outbreaks, beside counts and odds ratio."""
    scores: dict[str, dict[str, Score]] = {}
    chances, common, seconds, candidates = [], [], 0.0, []
    for pathogen, truth, tables, held in given:
        candidates.append(held)
        start = time.process_time()
        found = rank_visits(
            tables["visits"], tables["cases"], tables["controls"], PATHOGENS[pathogen],
            incubation=_incubation(pathogen),
        )  # fmt: skip
        seconds += time.process_time() - start
        blind = rank_visits(tables["visits"], tables["cases"], tables["controls"], PATHOGENS[pathogen])
        ranked = list(found.places["place"])
        chances.append(found.places["probability"][ranked.index(truth)] if truth in ranked else 0.0)
        common.append(found.common_source)
        rankings = {
            "rank_visits": ranked,
            "rank_visits, incubation not told": list(blind.places["place"]),
            **_plain(tables, PATHOGENS[pathogen]),
        }
        for name, ranking in rankings.items():
            for group in (pathogen, "all"):
                scores.setdefault(name, {}).setdefault(group, Score()).add(ranking, truth)
    number = len(chances)
    told: dict[str, Any] = {"outbreaks": number, "candidate places, fewest": min(candidates)}
    print(f"{number} outbreaks in {where}, {min(candidates)} or more candidate places")
    for name, groups in scores.items():
        for group, score in sorted(groups.items()):
            print(f"  {name:<34} {group:<10} first {score.told()['first']}, top 3 {score.told()['top 3']}")
            told[f"{name}, {group}"] = score.told()
    told["probability of the true place, mean"] = round(float(np.mean(chances)), 3)
    told["probability of a common source, mean"] = round(float(np.mean(common)), 3)
    told["CPU s an outbreak"] = round(seconds / number, 2)
    print(f"  probability of the true place {np.mean(chances):.3f}; {seconds / number:.2f} CPU s an outbreak")
    figures[where] = told


def outbreaks(number: int) -> Iterator[Given]:
    """Yield outbreaks of the synthetic city."""
    each = -(-number // CITIES)
    done = 0
    for seed in range(CITIES):
        city = build(configuration("demo", PEOPLE), seed)
        visitors = _visitors(city)
        able = np.flatnonzero(visitors >= LEAST_VISITORS)
        generator = np.random.default_rng([seed, 1854])
        for _ in range(each):
            if done == number:
                return
            pathogen = list(PATHOGENS)[done % len(PATHOGENS)]
            source = int(generator.choice(able))
            tables = _tables(city, source, pathogen, generator)
            if tables is None:
                continue
            done += 1
            yield pathogen, str(source), tables, len(able)


def hard_outbreaks(number: int) -> Iterator[Given]:
    """Yield outbreaks of a town whose places differ much in popularity."""
    town = visited_city.build(1)
    for seed in range(number):
        drawn = visited_city.outbreak(town, seed, cases=CASES, controls=40, secondary=0.5)
        tables = {"visits": drawn.visits, "cases": drawn.cases, "controls": drawn.controls}
        yield "covid19", str(drawn.source), tables, town.places


def _visitors(city: City) -> NDArray[np.int64]:
    """Return how many people go to each place where people meet by choice, in three days."""
    outcome = common_source(city, spreads=False)
    rows = visit_table(outcome, np.arange(len(city.people)), range(FIRST_DAY, FIRST_DAY + 3), homes=False)
    public = np.isin(rows["kind"], (Kind.SHOP, Kind.VENUE, Kind.WORSHIP))
    pairs = np.unique(np.column_stack([rows["person"][public], rows["place"][public]]), axis=0)
    return np.bincount(pairs[:, 1], minlength=len(city.places.kind))


def _tables(
    city: City, source: int, pathogen: str, generator: np.random.Generator
) -> dict[str, Table] | None:
    """Return what an investigator has of an outbreak; None where the place infects too few."""
    for days in (1, 2, 3, 5, 7):
        outcome = common_source(
            city, source, pathogen=pathogen, attack=ATTACK, day=FIRST_DAY, days=days, spreads=True
        )
        cases = case_table(outcome, first=CASES)
        if len(cases["id"]) == CASES and (cases["place"] == source).sum() >= CASES / 2:
            break
    else:
        return None
    seen = generator.permutation(CASES)[: round(CASES * OBSERVED)]
    ill = cases["id"][seen].astype(np.int64)
    well = controls_for(outcome, ill, each=CONTROLS)
    last = int(np.floor(cases["onset"][seen].max()))
    told = visit_table(outcome, np.concatenate([ill, well]), range(last + 1), recall=RECALLED, homes=False)
    return {
        "visits": {
            "id": told["person"], "place": told["place"], "day": np.floor(told["start"]).astype(int),
        },
        "cases": {"id": ill, "onset": np.floor(cases["onset"][seen]).astype(int), **_traits(city, ill)},
        "controls": {"id": well, **_traits(city, well)},
    }  # fmt: skip


def _traits(city: City, people: NDArray[np.int64]) -> Table:
    main = city.people.main[people].astype(np.int64)
    return {
        "home": city.home_district[people].astype(int),
        "age": city.people.age[people].astype(int),
        "household": city.people.home[people].astype(np.int64),
        "workplace": [None if place >= len(city.places.kind) else int(place) for place in main],
    }


def _incubation(pathogen: str) -> tuple[float, float]:
    known = pathogen_named(pathogen).incubation
    return known.mean, known.mean * math.sqrt(math.expm1(known.sigma**2))


def _plain(tables: dict[str, Table], window: tuple[int, int]) -> dict[str, list[str]]:
    """Return the places by how many cases report them in their windows, and by odds ratio."""
    onset = dict(zip(tables["cases"]["id"].tolist(), tables["cases"]["onset"].tolist(), strict=True))
    early, late = min(onset.values()) - window[1], max(onset.values()) - window[0]
    ill: dict[int, set[int]] = {}
    well: dict[int, set[int]] = {}
    columns = (tables["visits"][name].tolist() for name in ("id", "place", "day"))
    for who, place, day in zip(*columns, strict=True):
        if who in onset and window[0] <= onset[who] - day <= window[1]:
            ill.setdefault(place, set()).add(who)
        elif who not in onset and early <= day <= late:
            well.setdefault(place, set()).add(who)
    cases, controls = len(onset), len(tables["controls"]["id"])

    def ratio(place: int) -> float:
        a, b = len(ill[place]), len(well.get(place, ()))
        return (a + 0.5) * (controls - b + 0.5) / ((cases - a + 0.5) * (b + 0.5))

    return {
        "counts": [str(place) for place in sorted(ill, key=lambda place: (-len(ill[place]), place))],
        "odds ratio": [str(place) for place in sorted(ill, key=lambda place: (-ratio(place), place))],
    }


def pumps(number: int, figures: dict[str, Any]) -> None:
    """Rank the pumps of Soho in outbreaks around one of them, along the real streets."""
    if not SNOW.exists():
        print("no shared data: pumps are left out")
        return
    streets, sites, real = (_snow(name) for name in ("streets", "pumps", "deaths"))
    sites["site"] = sites["label"]
    start = time.process_time()
    found = rank_sites(real, sites, streets)
    figures["Snow's deaths"] = {
        "first": found.sites["site"][0], "log Bayes factors": found.sites["log_bayes_factor"][:2],
        "CPU s": round(time.process_time() - start, 2),
    }  # fmt: skip
    print(f"Snow's 578 deaths: {found.sites['site'][0]}, then {found.sites['site'][1]}")
    generator = np.random.default_rng(1854)
    scores = {name: Score() for name in ("rank_sites", "most cases nearest", "nearest to the mean")}
    spots = np.column_stack([found.catchment["x"], found.catchment["y"]])
    people = np.array(found.catchment["people"])
    walked = _walked(spots, sites, streets)
    for _ in range(number):
        source = int(generator.integers(len(sites["site"])))
        cases = spots[_struck(generator, walked[source], people)] + generator.normal(0, 0.1, (PUMP_CASES, 2))
        ranked = rank_sites({"x": cases[:, 0], "y": cases[:, 1]}, sites, streets)
        nearest = np.array([ranked.cases["nearest"].count(site) for site in sites["site"]])
        centre = np.hypot(sites["x"] - cases[:, 0].mean(), sites["y"] - cases[:, 1].mean())
        names = np.array(sites["site"], object)
        scores["rank_sites"].add(list(ranked.sites["site"]), sites["site"][source])
        scores["most cases nearest"].add(names[np.argsort(-nearest, kind="stable")].tolist(), names[source])
        scores["nearest to the mean"].add(names[np.argsort(centre)].tolist(), names[source])
    print(f"{number} outbreaks of {PUMP_CASES} cases around a pump, {PUMP_STRAYS:.0%} of them strays")
    for name, score in scores.items():
        print(f"  {name:<34} {'':<10} first {score.told()['first']}, top 3 {score.told()['top 3']}")
        figures[f"pumps, {name}"] = score.told()


def _snow(name: str) -> Table:
    with (SNOW / f"Snow.{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    table: Table = {key: [row[key] for row in rows] for key in rows[0]}
    return table | {axis: np.array([float(cell) for cell in table[axis]]) for axis in "xy"}


def _walked(spots: NDArray[np.float64], sites: Table, streets: Table) -> NDArray[np.float64]:
    """Return the walking distance of each spot from each pump, one pump at a time."""
    distances = []
    for at in range(len(sites["site"])):
        one = {name: [sites[name][at]] for name in ("site", "x", "y")}
        distances.append(rank_sites({"x": spots[:, 0], "y": spots[:, 1]}, one, streets).cases["distance"])
    return np.array(distances)


def _struck(
    generator: np.random.Generator, walked: NDArray[np.float64], people: NDArray[np.float64]
) -> NDArray[np.int64]:
    near = people * np.exp(-walked / PUMP_REACH)
    strays = round(PUMP_CASES * PUMP_STRAYS)
    some = generator.choice(len(people), PUMP_CASES - strays, p=near / near.sum())
    rest = generator.choice(len(people), strays, p=people / people.sum())
    return np.concatenate([some, rest])


if __name__ == "__main__":
    main()
