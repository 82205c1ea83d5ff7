"""The epidemic curve, and how many each case infected over time."""

from __future__ import annotations

from collections import Counter
from datetime import date
from html import escape

from broadstreet.app.investigate.axis import Axis
from broadstreet.app.investigate.investigation import Investigation
from broadstreet.app.investigate.sentences import counted
from broadstreet.app.reading.table import shown

_HEIGHT = 170.0
_MOST_BARS = 120
_TOP = 14.0
_LEAST = 1.0
_WIDTHS = (
    (1, "day"),
    (7, "week"),
    (28, "period of four weeks"),
    (364, "period of 52 weeks"),
    (100_000, "period"),
)


def epidemic_curve(found: Investigation) -> str:
    """Return the cases by day of onset, or by week over a longer time."""
    onsets = [day for day in found.cases.days.get("onset", []) if day is not None]
    curves = [_curve(Counter(onsets), "Cases", " of onset", found.cases.dated)] if onsets else []
    if found.counts is not None:
        told, dated = found.counts, found.counts.dated
        for name, numbers in told.numbers.items():
            if any(numbers):
                what = f"{shown(name).capitalize()} of {told.file}"
                curves.append(_curve(Counter(dict(zip(told.days, numbers, strict=True))), what, "", dated))
    return "".join(curves)


def _curve(by_day: Counter[int], what: str, of: str, dated: bool) -> str:
    first, last = min(by_day), max(by_day)
    width, unit = next((w, u) for w, u in _WIDTHS if last - first < _MOST_BARS * w)
    start = first - (first - 1) % 7 if width > 1 and dated else first
    counts: Counter[int] = Counter()
    for day, number in by_day.items():
        counts[(day - start) // width] += number
    axis = Axis(start, start + width * (max(counts) + 1), dated)
    highest = max(counts.values())
    top = _round_up(highest)
    bars = [
        _bar(axis, start + width * at, width, number, top) for at, number in sorted(counts.items()) if number
    ]
    words = (
        f"{what} by {unit}{of}, {_label(first, dated)} to {_label(last, dated)}: "
        f"{by_day.total():,} in all, at most {highest:,} in a {unit}"
    )
    return _figure(words, _gauge(top) + "".join(bars) + axis.drawn(_HEIGHT), _HEIGHT + 24)


def _label(day: int, dated: bool) -> str:
    return date.fromordinal(day).isoformat() if dated else str(day)


def _bar(axis: Axis, day: int, width: int, number: int, top: float) -> str:
    left, right = axis.at(day), axis.at(day + width)
    height = max(_LEAST, (_HEIGHT - _TOP) * number / top)
    when = _label(day, axis.dated) if width == 1 else f"{width} days from {_label(day, axis.dated)}"
    return (
        f'<rect class="bar" x="{left}%" width="{max(right - left - 0.15, 0.2):.2f}%" '
        f'y="{_HEIGHT - height:.1f}" height="{height:.1f}"><title>{escape(when)}: {number:,}</title></rect>'
    )


def _gauge(top: float) -> str:
    """Return lines at the top and at half of it, with their numbers."""
    return "".join(
        f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
        f'<text class="gauge" x="0" y="{y - 3:g}">{said}</text>'
        for y, said in ((_TOP, f"{top:g}"), ((_HEIGHT + _TOP) / 2, f"{top / 2:g}"))
    )


def _round_up(value: float) -> float:
    """Return the next even number with one or two digits that counts."""
    size = 10.0 ** max(0, len(str(int(value))) - 2)
    return 2.0 * size * -(-value // (2.0 * size))


def reproduction_chart(found: Investigation) -> str:
    """Return the cases of the list that a case infected, by day of its onset, with 95 % intervals."""
    if found.links is None:
        return ""
    table = found.links.reproduction.over_time
    rows = [row for row in table.rows() if row["day"] is not None]
    if len(rows) < 2:
        return ""
    days = [_ordinal(row["day"], found.cases.dated) for row in rows]
    axis = Axis(min(days), max(days), found.cases.dated)
    top = _round_up(max(max(row["mean"] for row in rows) * 1.1, 2.0))
    scale = (_HEIGHT - _TOP) / top
    one = _HEIGHT - scale
    parts = [f'<line class="one" x1="0" x2="100%" y1="{one:.1f}" y2="{one:.1f}"/>']
    for row, day in zip(rows, days, strict=True):
        x, y = axis.at(day), _HEIGHT - scale * row["mean"]
        high, low = _HEIGHT - scale * min(row["upper"], top), _HEIGHT - scale * row["lower"]
        parts.append(f'<line class="range" x1="{x}%" x2="{x}%" y1="{high:.1f}" y2="{low:.1f}"/>')
        within = f"{row['lower']:.1f} to {row['upper']:.1f}"
        said = f"{row['day']}: {row['mean']:.1f} ({within}), {counted(row['cases'], 'case')}"
        parts.append(
            f'<circle class="mean" cx="{x}%" cy="{y:.1f}" r="3"><title>{escape(said)}</title></circle>'
        )
    words = (
        f"Cases that a case infected, by day of its onset, {axis.in_words()}: highest mean "
        f"{max(row['mean'] for row in rows):.1f}; the line is 1"
    )
    return _figure(words, _gauge(top) + "".join(parts) + axis.drawn(_HEIGHT), _HEIGHT + 24)


def _ordinal(day: object, dated: bool) -> int:
    return date.fromisoformat(str(day)).toordinal() if dated else int(str(day))


def _figure(words: str, inner: str, height: float) -> str:
    return (
        f'<figure><svg class="plot" role="img" aria-label="{escape(words)}" height="{height:g}">{inner}</svg>'
        f"<figcaption>{escape(words)}.</figcaption></figure>"
    )
