"""Outbreaks in hospitals with superspreaders: exposure windows as lists of MERS have them, and the truth."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

CASES, HOSPITALS, FEWEST = 150, 12, 60
# Assumed: a few infect most, more than for MERS in the Middle East (0.26; Kucharski and Althaus 2015, Euro
# Surveill 20(25):21167); isolation about 5.5 days after onset. Incubation as in bench/transmission.py.
DISPERSION, REPRODUCTION = 0.1, 2.2
INCUBATION, AFTER_ONSET = (6.7, 3.0), (5.9, 3.0)
MOVED, ELSEWHERE, UNSURE = 0.25, 0.6, 4
Table = dict[str, Any]


def outbreak(seed: int) -> tuple[Table, Table, Table]:
    """Return cases with onset, diagnosis and hospital, their exposure windows, and who infected whom.

    A window begins and ends up to three days off the day of infection, and before onset.
    """
    for attempt in range(200):
        generator = np.random.default_rng([seed, attempt])
        rows = _spread(generator)
        if len(rows) >= FEWEST:
            break
    early, late = generator.integers(0, UNSURE, (2, len(rows)))
    infected, by, place, onset, isolated = (np.array(column) for column in zip(*rows, strict=True))
    cases = {
        "id": list(range(len(rows))), "onset": np.floor(onset).astype(int),
        "diagnosed": np.floor(isolated).astype(int) + 1, "hospital": [str(one) for one in place.tolist()],
    }  # fmt: skip
    windows = {
        "exposed_from": np.floor(infected - early).astype(int),
        "exposed_to": np.floor(np.minimum(infected + late, onset)).astype(int),
    }
    truth = {"case": cases["id"], "infector": [None if one < 0 else int(one) for one in by.tolist()]}
    return cases, windows, truth


def serial_interval(outbreaks: int = 50) -> tuple[float, float]:
    """Return mean and deviation of days from onset to onset in other outbreaks, as for MERS."""
    gaps: list[int] = []
    for seed in range(1_000, 1_000 + outbreaks):
        cases, _, truth = outbreak(seed)
        onset = cases["onset"].tolist()
        gaps += [onset[i] - onset[j] for i, j in enumerate(truth["infector"]) if j is not None]
    return float(np.mean(gaps)), float(np.std(gaps))


def _spread(generator: np.random.Generator) -> list[tuple[float, int, int, float, float]]:
    """Return infection, infector, hospital, onset and isolation of cases in the order of infection."""
    rows: list[tuple[float, int, int, float, float]] = []
    waiting = [(0.0, -1, 0)]
    while waiting and len(rows) < CASES:
        when, by, place = heapq.heappop(waiting)
        onset = when + _gamma(generator, *INCUBATION)
        isolated = onset + generator.gamma(2.5, 2.2)
        rows.append((when, by, place, onset, isolated))
        other = int(generator.integers(HOSPITALS)) if generator.random() < MOVED else place
        for _ in range(generator.poisson(generator.gamma(DISPERSION, REPRODUCTION / DISPERSION))):
            at = onset + max(_gamma(generator, *AFTER_ONSET) - 1.0, 0.0)
            if at <= isolated:
                there = place if generator.random() < ELSEWHERE else other
                heapq.heappush(waiting, (at, len(rows) - 1, there))
    return rows


def _gamma(generator: np.random.Generator, mean: float, sd: float) -> float:
    return float(generator.gamma((mean / sd) ** 2, sd**2 / mean))
