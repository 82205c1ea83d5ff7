"""Why a case may have infected another, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList
from broadstreet.analysis.transmission.stays import Stays

# Onset is as expected within the middle 80 % of serial intervals, unusual outside of the middle 98 %.
_USUAL, _UNUSUAL = 0.1, 0.01
_MOST_PLACES = 2


# From so much on a distance is told without a fraction; below 1 km in metres.
_ROUND, _METRES = 100.0, 1_000.0


@dataclass
class Reasons:
    """Say what speaks for and against links."""

    cases: LineList
    stays: Stays
    serial: Interval
    disease: str | None
    unit: str
    declared: set[tuple[int, int]]
    mechanistic: bool

    def __post_init__(self) -> None:
        self._presence: dict[int, dict[tuple[int, int], int]] = {}
        for case, place, day, visitors in zip(
            self.stays.case.tolist(), self.stays.place.tolist(), self.stays.day.tolist(),
            self.stays.visitors.tolist(), strict=True,
        ):  # fmt: skip
            self._presence.setdefault(case, {})[place, day] = visitors
        self._cumulative = np.concatenate([[0.0], self.serial.cumulative()])

    def link(self, infector: int, case: int) -> str:
        """Return the reasons for a link, separated by semicolons."""
        told = [*self._groups(infector, case), *self._contact(infector, case), *self._places(infector, case)]
        told += [
            *self._distance(infector, case),
            self._interval(infector, case),
            *self._isolation(infector, case),
        ]
        return "; ".join(told)

    def nobody(self, outside: float, unseen: float, fits: bool, thinned: bool) -> str:
        """Return the reasons for no infector among the cases."""
        if not fits:
            who = "none of the cases that were looked at" if thinned else "no case of the list"
            return f"{who} fits the dates: infected from outside, or by someone unseen"
        parts = [f"from outside {outside:.2f}", f"by someone unseen {unseen:.2f}"]
        return "infected " + ", ".join(parts)

    def _groups(self, infector: int, case: int) -> Iterator[str]:
        for name, (codes, labels) in self.cases.groups.items():
            if codes[case] >= 0 and codes[case] == codes[infector]:
                yield f"same {name} ({labels[codes[case]]})"

    def _contact(self, infector: int, case: int) -> Iterator[str]:
        if (infector, case) in self.declared:
            yield "declared contact"

    def _places(self, infector: int, case: int) -> Iterator[str]:
        mine, theirs = self._presence.get(case, {}), self._presence.get(infector, {})
        onset = self.cases.days["onset"][case]
        shared = [(visitors, key) for key, visitors in mine.items() if key in theirs and not key[1] > onset]
        for visitors, (place, _) in sorted(shared)[:_MOST_PLACES]:
            yield f"both at {self.stays.names[place]} ({visitors} visitors that day)"

    def _distance(self, infector: int, case: int) -> Iterator[str]:
        apart = self.cases.points[case] - self.cases.points[infector]
        if apart.size and np.isfinite(apart).all():
            yield _apart(float(np.sqrt((apart**2).sum())), self.unit)

    def _interval(self, infector: int, case: int) -> str:
        onset = self.cases.days["onset"]
        days = onset[case] - onset[infector]
        if np.isnan(days):
            return "onset not known, dates fit"
        number = int(days)
        when = "onset on the same day" if not number else (
            f"onset {abs(number)} day{'s' if abs(number) != 1 else ''} {'later' if number > 0 else 'earlier'}"
        )  # fmt: skip
        return f"{when}, {self._judged(number)}{f' for {self.disease}' if self.disease else ''}"

    def _judged(self, days: int) -> str:
        at = int(np.clip(days - self.serial.first, -1, len(self._cumulative) - 2))
        below, above = float(self._cumulative[at + 1]), 1.0 - float(self._cumulative[max(at, 0)])
        if min(below, above) < _UNUSUAL:
            return "unusually soon" if below < above else "unusually late"
        if min(below, above) < _USUAL:
            return "sooner than most" if below < above else "later than most"
        return "as expected"

    def _isolation(self, infector: int, case: int) -> Iterator[str]:
        begin, end = (self.cases.days[name][case] for name in ("exposed_from", "exposed_to"))
        if np.isnan(begin) and np.isnan(end):
            return
        isolated, onset = self.cases.days["isolated"][infector], self.cases.days["onset"][infector]
        if np.isnan(isolated):
            isolated = self.cases.days["diagnosed"][infector]
        if isolated < begin:
            yield "but isolated before the exposure"
        elif onset <= end:
            yield "ill and not isolated during the exposure"
        elif onset > end:
            yield "but fell ill after the exposure"


def _apart(distance: float, unit: str) -> str:
    """Return how far apart two points are, as people say it."""
    if not distance:
        return "at the same point"
    if unit == "km" and distance < 1.0:
        return f"{distance * _METRES:,.0f} m apart"
    if distance >= _ROUND:
        said = f"{distance:,.0f}"
    elif unit == "km":
        said = f"{distance:.1f}"
    else:
        said = np.format_float_positional(distance, precision=3, fractional=False, trim="-")
    return f"{said}{' ' if unit else ''}{unit} apart"
