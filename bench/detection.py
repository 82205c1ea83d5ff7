"""Compare EARS C1, C2 and C3 as the rule of the tests: false signals, and outbreaks found.

The counts are those of simulated cities (every visit named by the table of syndromes, as the hub names
it), and of the emergency fever visits of New York, November 2001, where the shared data lie. A false
signal is one of the background alone. An outbreak is found if one of its days is an alarm of its syndrome
in the city or its district, and would not be one without it. The default rule was chosen on seeds 0 to 15.
"""

from __future__ import annotations

import os
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
from broadstreet.workflows.surveillance.episodes import Alarm, Episode, grouped

from bench.results import keep
from broadstreet.analysis.aberration.ears import Method
from broadstreet.model import syndromes
from broadstreet.simulation import City
from broadstreet.workflows.surveillance.days import date_of, number_of
from broadstreet.workflows.surveillance.resources import FEVER
from broadstreet.workflows.surveillance.rule import Rule, apply_rule

SEEDS = range(100, 124)
SHARED = Path(os.environ.get("BROADSTREET_SHARED", Path(__file__).resolve().parents[2] / "shared"))
METHODS: tuple[Method, ...] = ("C1", "C2", "C3")
RULES = {
    **{f"{m}, week, usual alpha": Rule(method=m, alpha=None, baseline=7) for m in METHODS},
    **{f"{m}, growing, usual alpha": Rule(method=m, alpha=None) for m in METHODS},
    **{f"{m}, growing, 1e-6": Rule(method=m) for m in METHODS},
}
DEFAULT = "C2, growing, 1e-6"
SMALL = 0.25

Series = tuple[str, str]
Counts = Counter[tuple[str, str, int]]


@dataclass
class Run:
    """The counts of one city, with and without its outbreak."""

    city: City
    background: Counts = field(default_factory=Counter)
    whole: Counts = field(default_factory=Counter)


def main() -> None:
    figures: dict[str, object] = {"cities": len(SEEDS), "days": 120, "default": DEFAULT}
    assert RULES[DEFAULT] == Rule()
    runs = [simulated(seed) for seed in SEEDS]
    for name, rule in RULES.items():
        of_rule = compared(runs, rule) | new_york(rule)
        figures[name] = of_rule
        print(name, *(f"  {what:<58} {figure}" for what, figure in of_rule.items()), sep="\n", flush=True)
    print(f"kept in {keep('detection', figures)}")


def compared(runs: list[Run], rule: Rule) -> dict[str, object]:
    false = [list(signals(run.background, rule)) for run in runs]
    of_city = [sum(series[1] == "city" for series, _ in each) for each in false]
    told: dict[str, object] = {
        "false signals in 120 days, mean": round(statistics.mean(map(len, false)), 1),
        "false signals in 120 days, fewest and most": f"{min(map(len, false))} to {max(map(len, false))}",
        "of them on city totals, mean": round(statistics.mean(of_city), 1),
    }
    for name, share in (("outbreaks", 1.0), ("outbreaks of a quarter of the size", SMALL)):
        delays = [each for run in runs if (each := delay(run, rule, share)) is not None]
        told[f"{name} found"] = f"{len(delays)} of {len(runs)}"
        told[f"{name}: days from first visit to alarm, mean"] = round(statistics.mean(delays), 1)
    return told


def simulated(seed: int) -> Run:
    city = City(seed)
    run = Run(city)
    for number in range(city.clinics):
        clinic = city.clinic(number)
        for day in range(city.days):
            for visit in clinic.visits(day):
                codes = [visit.diagnosis[0]] if visit.diagnosis else []
                codes += [FEVER] if (visit.temperature or 0) >= 38 else []
                on = number_of(city.date_of(day))
                for stream in ("visits", *syndromes.classify(visit.complaint, codes)):
                    for place in ("city", visit.person.district.code):
                        run.whole[stream, place, on] += 1
                        run.background[stream, place, on] += not visit.injected
    return run


def alarms(counts: Counts, rule: Rule) -> dict[Series, list[Alarm]]:
    names = sorted({(stream, place) for stream, place, _ in counts if stream != "visits"})
    numbers = {name: number for number, name in enumerate(names)}
    rows = sorted((numbers[s, p], day, n) for (s, p, day), n in counts.items() if n and s != "visits")
    series, days, n = np.array(rows, np.int64).T
    reported = np.array(sorted({day for stream, _, day in counts if stream == "visits"}), np.int64)
    at = np.flatnonzero(n >= rule.minimum)
    found = apply_rule(series, days, n, (series[at], days[at]), reported, rule)
    told: dict[Series, list[Alarm]] = {}
    for place in np.flatnonzero(found.alarm):
        alarm = Alarm(
            int(days[at[place]]),
            int(found.observed[place]),
            found.expected[place],
            found.upper[place],
            0.0,
            0,
        )
        told.setdefault(names[series[at[place]]], []).append(alarm)
    return told


def signals(counts: Counts, rule: Rule) -> Iterator[tuple[Series, Episode]]:
    for name, of_series in alarms(counts, rule).items():
        for episode in grouped(of_series):
            yield name, episode


def delay(run: Run, rule: Rule, share: float) -> int | None:
    truth = run.city.truth
    start, end = number_of(truth.start), number_of(truth.end)
    whole, background = alarms(thinned(run, share), rule), alarms(run.background, rule)
    days = {
        alarm.day
        for place in ("city", truth.district)
        for alarm in {*whole.get((truth.syndrome, place), [])}
        if alarm.day not in {each.day for each in background.get((truth.syndrome, place), [])}
    }
    return min((day - start for day in days if start <= day <= end), default=None)


def thinned(run: Run, share: float) -> Counts:
    """Return the counts with a share of the outbreak's visits, which all live in one district."""
    draw, counts = random.Random(run.city.seed), Counter(run.background)
    for (stream, place, day), number in sorted(run.whole.items()):
        if place == "city":
            injected = number - run.background[stream, place, day]
            kept = sum(draw.random() < share for _ in range(injected))
            counts[stream, place, day] += kept
            counts[stream, run.city.truth.district, day] += kept
    return counts


def new_york(rule: Rule) -> dict[str, object]:
    path = SHARED / "data" / "nyc_fever_2001" / "NYCfever.cas"
    if not path.is_file():
        return {}
    counts: Counts = Counter()
    for line in path.read_text().splitlines():
        code, cases, day = line.split()
        on = number_of(date(*map(int, day.split("/"))))
        for stream in ("fever", "visits"):
            for place in ("city", code):
                counts[stream, place, on] += int(cases)
    found = sorted(signals(counts, rule))
    in_city = [date_of(episode[0].day).isoformat() for series, episode in found if series[1] == "city"]
    plain = replace(rule, minimum=1)
    return {
        "New York 2001: the city's signals begin": ", ".join(in_city) or "none",
        "New York 2001: signals by ZIP code": len(found) - len(in_city),
        "New York 2001: by ZIP code with a minimum of 1": sum(
            series[1] != "city" for series, _ in signals(counts, plain)
        ),
    }


if __name__ == "__main__":
    main()
