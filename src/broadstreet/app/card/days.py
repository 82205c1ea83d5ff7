"""The days of a card: the counts of its place as a chart and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from broadstreet.app.card.words import series_of, together
from broadstreet.app.detect.chart import NARROW, WIDE, Curve, svg
from broadstreet.app.paper.parts import row, scrolled
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.data import Point
from broadstreet.workflows.surveillance.card.dates import when
from broadstreet.workflows.surveillance.card.numbers import number


def chart(card: Card) -> str:
    """Return the chart of each day, what it shows in words, and its numbers."""
    if not card.series:
        return "<p>No day of this series is closed yet.</p>"
    drawn = _curve(card)
    return (
        f"<figure>{svg(drawn, WIDE, 'wide')}{svg(drawn, NARROW, 'narrow')}\n"
        f"<figcaption>{escape(_caption(card))}</figcaption></figure>\n"
        f"<details><summary>The numbers of each day</summary>{_table(card)}</details>"
    )


def _curve(card: Card) -> Curve:
    return Curve(
        series_of(card),
        [point.day.isoformat() for point in card.series],
        np.array([point.observed for point in card.series], np.int64),
        _values([point.expected for point in card.series]),
        _values([point.upper for point in card.series]),
        np.array([point.alarm for point in card.series], np.bool_),
        0,
        np.stack([_values([p.low for p in card.series]), _values([p.high for p in card.series])]),
    )


def _caption(card: Card) -> str:
    red = [point for point in card.series if point.alarm]
    told = (
        f" Red with a triangle: the days of the numbers at the top, {when([p.day for p in red])}, together"
        f" {sum(p.observed for p in red):,}."
        if red
        else ""
    )
    return (
        f"Bars: visits each day of {series_of(card)}{together(card)}.{told} Solid line: what the days before"
        f" let expect{_by_line(card, red)}. Band: what 19 of 20 quiet days would show; several days inside"
        " it may stand out together."
    )


def _by_line(card: Card, red: Sequence[Point]) -> str:
    """Say how many the line expects on the days told at the top, where those are expected by a scan."""
    if not red or "scan" not in card.agreements[0].method:
        return ""
    by_line = number(sum(point.expected or 0.0 for point in red))
    return f" ({by_line} on the red days; the {number(card.expected)} at the top are by the scan)"


def _table(card: Card) -> str:
    rows = "\n".join(
        row(
            (
                p.day.isoformat(), f"{p.observed:,}", _or_nothing(p.expected), _span(p),
                "yes" if p.alarm else "",
            ),
            "row", text=1, marked=p.alarm,
        )
        for p in reversed(card.series)
    )  # fmt: skip
    head = row(("day", "seen", "expected", "quiet day", "counted at the top"), "col", text=1)
    return scrolled("Each day", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")


def _values(values: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _or_nothing(value: float | None) -> str:
    return "" if value is None else number(value)


def _span(point: Point) -> str:
    return "" if point.low is None or point.high is None else f"{point.low:,.0f} to {point.high:,.0f}"
