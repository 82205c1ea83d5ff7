"""A time axis in percent of the width, so that one drawing suits every screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape

_STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825, 3650, 18250)
_MOST_TICKS, _MOST_WITH_YEARS = 8, 5
_MARGIN = 0.02


@dataclass(frozen=True)
class Axis:
    """Days from `first` to `last` over the width."""

    first: int
    last: int
    dated: bool

    def at(self, day: float) -> float:
        """Return where a day is, in percent."""
        span = max(self.last - self.first, 1)
        return round(100.0 * (_MARGIN + (1.0 - 2.0 * _MARGIN) * (day - self.first) / span), 2)

    def ticks(self) -> list[int]:
        """Return the days that are labelled."""
        span = max(self.last - self.first, 1)
        most = _MOST_WITH_YEARS if self._spans_years else _MOST_TICKS
        step = next((s for s in _STEPS if span / s <= most), span)
        start = self.first - (self.first - 1) % step if step == 7 else self.first  # ordinal 1 is a Monday
        return [day for day in range(start, self.last + 1, step) if day >= self.first]

    def label(self, day: int, before: int | None = None) -> str:
        """Return a day for the axis: short, with the year where it differs from that of the label before and
        the axis spans years.
        """
        if not self.dated:
            return str(day)
        when = date.fromordinal(day)
        short = f"{when.day} {when:%b}"
        shown = before is not None and date.fromordinal(before).year == when.year
        return short if shown or not self._spans_years else f"{short} {when.year}"

    @property
    def _spans_years(self) -> bool:
        return self.dated and date.fromordinal(self.first).year != date.fromordinal(self.last).year

    def drawn(self, height: float) -> str:
        """Return grid lines over a height, and labels below."""
        return self.lines(height) + self.labels(height + 16)

    def lines(self, height: float) -> str:
        """Return grid lines over a height."""
        places = map(self.at, self.ticks())
        return "".join(f'<line class="grid" x1="{x}%" x2="{x}%" y1="0" y2="{height:g}"/>' for x in places)

    def labels(self, y: float) -> str:
        """Return the labels; every other one is left out on a narrow screen."""
        parts = []
        ticks = self.ticks()
        for number, day in enumerate(ticks):
            x = self.at(day)
            # the one before that a narrow screen shows too
            before = ticks[number - 1] if number % 2 else ticks[number - 2] if number else None
            anchor = "start" if x < 8 else "end" if x > 88 else "middle"
            kind = ' class="spare"' if number % 2 else ""
            said = escape(self.label(day, before))
            parts.append(f'<text{kind} x="{x}%" y="{y:g}" text-anchor="{anchor}">{said}</text>')
        return "".join(parts)

    def in_words(self) -> str:
        """Say from when to when it goes."""
        if not self.dated:
            return f"day {self.first} to day {self.last}"
        return f"{date.fromordinal(self.first).isoformat()} to {date.fromordinal(self.last).isoformat()}"
