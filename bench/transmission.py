"""Who infected whom, scored where the truth is recorded or simulated; printed beside the peers' figures.

Tie-aware accuracy, first three, mean probability of the truth and coverage of 80 % credible sets: means
and the spread over 10 seeds or the outbreaks. MERS has no truth here: its time, and how far seeds differ.
Parts can be named: `python -m bench.transmission hagelloch city`.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import hospitals
from bench.results import keep, kept
from broadstreet.analysis.transmission import Transmission, infer, posterior
from broadstreet.analysis.transmission.settings import SUPERSPREADING
from broadstreet.simulation.epidemic.practice import case_table, outbreak, visit_table
from broadstreet.simulation.population import build, configuration

SHARED = Path(__file__).parents[2] / "shared" / "data"
SEEDS, OUTBREAKS = 10, 3
Table = dict[str, Any]

# outbreaker2, run on the same cases: ../shared/reference/README.md and the issue.
PEERS = {
    "Hagelloch, dates, family, class": "outbreaker2 .234, 147 CPU s",
    "MERS, dates": "outbreaker2 .23-.24, 102 CPU s",
}
# Measles: Vink et al. 2014, Am J Epidemiol 180:865, serial interval 11.7 days; the deviation is assumed.
MEASLES = (11.7, 2.0)
# MERS: Cowling et al. 2015, Euro Surveill 20(25):21163: serial interval 12.6 (2.8), incubation 6.7;
# its deviation from Assiri et al. 2013, N Engl J Med 369:407 (median 5.2, 95 % below 12.4).
MERS, MERS_INCUBATION = (12.6, 2.8), (6.7, 3.0)
# COVID-19: Rai et al. 2021, Clin Epidemiol Glob Health 9:157, pooled serial interval 5.2 days; the
# deviation is assumed. Incubation: Lauer et al. 2020, Ann Intern Med 172:577.
COVID, COVID_INCUBATION = (5.2, 3.5), (5.5, 2.4)


def main() -> None:
    """Run the parts named on the command line, or all; what others kept stays."""
    parts = {
        "hagelloch": hagelloch, "mers": mers, "hospitals": in_hospitals, "city": city, "many": many,
        "one_day": one_day, "power": power,
    }  # fmt: skip
    chosen = [name for name in sys.argv[1:] if name in parts] or list(parts)
    figures: dict[str, Any] = kept("transmission")
    print(f"{'work':<44} {'top 1':>12} {'top 3':>6} {'p':>6} {'80 %':>6} {'CPU s':>6}  peer", flush=True)
    for name in chosen:
        if name in ("hagelloch", "mers") and not SHARED.exists():
            print(f"no shared data at {SHARED}: without {name}")
            continue
        parts[name](figures)
    print(f"kept in {keep('transmission', figures)}")


def hagelloch(figures: dict[str, Any]) -> None:
    rows = _rows("measles_hagelloch_1861")
    cases = {
        "id": rows["case_ID"], "onset": rows["date_of_prodrome"], "died": rows["date_of_death"],
        "household": rows["family_ID"], "class": rows["class"], "x": rows["x_loc"], "y": rows["y_loc"],
    }  # fmt: skip
    truth = {"case": rows["case_ID"], "infector": rows["infector"]}
    for name, same, near in (
        ("Hagelloch, dates", (), ()),
        ("Hagelloch, dates, family, class", ("household", "class"), ()),
        ("Hagelloch, with distance", ("household", "class"), ("x", "y")),
    ):
        _over_seeds(
            name, figures, truth,
            lambda seed, same=same, near=near: infer(  # type: ignore[misc]
                cases, serial_interval=MEASLES, same=same, near=near, seed=seed
            ),
        )  # fmt: skip


def mers(figures: dict[str, Any]) -> None:
    rows = _rows("mers_korea_2015")
    dates = {"id": rows["id"], "onset": rows["dt_onset"]}
    course = dates | {"diagnosed": rows["dt_diag"], "died": rows["dt_death"], "hospital": rows["loc_hosp"]}
    windows = course | {"exposed_from": rows["dt_start_exp"], "exposed_to": rows["dt_end_exp"]}
    for name, cases, same in (
        ("MERS, dates", dates | {"diagnosed": rows["dt_diag"]}, ()),
        ("MERS, without exposure windows", course, ("hospital",)),
        ("MERS, with exposure windows", windows, ("hospital",)),
    ):
        incubation = None if name == "MERS, dates" else MERS_INCUBATION
        found, seconds = [], []
        for seed in range(SEEDS):
            begin = time.process_time()
            result = infer(cases, serial_interval=MERS, incubation=incubation, same=same, near=(), seed=seed)
            seconds.append(time.process_time() - begin)
            found.append(result.study.posterior.pair)
        apart = float(np.abs(found[0] - np.mean(found, axis=0)).max())
        print(
            f"{name:<44} no truth here; seeds differ by at most {apart:.3f}; {np.median(seconds):.1f} CPU s"
            f"  {PEERS.get(name, '')}",
            flush=True,
        )
        figures[name] = {"CPU s": round(float(np.median(seconds)), 2), "seeds differ by": round(apart, 4)}


def in_hospitals(figures: dict[str, Any]) -> None:
    """Score simulated outbreaks with superspreaders in hospitals, with and without exposure windows."""
    every: dict[str, list[list[float]]] = {}
    serial = hospitals.serial_interval()
    for seed in range(2 * SEEDS):
        cases, windows, truth = hospitals.outbreak(seed)
        dates = {name: cases[name] for name in ("id", "onset", "diagnosed")}
        for name, table, same, incubation in (
            ("hospitals, dates", dates, (), None),
            ("hospitals, dates and hospital", cases, ("hospital",), MERS_INCUBATION),
            ("hospitals, with exposure windows", cases | windows, ("hospital",), MERS_INCUBATION),
        ):
            begin = time.process_time()
            found = infer(table, serial_interval=serial, incubation=incubation, same=same, near=(), seed=seed)
            score, seconds = found.evaluate(truth), time.process_time() - begin
            every.setdefault(name, []).append(
                [score.accuracy, score.top3, score.probability, score.coverage, seconds]
            )
    for name, scores in every.items():
        _tell(name, np.array(scores), figures)


def city(figures: dict[str, Any]) -> None:
    """Score 1,000 cases of the city's outbreaks, half of them seen: each evidence alone, and all.

    Accuracy is that among cases whose infector is in the list; and, where "nobody" is an answer, among all.
    """
    every: dict[str, list[list[float]]] = {}
    apart: list[float] = []
    for number in range(OUTBREAKS):
        cases, visits, truth = observed(number)
        groups, point = ("household", "class", "team"), ("x", "y")
        kinds: dict[str, dict[str, Any]] = {
            "city, dates": {"same": (), "near": ()},
            "city, dates and groups": {"same": groups, "near": ()},
            "city, dates and distance": {"same": (), "near": point},
            "city, dates and places": {"same": (), "near": (), "visits": visits},
            "city, all evidence": {"same": groups, "near": point, "visits": visits},
        }
        for name, settings in kinds.items():
            begin = time.process_time()
            found = _seen_by_half(cases, number, settings)
            seconds = time.process_time() - begin
            linked, whole = found.evaluate(truth), found.evaluate(truth, nobody=True)
            every.setdefault(name, []).append([
                linked.accuracy, linked.top3, linked.probability, linked.coverage, seconds,
                whole.accuracy, whole.coverage, whole.log_score,
            ])  # fmt: skip
        again = _seen_by_half(cases, number + 100, settings)
        apart.append(_variation(found, again))
    for name, scores in every.items():
        table = np.array(scores)
        _tell(name, table[:, :5], figures)
        accuracy, coverage, logarithm = table[:, 5:].mean(axis=0).round(3).tolist()
        figures[name] |= {
            "top 1, nobody counted": accuracy, "coverage, nobody counted": coverage,
            "log score, nobody counted": logarithm,
        }  # fmt: skip
        print(f"{'  nobody counted':<44} {accuracy:.3f}, covered {coverage:.3f}, log score {logarithm:.3f}")
    figures["city, all evidence"]["two seeds differ by"] = round(float(np.mean(apart)), 4)
    print(f"two seeds differ by {np.mean(apart):.4f} (mean total variation over cases)")


def _seen_by_half(cases: Table, seed: int, settings: dict[str, Any]) -> Transmission:
    return infer(
        cases, serial_interval=COVID, incubation=COVID_INCUBATION, reported=0.5, seed=seed, **settings
    )


def _variation(one: Transmission, other: Transmission) -> float:
    """Return the mean total variation of the infectors of two results."""
    change = np.abs(one.study.posterior.pair - other.study.posterior.pair).sum()
    nobody = np.abs(one.study.posterior.nobody() - other.study.posterior.nobody()).sum()
    return float(change + nobody) / 2.0 / one.study.pairs.size


def observed(number: int, cases: int = 1_000, people: int = 50_000) -> tuple[Table, Table, Table]:
    """Return the line list, visits and truth of an outbreak in the city of which every other case is seen.

    It has the cases to the day on which the last of them fell ill, as a list made on that day has.
    """
    found = outbreak(build(configuration("demo", people), seed=1854 + number), "covid19", imports=10, days=90)
    table = case_table(found, symptomatic=True)
    first = np.argsort(table["onset"], kind="stable")[: 2 * cases]
    seen = first[np.random.default_rng(number).random(len(first)) < 0.5]
    held: Table = {name: values[seen] for name, values in table.items()}
    last = int(np.max(held["onset"])) + 1
    visits = visit_table(found, held["id"], range(last), homes=False)
    known = set(held["id"].tolist())
    truth = {
        "case": held["id"], "infector": [who if who in known else None for who in held["infector"].tolist()],
    }  # fmt: skip
    lines = {name: held[name] for name in ("id", "onset", "x", "y", "died")}
    for name in ("household", "class", "team"):
        lines[name] = np.array([None if value < 0 else value for value in held[name].tolist()], object)
    return lines, visits | {"id": visits["person"]}, truth


def power(figures: dict[str, Any]) -> None:
    """Score the city's outbreaks with what speaks for a link beside its dates counted with several powers."""
    groups, kept_as = ("household", "class", "team"), posterior.TELLING
    outbreaks = [observed(number) for number in range(OUTBREAKS)]
    for one in (1.0, 1.15, 1.3, 1.5):
        posterior.TELLING = one
        for name, same, visited in (("groups", groups, False), ("places", (), True), ("both", groups, True)):
            scores = [
                _seen_by_half(
                    cases, number, {"same": same, "near": ()} | ({"visits": visits} if visited else {})
                ).evaluate(truth)
                for number, (cases, visits, truth) in enumerate(outbreaks)
            ]  # fmt: skip
            row = [[score.accuracy, score.log_score, score.coverage] for score in scores]
            accuracy, logarithm, coverage = np.mean(row, axis=0).round(3).tolist()
            print(f"power {one}, {name:<8} {accuracy:.3f}, log score {logarithm:.3f}, covered {coverage:.3f}")
            figures[f"power {one}, {name}"] = {
                "top 1": accuracy, "log score": logarithm, "coverage of 80 % sets": coverage,
            }  # fmt: skip
    posterior.TELLING = kept_as


