"""What is hidden in the noise: one outbreak, drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.clinics.chance import Purpose, by_weight, cumulative, generator, one_of
from broadstreet.simulation.clinics.illness import OUTBREAK_SYNDROMES
from broadstreet.simulation.places import DISTRICTS, District, closeness, facility

FIRST_DAY = date(2026, 1, 5)
DAYS = 120
_EARLIEST, _LATEST = 40 / 120, 95 / 120  # of the run
_SIZES = (40, 160)
_LENGTHS = (7, 14)  # days
_SHAPE = 2.5  # of the gamma curve: a rise of days, a longer tail


@dataclass(frozen=True)
class Truth:
    """The outbreak of a seed, known to the referee only.

    Attributes
    ----------
    syndrome, district
        What it looks like, and the code of the home district of all its patients.
    start, end
        First and last day with an injected visit.
    size
        Number of injected visits.
    visits
        Injected visits of each day from `start` to `end`, as registered: like any other visit, a few are
        cancelled or corrected later.
    """

    syndrome: str
    district: str
    start: date
    end: date
    size: int
    visits: dict[date, int]


def truth(seed: int, start: date = FIRST_DAY, days: int = DAYS) -> Truth:
    """Return the outbreak that a city with this seed, first day and number of days holds."""
    draw = generator(seed, Purpose.OUTBREAK)
    syndrome = one_of(draw, OUTBREAK_SYNDROMES)
    district = DISTRICTS[by_weight(draw, cumulative(district.weight for district in DISTRICTS))]
    onset = int(draw.integers(int(days * _EARLIEST), int(days * _LATEST), endpoint=True))
    size = int(draw.integers(*_SIZES, endpoint=True))
    length = min(int(draw.integers(*_LENGTHS, endpoint=True)), days - onset)
    counts = draw.multinomial(size, _curve(length)).tolist()
    hit = [day for day, count in enumerate(counts) if count]
    first = start + timedelta(days=onset)
    visits = {first + timedelta(days=day): counts[day] for day in range(hit[0], hit[-1] + 1)}
    return Truth(syndrome, district.code, min(visits), max(visits), size, visits)


def injected_visits(seed: int, outbreak: Truth, clinics: int) -> dict[date, NDArray[np.int64]]:
    """Share the injected visits of each day out over the clinics: mostly to those near the district."""
    home = next(district for district in DISTRICTS if district.code == outbreak.district)
    chances = _chances_of_clinics(home, clinics)
    draw = generator(seed, Purpose.SHARES)
    return {day: draw.multinomial(count, chances) for day, count in outbreak.visits.items()}


def _curve(length: int) -> NDArray[np.float64]:
    age = np.arange(length) + 0.5
    curve = age ** (_SHAPE - 1) * np.exp(-age * 2 * _SHAPE / length)
    return np.asarray(curve / curve.sum())


def _chances_of_clinics(home: District, clinics: int) -> NDArray[np.float64]:
    facilities = [facility(number) for number in range(clinics)]
    weights = np.array([place.visits * closeness(home, place.district) for place in facilities])
    return np.asarray(weights / weights.sum())
