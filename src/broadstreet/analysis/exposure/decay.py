"""Risk that falls with the distance from a site: its evidence, its reach, and which case it explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Numbers = NDArray[np.float64]

_REACHES = np.geomspace(0.01, 1.0, 40)  # h, of the diameter of the ground
_STRAYS = (np.arange(20) + 0.5) / 20.0  # w, the share of cases that a site does not explain
_ROUNDS = 200  # of expectation and maximisation
_SETTLED = 1e-6


@dataclass(frozen=True)
class Fit:
    """One site as the source.

    Attributes
    ----------
    log_bayes_factor : float
        Log evidence against cases spread like people.
    reach : float
        Distance by which risk falls to 1/e: geometric mean of its posterior.
    explained : float
        Share of cases that the site accounts for: mean of its posterior.
    """

    log_bayes_factor: float
    reach: float
    explained: float


def fit(near: Numbers, spots: Numbers, people: Numbers, weights: NDArray[np.int64], diameter: float) -> Fit:
    """Integrate the likelihood of one site over reach and strays.

    Parameters
    ----------
    near : ndarray, shape (cases,)
        Distance of each case from the site.
    spots, people : ndarray, shape (spots,)
        Distance of each spot from it, and the share of people there.
    weights : ndarray of int, shape (cases,)
    diameter : float
    """
    evidence = np.empty((len(_REACHES), len(_STRAYS)))
    for row, reach in enumerate(_REACHES * diameter):
        density = _density(near, spots, people, reach)
        for column, stray in enumerate(_STRAYS):
            evidence[row, column] = weights @ np.log((1.0 - stray) * density + stray)
    total = float(logsumexp(evidence))
    posterior = np.exp(evidence - total)
    return Fit(
        total - float(np.log(evidence.size)),
        float(np.exp(posterior.sum(axis=1) @ np.log(_REACHES * diameter))),
        float(posterior.sum(axis=0) @ (1.0 - _STRAYS)),
    )


def _density(near: Numbers, spots: Numbers, people: Numbers, reach: float) -> Numbers:
    """Return how much denser cases are than people, where risk falls to 1/e within a reach."""
    # From the nearest spot on, so that a far site does not underflow to 0 / 0.
    start = spots.min()
    if not np.isfinite(start):
        return np.zeros_like(near)
    density: Numbers = np.exp(np.minimum((start - near) / reach, 700.0)) / (
        people @ np.exp((start - spots) / reach)
    )
    return density


def attribute(
    near: Numbers, spots: Numbers, people: Numbers, weights: NDArray[np.int64], diameter: float
) -> Numbers:
    """Return the probability that each site, or none (the last row), is where each case comes from.

    A mixture of all sites with one reach and of people as they are spread; the shares by expectation and
    maximisation, the reach that with the highest likelihood. Shape (sites + 1, cases).
    """
    best, found = -np.inf, np.zeros((len(near) + 1, near.shape[1]))
    for reach in _REACHES[::2] * diameter:
        density = np.ones((len(near) + 1, near.shape[1]))
        for site in range(len(near)):
            density[site] = _density(near[site], spots[site], people, reach)
        share, likelihood = _shares(density, weights)
        if likelihood > best:
            best = likelihood
            found = share[:, np.newaxis] * density
    attributed: Numbers = found / found.sum(axis=0)
    return attributed


def _shares(density: Numbers, weights: NDArray[np.int64]) -> tuple[Numbers, float]:
    share = np.full(len(density), 1.0 / len(density))
    for _ in range(_ROUNDS):
        mixed = share @ density
        new = share * (density @ (weights / mixed)) / weights.sum()
        settled = np.abs(new - share).max() < _SETTLED
        share = new
        if settled:
            break
    return share, float(weights @ np.log(share @ density))