def many(figures: dict[str, Any]) -> None:
    """Time 5,000 cases with a window of 30 days, compiled code loaded by a few cases before: medians of 3."""
    generator = np.random.default_rng(1)
    cases = {
        "id": np.arange(5_000), "onset": np.sort(generator.integers(0, 180, 5_000)),
        "household": generator.integers(0, 2_000, 5_000), "class": generator.integers(0, 200, 5_000),
        "x": generator.random(5_000), "y": generator.random(5_000),
    }  # fmt: skip
    few = {name: values[:50] for name, values in cases.items()}
    for mode, spread in (("", SUPERSPREADING), (", all equally infectious", None)):
        infer(few, serial_interval=COVID, superspreading=spread, seed=1).update(
            {name: values[:1] for name, values in few.items()}
        )
        took, shares = [], []
        for _ in range(3):
            begin = time.process_time()
            found = infer(
                cases, serial_interval=np.r_[0.0, np.full(30, 1.0 / 30.0)], superspreading=spread, seed=1
            )
            took.append(time.process_time() - begin)
            begin = time.process_time()
            found.update({name: [values[7]] for name, values in cases.items()})
            shares.append((time.process_time() - begin) / took[-1])
        seconds, share = sorted(took)[1], sorted(shares)[1]
        pairs = len(found.study.pairs.infector)
        print(
            f"5,000 cases, 30-day window{mode}: {pairs:,} pairs, {seconds:.1f} CPU s; an update {share:.0%}"
        )
        figures[f"5,000 cases, 30-day window{mode}: CPU s"] = round(seconds, 2)
        figures[f"5,000 cases, an update{mode}: share of the time"] = round(share, 3)


