"""The course of an infection: a function of seed, person and pathogen, and so the same in every run."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.model.pathogens import Bands, Pathogen
from broadstreet.simulation.days.ground import Mode
from broadstreet.simulation.draws import units_of
from broadstreet.simulation.epidemic.outcome import Stays
from broadstreet.simulation.population.city import City

# Purposes of random numbers; those of days are below 32.
(
    INCUBATION, STRENGTH, SYMPTOMS, SEVERE, CRITICAL, POSITIVE, FATAL, STAYS_HOME, SEEKS_CARE, CARE_DELAY,
    TESTED, REPORT_DELAY, ADMISSION_DELAY, WARD_DAYS,
    DEATH_DELAY, ILL_DAYS, IMMUNE, TRANSMITS, IMPORTS, SOURCE, FAINT,
) = range(32, 53)  # fmt: skip
_DELAY_SHAPE = 2.0  # of gamma distributed delays: a standard deviation of 0.7 means; an assumption
# Quantiles of that gamma distribution by -log(1 - p), which is smooth: linear between, right to four digits.
_LOG_TAIL = np.linspace(0.0, 38.0, 40_001)
_QUANTILES = special.gammaincinv(_DELAY_SHAPE, -np.expm1(-_LOG_TAIL))
_QUANTILES[~np.isfinite(_QUANTILES)] = 45.0
_FOREVER = np.int32(2**31 - 1)


def key_of(pathogen: Pathogen) -> int:
    """Return the counter that stands for a pathogen in random numbers."""
    return zlib.crc32(pathogen.name.encode())


@cache
def by_age(bands: Bands) -> NDArray[np.float64]:
    """Return a value for each age from 0 to 120."""
    return np.array(bands.by_year())


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """Courses of some infections; times as in `Truth`. `hidden_onset` is there without symptoms too."""

    hidden_onset: NDArray[np.float64]
    strength: NDArray[np.float64]
    onset: NDArray[np.float64]
    sought_care: NDArray[np.float64]
    tested: NDArray[np.float64]
    resulted: NDArray[np.float64]
    positive: NDArray[np.bool_]
    admitted: NDArray[np.float64]
    discharged: NDArray[np.float64]
    died: NDArray[np.float64]
    critical: NDArray[np.bool_]
    home_until: NDArray[np.float64]


def draw_courses(
    city: City, pathogen: Pathogen, people: NDArray[np.uint32], time: NDArray[np.float64]
) -> Course:
    """Draw the courses of infections at these times (days), shapes (infections,)."""
    key, age = key_of(pathogen), city.people.age[people]

    def chance(purpose: int) -> NDArray[np.float64]:
        return units_of(city.seed, purpose, people, key)

    def delay(purpose: int, mean: float) -> NDArray[np.float64]:
        delays: NDArray[np.float64] = np.interp(-np.log1p(-chance(purpose)), _LOG_TAIL, _QUANTILES)
        return delays * (mean / _DELAY_SHAPE)

    normal = special.ndtri(np.maximum(chance(INCUBATION), 1e-12))
    hidden = time + np.exp(pathogen.incubation.mu + pathogen.incubation.sigma * normal)
    symptomatic = chance(SYMPTOMS) >= by_age(pathogen.asymptomatic)[age]
    k = pathogen.dispersion.value
    strength = special.gammaincinv(k, chance(STRENGTH)) / k
    strength = strength * np.where(symptomatic, 1.0, pathogen.asymptomatic_infectiousness)
    onset = np.where(symptomatic, hidden, np.nan)
    dies = symptomatic & (chance(FATAL) < by_age(pathogen.fatal)[age])
    severe = symptomatic & ((chance(SEVERE) < by_age(pathogen.hospitalised)[age]) | dies)
    sought = severe | (symptomatic & (chance(SEEKS_CARE) < by_age(pathogen.seeks_care)[age]))
    died = np.where(dies, hidden + delay(DEATH_DELAY, pathogen.onset_to_death), np.nan)
    admitted = np.where(severe, hidden + delay(ADMISSION_DELAY, pathogen.onset_to_hospital), np.nan)
    admitted = np.fmin(admitted, np.where(dies, died - 0.5, np.inf))
    admitted = np.where(severe, np.maximum(admitted, hidden), np.nan)
    leaves = np.fmin(admitted + delay(WARD_DAYS, pathogen.hospital_stay), np.where(dies, died, np.inf))
    care = np.fmin(hidden + delay(CARE_DELAY, pathogen.onset_to_care), np.where(severe, admitted, np.inf))
    care = np.where(sought, care, np.nan)
    tested = np.where(sought & ((chance(TESTED) < pathogen.tested) | severe), care, np.nan)
    stays = symptomatic & (chance(STAYS_HOME) < pathogen.stays_home)
    return Course(
        hidden_onset=hidden,
        strength=strength,
        onset=onset,
        sought_care=care,
        tested=tested,
        resulted=tested + delay(REPORT_DELAY, pathogen.result_delay),
        positive=~np.isnan(tested) & (chance(POSITIVE) < pathogen.test_sensitivity),
        admitted=admitted,
        discharged=np.where(severe, leaves, np.nan),
        died=died,
        critical=severe & ((chance(CRITICAL) < by_age(pathogen.critical)[age]) | dies),
        home_until=np.where(stays, hidden + 1.0 + delay(ILL_DAYS, pathogen.ill_days), np.nan),
    )


def stays_of(people: NDArray[np.uint32], course: Course) -> Stays:
    """Return how courses change days: at home, at a clinic, in a ward, dead."""
    spans = (
        (Mode.HOME, course.hidden_onset + 1.0, course.home_until),
        (Mode.CARE, course.sought_care, course.sought_care + 1.0),
        (Mode.WARD, course.admitted, course.discharged),
        (Mode.DEAD, course.died, np.where(np.isnan(course.died), np.nan, np.inf)),
    )
    columns = []
    for mode, first, after in spans:
        rows = np.flatnonzero(~np.isnan(after) & ~np.isnan(first))
        until = np.minimum(after[rows], float(_FOREVER))
        columns.append((people[rows], np.full(len(rows), mode, np.uint8), _days(first[rows]), _days(until)))
    person, modes, begin, end = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Stays(person, modes, begin, end)


def _days(times: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.floor(times).astype(np.int64).astype(np.int32)
