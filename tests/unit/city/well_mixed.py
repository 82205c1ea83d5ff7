"""A city in which everybody meets others by chance alone, and what theory says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import optimize, stats

from broadstreet.model.pathogens import Bands, Pathogen, pathogen_named
from broadstreet.simulation.days.ground import CELL as CELL_SIZE
from broadstreet.simulation.days.ground import CLOSES, LATE, LEAST_STAY, MOST_STAY, NEAR, OPENS, SHARE, ground
from broadstreet.simulation.population import DEMO, NOWHERE, City, Habit, Kind, People, Places, Role
from broadstreet.simulation.population.membership import link, next_primes

TOGETHER = 21  # people who are dealt into one cell
NOON, STAY, JITTER = 720, 60, 8
OVERLAP = STAY - (JITTER**2 - 1) / (3 * JITTER)  # mean minutes together: both come up to 7 minutes late


def hall(people: int, seed: int) -> City:
    """Return people who live alone and spend one hour a day in one hall, with others dealt anew each day."""
    home = np.arange(people, dtype=np.uint32)
    habits = np.full((people, len(Habit)), NOWHERE, np.uint32)
    habits[:, Habit.VENUE] = people
    ranks, main = np.zeros_like(habits), np.full(people, NOWHERE, np.uint32)
    first, members = link(people + 1, home, main, habits, ranks)
    kind = np.append(np.full(people, Kind.HOME, np.uint8), np.uint8(Kind.VENUE))
    nothing = np.zeros(people + 1)
    nobody = np.full(people + 1, NOWHERE, np.uint32)
    city = City(
        DEMO,
        seed,
        People(
            age=np.full(people, 40, np.uint8),
            female=np.zeros(people, np.bool_),
            role=np.full(people, Role.NONE, np.uint8),
            home=home,
            main=main,
            habits=habits,
            ranks=ranks,
        ),
        Places(
            kind, nothing.astype(np.uint16), nothing.astype(np.float32), nothing.astype(np.float32),
            nobody, nobody, first, members, next_primes(np.append(np.zeros(people, np.int64), people)),
        ),
    )  # fmt: skip
    g = ground(city)
    g.customs[Kind.VENUE, SHARE : SHARE + 3] = 1.0
    g.customs[Kind.VENUE, [OPENS, CLOSES, LATE, CELL_SIZE]] = NOON, NOON, 0.0, TOGETHER
    g.customs[Kind.VENUE, [LEAST_STAY, MOST_STAY]] = STAY, STAY
    g.sites[people, NEAR] = 2**32 - 1
    return city


def mild(hazard: float, dispersion: float) -> Pathogen:
    """Return COVID-19's times, with nobody immune, at home or dead, and equal settings and ages."""
    covid, none, one = pathogen_named("covid19"), Bands((0,), (0.0,)), Bands((0,), (1.0,))
    return replace(
        covid, hazard=hazard, dispersion=replace(covid.dispersion, value=dispersion), settings=(1.0,) * 10,
        susceptibility=one, asymptomatic=none, immune=none, hospitalised=none, critical=none, fatal=none,
        seeks_care=none, stays_home=0.0,
    )  # fmt: skip


class Theory:
    """What the renewal equation says of the hall, by quadrature over the incubation period."""

    def __init__(self, pathogen: Pathogen, people: int) -> None:
        curve, infected = pathogen.infectiousness, (NOON + STAY / 2) / 1440
        quantiles = (np.arange(2_000) + 0.5) / 2_000
        times = stats.lognorm(pathogen.incubation.sigma, scale=pathogen.incubation.median).ppf(quantiles)
        begin = infected + times + curve.start
        gamma = stats.gamma(curve.shape, scale=curve.scale)
        self.days = np.arange(1, 60)
        area = gamma.cdf(self.days[:, None] + 1 - begin) - gamma.cdf(self.days[:, None] - begin)
        earliest = np.floor(max(infected + pathogen.latent, 1.0))
        area[self.days < earliest] = 0.0
        area[self.days == earliest] = gamma.cdf(earliest + 1 - begin)
        squared = np.sum(gamma.pdf(np.linspace(1e-9, 60, 400_001)) ** 2) * (60 / 400_000)
        prime = int(next_primes(np.array([people]))[0])
        others = prime / (prime // TOGETHER) * people / prime - 1
        passes = 1 - np.exp(-pathogen.hazard * area / squared * OVERLAP / 60)
        self.offspring = others * passes.mean(axis=1)  # by day since infection
        self.reproduction = float(self.offspring.sum())
        self.generation = float(self.days @ self.offspring) / self.reproduction
        self.spread = float(np.sqrt(self.days**2 @ self.offspring / self.reproduction - self.generation**2))

    def growth(self) -> float:
        """Return the rate of growth a day: the root of the Euler-Lotka equation."""
        return float(optimize.brentq(lambda r: np.exp(-r * self.days) @ self.offspring - 1, -1, 1))

    def final_size(self, imported: float) -> float:
        """Return the share infected in the end, from a share imported."""
        return float(
            optimize.brentq(
                lambda z: z - 1 + (1 - imported) * np.exp(-self.reproduction * z), imported, 1 - 1e-12
            )
        )
