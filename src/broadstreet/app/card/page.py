"""The page of a card: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from broadstreet.app.card.picture import drawn, is_raised
from broadstreet.app.detect.chart import COLOURS, NARROW, WIDE, Curve, svg
from broadstreet.app.paper.parts import lines, row, scrolled, terms
from broadstreet.app.paper.style import LIGHT, document, sheet
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.data import Point
from broadstreet.workflows.surveillance.card.numbers import chance, number
from broadstreet.workflows.surveillance.card.telling import short

_LIGHT = {name: colour for name, colour in COLOURS.items() if name not in LIGHT} | {
    "quiet": "#5c7fa3", "raised": "#a3001f",
}  # fmt: skip
_DARK = {
    "bar": "#7ba3cc", "alarm": "#ff8a95", "expected": "#bcdcff", "upper": "#ffc078", "usual": "#bcdcff",
    "quiet": "#7ba3cc", "raised": "#ff8a95",
}  # fmt: skip
_STYLE = """
svg { width: 100%; height: auto; display: block; font-family: inherit; }
svg.narrow { display: none; }
svg.map { max-width: 40rem; margin: 0 auto; }
@media (max-width: 40rem) { svg.wide { display: none; } svg.narrow { display: block; } }
circle.quiet { fill: var(--quiet); fill-opacity: .55; stroke: var(--quiet); }
circle.raised { fill: var(--raised); fill-opacity: .55; stroke: var(--raised); stroke-width: 2; }
circle.ring { fill: none; stroke: var(--ink); stroke-width: 2; stroke-dasharray: 5 3; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .7rem;
         list-style: none; margin: 1rem 0; padding: 0; }
.facts li { border: 1px solid var(--past); border-left: .4rem solid var(--accent); border-radius: .3rem;
            padding: .5rem .8rem; background: var(--soft); }