def one_day(figures: dict[str, Any]) -> None:
    """Time 10,000 cases with one day of onset, where any may have infected any."""
    generator = np.random.default_rng(2)
    household = generator.integers(0, 4_000, 10_000)
    cases = {"id": np.arange(10_000), "onset": np.zeros(10_000, int), "household": household}
    begin = time.process_time()
    found = infer(
        cases, serial_interval=COVID, incubation=COVID_INCUBATION, same=("household",), near=(), seed=1
    )
    seconds = time.process_time() - begin
    share = found.diagnostics["share_of_pairs_kept"]
    print(f"10,000 cases on one day: {seconds:.1f} CPU s, one of {1.0 / share:.0f} candidates looked at")
    figures["10,000 cases on one day: CPU s"] = round(seconds, 1)


def _over_seeds(name: str, figures: dict[str, Any], truth: Table, run: Callable[[int], Transmission]) -> None:
    scores, error = [], 0.0
    for seed in range(SEEDS):
        begin = time.process_time()
        found = run(seed)
        seconds = time.process_time() - begin
        score = found.evaluate(truth)
        error = score.accuracy_error
        scores.append([score.accuracy, score.top3, score.probability, score.coverage, seconds])
    _tell(name, np.array(scores), figures)
    figures[name]["standard error over cases"] = round(error, 3)


def _tell(name: str, scores: NDArray[np.float64], figures: dict[str, Any]) -> None:
    mean, spread = scores.mean(axis=0), scores.std(axis=0)
    seconds = float(np.median(scores[:, 4]))
    print(
        f"{name:<44} {mean[0]:.3f} ± {spread[0]:.3f} {mean[1]:>6.3f} {mean[2]:>6.3f} {mean[3]:>6.3f} "
        f"{seconds:>6.2f}  {PEERS.get(name, '')}",
        flush=True,
    )
    figures[name] = {
        "top 1": round(float(mean[0]), 3), "spread": round(float(spread[0]), 3),
        "top 3": round(float(mean[1]), 3), "probability of the truth": round(float(mean[2]), 3),
        "coverage of 80 % sets": round(float(mean[3]), 3),
        "CPU s": round(seconds, 2),
    }  # fmt: skip


def _rows(folder: str) -> dict[str, list[str]]:
    with (SHARED / folder / "linelist.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


if __name__ == "__main__":
    main()
