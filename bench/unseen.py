"""What a line list does not hold: how many cases nobody in it infected, and where chains begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.results import keep, kept
from bench.transmission import COVID, COVID_INCUBATION
from broadstreet.analysis.transmission import infer
from broadstreet.simulation.epidemic.practice import case_table, outbreak, visit_table
from broadstreet.simulation.population import build, configuration

CASES, PEOPLE, OUTBREAKS, SHARES, LIKELY = 1_000, 50_000, 10, (1.0, 0.75, 0.5), 0.5
Table = dict[str, Any]


def main() -> None:
    """Print cases without an infector in the list, and index cases, stated and true, for shares seen."""
    figures: dict[str, Any] = kept("unseen")
    print(f"{'seen':>5} {'nobody, believed .75':>21} {'with the share given':>21} {'true':>6}  index cases")
    wholes = [whole(number) for number in range(OUTBREAKS)]
    for share in SHARES:
        rows = np.array([_one(*wholes[number], share, number) for number in range(OUTBREAKS)])
        believed, given, true = rows[:, :3].mean(axis=0).round(3).tolist()
        stated, imported, first, likely, right = rows[:, 3:].sum(axis=0).round(1).tolist()
        print(
            f"{share:>5} {believed:>21.3f} {given:>21.3f} {true:>6.3f}  {stated:.1f} stated, {imported:.0f} "
            f"imported, {first:.0f} without an ancestor in the list; of {likely:.0f} likely ones {right:.0f} "
            "were imported",
            flush=True,
        )
        figures[f"{share} seen"] = {
            "nobody, believed .75": believed, "nobody, the share given": given, "nobody, true": true,
            "index cases stated": stated, "imported": int(imported),
            "without an ancestor in the list": int(first), "stated at 50 % and more": int(likely),
            "of these imported": int(right),
        }  # fmt: skip
    print(f"kept in {keep('unseen', figures)}")


def whole(number: int) -> tuple[Table, Table, dict[int, int]]:
    """Return the first cases with symptoms of an outbreak in the city, their visits, and who infected whom.

    Who was infected without symptoms is in the last only.
    """
    found = outbreak(build(configuration("demo", PEOPLE), seed=1854 + number), "covid19", imports=10, days=90)
    table = case_table(found, symptomatic=True)
    first = np.argsort(table["onset"], kind="stable")[:CASES]
    held: Table = {name: values[first] for name, values in table.items()}
    days = range(int(np.max(held["onset"])) + 1)
    every = case_table(found, symptomatic=False)
    by = dict(zip(every["id"].tolist(), every["infector"].tolist(), strict=True))
    return held, visit_table(found, held["id"], days, homes=False), by


def _one(held: Table, visits: Table, by: dict[int, int], share: float, number: int) -> list[float]:
    """Return the numbers of a row: shares of nobody, then index cases."""
    seen = np.random.default_rng(number).random(len(held["id"])) < share
    cases: Table = {name: held[name][seen] for name in ("id", "onset", "x", "y", "died")}
    for name in ("household", "class", "team"):
        cases[name] = np.array([None if value < 0 else value for value in held[name][seen].tolist()], object)
    settings: dict[str, Any] = {
        "serial_interval": COVID, "incubation": COVID_INCUBATION, "same": ("household", "class", "team"),
        "visits": visits | {"id": visits["person"]}, "seed": number,
    }  # fmt: skip
    default, told = infer(cases, **settings), infer(cases, reported=min(share, 0.99), **settings)
    known = set(cases["id"].tolist())
    nobody = np.mean([by[case] not in known for case in known])
    sources = told.sources
    chance, case = np.array(sources["probability"]), [int(name) for name in sources["case"]]
    imported = np.array([by[one] < 0 for one in case])
    return [
        float(default.study.posterior.nobody().mean()), float(told.study.posterior.nobody().mean()),
        float(nobody), float(chance.sum()), int(imported.sum()),
        sum(not _descends(one, by, known) for one in case), int((chance >= LIKELY).sum()),
        int(imported[chance >= LIKELY].sum()),
    ]  # fmt: skip


def _descends(case: int, by: dict[int, int], known: set[int]) -> bool:
    """Return whether a case of the list is among a case's infector, its infector, and so on."""
    one = by[case]
    while one >= 0 and one not in known:
        one = by[one]
    return one in known


if __name__ == "__main__":
    main()
