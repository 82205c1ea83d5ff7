"""What was found, as people read it: alarms, times without a test, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.detect.counts import Counts
from broadstreet.app.detect.methods import Detection


@dataclass(frozen=True, slots=True)
class Alarm:
    """A count above its bound."""

    series: str
    time: str
    observed: int
    expected: float
    upper: float
    score: float
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold counts and what a method found in them.

    Attributes
    ----------
    source : str
        Name of the file.
    counts : Counts
    detection : Detection
    """

    source: str
    counts: Counts
    detection: Detection

    @property
    def is_alarm(self) -> NDArray[np.bool_]:
        """Where there is an alarm, shape (tested, series)."""
        return np.asarray(self.detection.found.alarm == 1.0)

    @property
    def is_tested(self) -> NDArray[np.bool_]:
        """Where the method has an answer, shape (tested, series)."""
        found = self.detection.found
        return ~np.isnan(found.upper) & ~np.isnan(found.alarm)

    def alarms(self) -> Iterator[Alarm]:
        """Yield the alarms, the newest first, those of one time by how far they exceed the bound."""
        found, times = self.detection.found, self.detection.times
        row, series = np.nonzero(self.is_alarm)
        observed = self.counts.values[times[row], series]
        excess = observed - found.upper[row, series]
        for at in np.lexsort((-excess, -row)):
            r, s = row[at], series[at]
            yield Alarm(
                self.counts.names[s],
                self.counts.labels[times[r]],
                int(observed[at]),
                float(found.expected[r, s]),
                float(found.upper[r, s]),
                float(found.score[r, s]),
                bool(r == len(times) - 1),
            )

    def lead(self) -> str:
        """Return the finding in a sentence or two."""
        step, labels, times = self.counts.step, self.counts.labels, self.detection.times
        newest = self.is_alarm[-1].sum()
        total = self.is_alarm.sum()
        series = len(self.counts.names)
        of = f" in {_counted(int(newest), 'series', 'series')} of {series}" if series > 1 else ""
        told = "has no more cases than expected"
        if newest:
            told = f"has more cases than expected{of}"
        elif not self.is_tested[-1].any():
            told = "could not be tested"
        tested = _counted(len(times), step, step + "s")
        return (
            f"The newest {step}, {labels[times[-1]]}, {told}. {_counted(int(total), 'alarm', 'alarms')} in "
            f"{tested} looked at ({labels[times[0]]} to {labels[times[-1]]})."
        )

    def cautions(self) -> list[str]:
        """Return what must be kept in mind."""
        said = []
        untested = int((~self.is_tested).sum())
        if untested:
            said.append(
                f"{_counted(untested, 'test has', 'tests have')} no answer: too few cases, or a history "
                "without a case or without any variation. No answer is no all-clear."
            )
        constant = int((self.is_alarm & (self.detection.found.dispersion == 0.0)).sum())
        constant += int((self.is_alarm & (self.detection.found.expected == 0.0)).sum())
        if constant:
            said.append(
                f"{_counted(constant, 'alarm rests', 'alarms rest')} on a past without any variation, mostly "
                "zeros: a single case is enough for that."
            )
        alpha = self.detection.settings.get("alpha")
        if isinstance(alpha, float):
            chance = alpha / 2 if self.detection.method == "farrington" else alpha
            said.append(
                f"With alpha {alpha:g}, {self.is_alarm.size:,} tests give about "
                f"{chance * self.is_alarm.size:.1f} alarms by chance, if counts are as the method assumes."
            )
        said.append(
            "An alarm says that a count is unusual, not why: look for double entries, a change of definition "
            "or of testing, and a holiday in the past, before an outbreak."
        )
        said.append(
            "Cases of the last days may not be reported yet: a quiet end can be a delay, and is no all-clear."
        )
        return said


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
