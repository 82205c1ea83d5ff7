"""A chart of counts, expectation, bound and alarms as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.aberration.detect import Detections
from broadstreet.analysis.aberration.quantiles import usual_range
from broadstreet.app.detect.finding import Finding

MOST_TIMES = 156
"""So many last times are drawn: three years of weeks."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 8.0, 22.0, 30.0
_LABEL = 76.0  # width of a date
_STEPS = (1.0, 2.0, 5.0, 10.0)
# On white: bars 4.0:1, the lines and the alarms at least 7:1 (WCAG 2.2, 1.4.11 asks for 3:1).
COLOURS = {
    "ink": "#1d2733",
    "ground": "#ffffff",
    "grid": "#d5dbe1",
    "bar": "#5c7fa3",
    "past": "#8493a3",
    "alarm": "#a3001f",
    "expected": "#0b3a66",
    "upper": "#7a3b00",
    "usual": "#0b3a66",
}


@dataclass(frozen=True, slots=True)
class Size:
    """Of a chart, in pixels; fewer labels go on a narrow one."""

    name: str
    width: float
    height: float
    labels: int


WIDE = Size("wide", 880.0, 270.0, 8)
NARROW = Size("narrow", 340.0, 250.0, 3)


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn of one series; NaN where the method has no value.

    `usual`, shape (2, times), is what 19 of 20 quiet times show; where it is told, it is drawn instead of the
    bound, which says less where an alarm rests on several times together.
    """

    name: str
    labels: Sequence[str]
    observed: NDArray[np.int64]
    expected: NDArray[np.float64]
    upper: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    tested_from: int
    usual: NDArray[np.float64] | None = None

    @property
    def bound(self) -> NDArray[np.float64]:
        """The highest level that is drawn beside what is expected."""
        return self.upper if self.usual is None else self.usual[1]

    def in_words(self) -> str:
        """Say what the chart shows."""
        alarms = [label for label, alarm in zip(self.labels, self.alarm, strict=True) if alarm]
        told = ", ".join(alarms[-10:]) if alarms else "none"
        return (
            f"{self.name}: counts from {self.labels[0]} to {self.labels[-1]}, tested from "
            f"{self.labels[self.tested_from]}; highest count {int(self.observed.max())}; alarms: {told}"
            + (f" and {len(alarms) - 10} earlier" if len(alarms) > 10 else "")
        )


def curve(finding: Finding, series: int) -> Curve:
    """Return the curve of a series, its last times only."""
    times, found = finding.detection.times, finding.detection.found
    last = int(times[-1])
    first = max(0, last + 1 - MOST_TIMES)
    expected, upper = np.full((2, last + 1 - first), np.nan)
    alarm = np.zeros(last + 1 - first, np.bool_)
    kept = times >= first
    place = times[kept] - first
    expected[place], upper[place] = found.expected[kept, series], found.upper[kept, series]
    alarm[place] = finding.is_alarm[kept, series]
    usual = None
    if rests_on_several(finding):
        usual = np.full((2, last + 1 - first), np.nan)
        usual[:, place] = usual_range(expected[place], found.dispersion[kept, series])
    return Curve(
        finding.counts.names[series],
        finding.counts.labels[first : last + 1],
        finding.counts.values[first : last + 1, series],
        expected,
        upper,
        alarm,
        int(max(times[0] - first, 0)),
        usual,
    )


def rests_on_several(finding: Finding) -> bool:
    """Return whether alarms rest on several times together, so that the bound is no level to compare with."""
    return isinstance(finding.detection.found, Detections)


def draw(shown: Curve, size: Size) -> str:
    """Return the parts of a chart, to be put into an svg element of this size."""
    top = _round_up(
        float(np.nanmax([shown.observed.max(), _highest(shown.bound), _highest(shown.expected), 1.0]))
    )
    plot = _Plot(size, len(shown.labels), top)
    parts = [*_grid(plot), *_bars(plot, shown), *_time_axis(plot, shown)]
    if shown.usual is not None:
        parts.append(plot.band(*shown.usual))
    parts.append(plot.steps(shown.expected, "expected", 'stroke-width="2"'))
    if shown.usual is None:
        parts.append(plot.steps(shown.upper, "upper", 'stroke-width="1.8" stroke-dasharray="6 3"'))
    parts += [plot.marker(at, int(shown.observed[at])) for at in np.flatnonzero(shown.alarm).tolist()]
    return "\n".join(parts)


def svg(shown: Curve, size: Size, identity: str) -> str:
    """Return a chart as an element of a page, with its name and its content in words."""
    return (
        f'<svg class="{size.name}" viewBox="0 0 {size.width:g} {size.height:g}" role="img" '
        f'aria-labelledby="{identity}"><title id="{identity}">{escape(shown.in_words())}</title>\n'
        f"{draw(shown, size)}\n</svg>"
    )


def picture(curves: Sequence[Curve]) -> str:
    """Return charts below each other as one file, with colours of its own."""
    above = 26.0
    height = (WIDE.height + above) * len(curves)
    style = "".join(
        f".{name}{{fill:{colour}}} .line.{name}{{fill:none;stroke:{colour}}}"
        for name, colour in COLOURS.items()
    )
    charts = "\n".join(
        f'<g transform="translate(0 {at * (WIDE.height + above) + above:g})">'
        f'<text class="ink" x="{_LEFT:g}" y="-6" font-size="15" font-weight="600">{escape(one.name)}</text>\n'
        f"{draw(one, WIDE)}</g>"
        for at, one in enumerate(curves)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE.width:g} {height:g}" '
        f'width="{WIDE.width:g}" height="{height:g}" font-family="system-ui, sans-serif" role="img">\n'
        f"<title>{escape('; '.join(one.in_words() for one in curves))}</title>\n<style>{style}</style>\n"
        f'<rect class="ground" width="100%" height="100%"/>\n{charts}\n</svg>\n'
    )


class _Plot:
    """Where things lie."""

    def __init__(self, size: Size, times: int, top: float) -> None:
        self.size, self.times, self.top = size, times, top
        self.step = (size.width - _LEFT - _RIGHT) / times
        self.floor = size.height - _BOTTOM

    def x(self, time: float) -> float:
        return _LEFT + time * self.step

    def y(self, count: float) -> float:
        return self.floor - count / self.top * (self.floor - _TOP)

    def bar(self, at: int, count: float, kind: str) -> str:
        gap = min(1.0, self.step * 0.15)
        return (
            f'<rect class="{kind}" x="{self.x(at) + gap / 2:.1f}" y="{self.y(count):.1f}" '
            f'width="{self.step - gap:.1f}" height="{self.floor - self.y(count):.1f}"/>'
        )

    def steps(self, values: NDArray[np.float64], kind: str, style: str) -> str:
        """Draw a level for each time, broken where there is none."""
        path, drawn = [], False
        for at, value in enumerate(values):
            known = bool(np.isfinite(value))
            if known:
                level = self.y(min(max(float(value), 0.0), self.top))
                path.append(f"{'L' if drawn else 'M'}{self.x(at):.1f} {level:.1f}H{self.x(at + 1):.1f}")
            drawn = known
        course = "".join(path)
        halo = f'<path class="line ground" d="{course}" stroke-width="4"/>'
        return f'{halo}<path class="line {kind}" d="{course}" {style}/>'

    def band(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
        """Draw what lies between two levels, time by time."""
        known = np.flatnonzero(np.isfinite(low) & np.isfinite(high)).tolist()
        course = "".join(
            f"M{self.x(at):.1f} {self.y(high[at]):.1f}H{self.x(at + 1):.1f}"
            f"V{self.y(low[at]):.1f}H{self.x(at):.1f}z"
            for at in known
        )
        return f'<path class="usual" d="{course}" fill-opacity=".2"/>'

    def marker(self, at: int, count: int) -> str:
        """Draw a triangle above an alarm: colour alone must not tell."""
        x, y = self.x(at + 0.5), self.y(count) - 3.0
        return f'<path class="alarm" d="M{x:.1f} {y:.1f}l-5 -9h10z"/>'


def _highest(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else 0.0


def _round_up(value: float) -> float:
    unit = 10.0 ** np.floor(np.log10(value))
    return float(unit * next(step for step in _STEPS if step * unit >= value))


_UNITS = ((1e9, 1e9, "bn"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def short(count: float) -> str:
    """Return a count as it fits beside the axis: 9,000, 150 k, 2.5 M."""
    for least, unit, name in _UNITS:
        if count >= least:
            return f"{count / unit:g} {name}"
    return f"{count:,.0f}"


def _grid(plot: _Plot) -> list[str]:
    parts = []
    for part in range(5):
        count = plot.top * part / 4
        if part and part < 4 and count != int(count):
            continue
        y = plot.y(count)
        parts.append(
            f'<path class="line grid" d="M{_LEFT:g} {y:.1f}H{plot.size.width - _RIGHT:g}"/>'
            f'<text class="ink" x="{_LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end" font-size="12">'
            f"{short(count)}</text>"
        )
    return parts


def _bars(plot: _Plot, shown: Curve) -> list[str]:
    kinds = np.where(shown.alarm, "alarm", np.where(np.arange(plot.times) < shown.tested_from, "past", "bar"))
    return [
        plot.bar(at, float(count), str(kinds[at]))
        for at, count in enumerate(shown.observed.tolist())
        if count
    ]


def _time_axis(plot: _Plot, shown: Curve) -> list[str]:
    every = max(1, -(-plot.times // plot.size.labels))
    right = plot.size.width - _RIGHT
    parts = [_tick(plot, plot.times - 1, right, "end", shown.labels[-1])]
    for at in range(plot.times - 1 - every, 0, -every):
        x = plot.x(at + 0.5)
        if _LABEL / 2.0 < x < right - 1.6 * _LABEL:
            parts.append(_tick(plot, at, x, "middle", shown.labels[at]))
    if shown.tested_from:
        x = plot.x(shown.tested_from)
        anchor, text = ("end", x - 5.0) if x > plot.size.width / 2 else ("start", x + 5.0)
        parts.append(
            f'<path class="line ink" d="M{x:.1f} {_TOP - 14:g}V{plot.floor:g}" stroke-dasharray="2 3"/>'
            f'<text class="ink" x="{text:.1f}" y="{_TOP - 6:g}" font-size="12" text-anchor="{anchor}">'
            "tested from here</text>"
        )
    return parts


def _tick(plot: _Plot, at: int, x: float, anchor: str, label: str) -> str:
    return (
        f'<path class="line grid" d="M{plot.x(at + 0.5):.1f} {plot.floor:g}v5"/>'
        f'<text class="ink" x="{x:.1f}" y="{plot.floor + 19:g}" text-anchor="{anchor}" font-size="12">'
        f"{escape(label)}</text>"
    )