.facts li.strong { border-left-color: var(--raised); }
.facts span { display: block; font-size: .95rem; }
.facts strong { display: block; font-size: 1.45rem; line-height: 1.25; }
figcaption { font-size: .95rem; }
code { font-size: .95em; }
td.text { white-space: normal; }
"""


def page(card: Card) -> str:
    """Return the page."""
    body = "\n".join(filter(None, _parts(card)))
    return document(card.title, body, style=f"{sheet(_LIGHT, _DARK)}{_STYLE}{_classes()}")


def _classes() -> str:
    rules = (f".{n} {{ fill: var(--{n}); }} .line.{n} {{ fill: none; stroke: var(--{n}); }}" for n in COLOURS)
    return "\n".join(rules)


def _parts(card: Card) -> Iterator[str]:
    yield f'<h1>{escape(card.title)}</h1>\n<p class="lead">{escape(card.lead)}</p>'
    yield _facts(card)
    yield f"<h2>How sure this is</h2>\n{lines(card.reasons)}"
    yield f"<h2>Day by day</h2>\n{_chart(card)}"
    yield f"<h2>Which tests agree</h2>\n{_agreements(card)}"
    yield _map(card)
    yield _who(card)
    yield f"<h2>What the data cannot show</h2>\n{lines(card.limits)}"
    yield f"<h2>The most similar signals before it</h2>\n{_past(card)}"
    yield f"<h2>The visits</h2>\n{_visits(card)}"
    yield f"<h2>What to do, and where this comes from</h2>\n{_origin(card)}"


def _facts(card: Card) -> str:
    seen = f"{card.observed:,} seen, {number(card.expected)} expected"
    said = card.verdict.finding if card.verdict else "nobody yet"
    name = "Visits" if card.kind == "rise" else "Reports"
    facts = [
        (f"{name}, when last told" if card.status == "withdrawn" else name, seen, ""),
        ("Where", card.where if card.who == "everybody" else f"{card.where}, {card.who}", ""),
        ("Since", f"{card.since:%d %b %Y} ({card.status})", ""),
        ("Evidence", card.sureness, card.sureness),
        ("Judged by officers", said, ""),
    ]
    items = "".join(
        f"<li{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}><span>{escape(name)}</span>"
        f"<strong>{escape(value)}</strong></li>"
        for name, value, kind in facts
    )
    return f'<ul class="facts">{items}</ul>'


def _chart(card: Card) -> str:
    if not card.series:
        return "<p>No day of this series is closed yet.</p>"
    curve = Curve(
        card.title,
        [point.day.isoformat() for point in card.series],
        np.array([point.observed for point in card.series], np.int64),
        _values([point.expected for point in card.series]),
        _values([point.upper for point in card.series]),
        np.array([point.alarm for point in card.series], np.bool_),
        0,
        np.stack([_values([p.low for p in card.series]), _values([p.high for p in card.series])]),
    )
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
    head = row(("day", "seen", "expected", "quiet day", "stands out"), "col", text=1)
    table = scrolled("Each day", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")
    return (
        f"<figure>{svg(curve, WIDE, 'wide')}{svg(curve, NARROW, 'narrow')}\n<figcaption>Bars: what was seen."
        " Red with a triangle: a day that the signal speaks of. Solid line: expected. Band: what 19 of 20"
        " quiet days would show; several days inside it may stand out together.</figcaption></figure>\n"
        f"<details><summary>The numbers of each day</summary>{table}</details>"
    )


def _agreements(card: Card) -> str:
    if not card.agreements:
        return "<p>None any more.</p>"
    rows = "\n".join(
        row(
            (
                a.what, a.where, a.who, a.method, _days(len(a.days)), f"{a.observed:,}", number(a.expected),
                chance(a.chance),
            ),
            "row", text=4,
        )
        for a in card.agreements
    )  # fmt: skip
    head = row(("what", "where", "who", "method", "days", "seen", "expected", "by chance"), "col", text=4)
    return scrolled("Tests that speak for the same visits", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")


def _map(card: Card) -> str:
    picture = drawn(card.spots, on_globe=card.on_globe)
    if not picture:
        return ""
    raised = [spot.name for spot in card.spots if is_raised(spot)]
    told = f"At least twice the usual number: {', '.join(raised)}." if raised else "None has twice the usual."
    rows = "\n".join(
        row((s.name, s.code, f"{s.observed:,}", number(s.expected)), "row", text=2, marked=is_raised(s))
        for s in sorted(card.spots, key=lambda spot: -spot.observed)
    )
    head = row(("district", "code", "seen", "usual"), "col", text=2)
    table = scrolled("Districts", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")
    return (
        f"<h2>Where the patients live</h2>\n<figure>{picture}<figcaption>Circles: visits of the days of the"
        f" signal. Dashed ring: a district whose own test, or whose area, stands out. {escape(told)}"
        f"</figcaption></figure>\n<details><summary>The numbers of each district</summary>{table}</details>"
    )


def _who(card: Card) -> str:
    parts = []
    if card.sources:
        rows = "\n".join(
            row((s.name, f"{s.observed:,}", number(s.usual)), "row", text=1) for s in card.sources
        )
        head = row(("clinic", "seen", "usual"), "col", text=1)
        parts.append(scrolled("Clinics that reported", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>"))
    total = sum(band.observed for band in card.ages)
    if total:
        rows = "\n".join(
            row(
                (b.name, f"{b.observed:,}", f"{b.observed / total:.0%}", f"{b.usual_share:.0%}"),
                "row",
                text=1,
            )
            for b in card.ages
        )
        head = row(("ages", "seen", "share", "usual share"), "col", text=1)
        parts.append(scrolled("Ages", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>"))
    return f"<h2>Who reported, and who came</h2>\n{''.join(parts)}" if parts else ""


def _past(card: Card) -> str:
    if not card.past:
        return "<p>None yet.</p>"
    return terms(
        (
            f"{past.what}, {past.where}, {past.since}",
            f"{past.observed:,} visits, {number(past.expected)} expected: {past.outcome}",
        )
        for past in card.past
    )


def _visits(card: Card) -> str:
    note = f"<p>{escape(card.visits_note)}</p>"
    if not card.visits:
        return note
    rows = "\n".join(row((v.day, v.source, v.codes, v.id, f"{v.seq}"), "row", text=4) for v in card.visits)
    head = row(("when", "clinic", "codes", "visit", "entry"), "col", text=4)
    table = scrolled("Visits that were counted", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")
    return f"{note}\n<details><summary>{len(card.visits)} visits</summary>{table}</details>"


def _origin(card: Card) -> str:
    said = card.verdict
    judged = (
        f"{said.finding} by {said.by} on {said.at:%Y-%m-%d %H:%M} UTC: {said.reason}"
        if said
        else "nobody yet"
    )
    told = terms(
        (
            ("Judged", judged),
            ("Signal", card.id),
            ("Entries of the signal", ", ".join(map(str, card.origin.signal))),
            ("Made because of entries", ", ".join(map(str, card.origin.causes))),
            ("Counts (stream / place / stratum)", card.origin.counts),
            ("Opened", f"{card.opened:%Y-%m-%d %H:%M} UTC"),
        )
    )
    return f"{'' if said else _asked(card)}{told}"


def _asked(card: Card) -> str:
    if card.joined:
        joined = escape(short(card.joined))
        return f"<p>Look at the signal that has its visits: <code>broadstreet card {joined}</code></p>"
    id = escape(short(card.id))
    return (
        f"<p>Real: <code>broadstreet signals verify {id} --reason …</code> &nbsp; False alarm:"
        f" <code>broadstreet signals dismiss {id} --reason …</code></p>"
    )


def _days(n: int) -> str:
    return f"{n} day{'' if n == 1 else 's'}"


def _values(values: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _or_nothing(value: float | None) -> str:
    return "" if value is None else number(value)


def _span(point: Point) -> str:
    return "" if point.low is None or point.high is None else f"{point.low:,.0f} to {point.high:,.0f}"
