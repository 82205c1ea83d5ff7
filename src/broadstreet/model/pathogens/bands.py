"""Values by age."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

OLDEST = 120


@dataclass(frozen=True, slots=True)
class Bands:
    """A value for each band of ages.

    Attributes
    ----------
    starts
        First age of each band, in years; the first is 0.
    values
        Value of each band.
    """

    starts: tuple[int, ...]
    values: tuple[float, ...]

    def at(self, age: int) -> float:
        """Return the value at an age in years."""
        return self.values[bisect_right(self.starts, age) - 1]

    def by_year(self, oldest: int = OLDEST) -> tuple[float, ...]:
        """Return the value at each age from 0 to `oldest`: an array of ages can index it."""
        return tuple(self.at(age) for age in range(oldest + 1))

    def scaled(self, factor: float) -> Bands:
        """Return the same bands with each value times `factor`, at most 1."""
        return Bands(self.starts, tuple(min(1.0, value * factor) for value in self.values))
