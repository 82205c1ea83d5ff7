"""The page of a card: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from broadstreet.app.card.days import chart
from broadstreet.app.card.tables import agreements, districts, visits, who
from broadstreet.app.detect.chart import COLOURS
from broadstreet.app.paper.parts import lines, terms
from broadstreet.app.paper.style import LIGHT, document, sheet
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.dates import when
from broadstreet.workflows.surveillance.card.numbers import number
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
circle.inside { stroke-dasharray: none; stroke-width: 3; }
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
    yield f"<h2>Day by day</h2>\n{chart(card)}"
    yield f"<h2>Which tests agree</h2>\n{agreements(card)}"
    yield districts(card)
    yield who(card)
    yield f"<h2>What the data cannot show</h2>\n{lines(card.limits)}"
    yield f"<h2>The most similar signals before it</h2>\n{_past(card)}"
    yield f"<h2>The visits</h2>\n{visits(card)}"
    yield f"<h2>What to do, and where this comes from</h2>\n{_origin(card)}"


def _facts(card: Card) -> str:
    seen = f"{card.observed:,} seen, {number(card.expected)} expected"
    said = card.verdict.finding if card.verdict else "nobody yet"
    name = "Visits" if card.kind == "rise" else "Reports"
    told = f"{name}, {when(card.days)}{', when last told' if card.status == 'withdrawn' else ''}"
    facts = [
        (told, seen, ""),
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


def _origin(card: Card) -> str:
    said = card.verdict
    judged = (
        f"{said.finding} by {said.by} on {said.at:%Y-%m-%d %H:%M}: {said.reason}" if said else "nobody yet"
    )
    told = terms(
        (
            ("Judged", judged),
            ("Signal", card.id),
            ("Entries of the signal", ", ".join(map(str, card.origin.signal))),
            ("Made because of entries", ", ".join(map(str, card.origin.causes))),
            ("Counts (stream / place / stratum)", card.origin.counts),
            ("Opened", f"{card.opened:%Y-%m-%d %H:%M}"),
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
