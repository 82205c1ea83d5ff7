"""A card as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from broadstreet.app.card.words import counted, place_of, scan_note, usual_of
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.dates import when
from broadstreet.workflows.surveillance.card.numbers import chance, number
from broadstreet.workflows.surveillance.card.telling import short

MOST_ROWS = 8


def text_of(card: Card) -> str:
    """Return the card in plain words, for a terminal or a message."""
    return "\n".join(_lines(card))


def _lines(card: Card) -> Iterator[str]:
    yield card.title
    yield card.lead
    yield ""
    yield f"How sure: {card.sureness}."
    yield from _listed(card.reasons)
    if card.verdict:
        said = card.verdict
        yield f"Officers: {said.finding} by {said.by} on {said.at:%Y-%m-%d %H:%M}: {said.reason}"
    elif card.joined:
        yield f"Officers: judge the signal that it became part of, {short(card.joined)}."
    else:
        yield "Officers: nobody has judged it yet."
    yield from _agreeing(card)
    if card.sources:
        yield f"Who reported these {counted(card)} visits (in brackets the usual, {usual_of(card)}):"
        some = card.sources[:MOST_ROWS]
        yield from _listed(f"{each.name}: {each.observed} ({number(each.usual)})" for each in some)
        yield from _more(len(card.sources) - len(some))
    if any(band.observed for band in card.ages):
        total = sum(band.observed for band in card.ages)
        told = (
            f"{b.name} {b.observed}, {b.observed / total:.0%} (usually {b.usual_share:.0%})"
            for b in card.ages
        )
        yield f"Ages of the same visits: {'; '.join(told)}"
    yield "What the data cannot show:"
    yield from _listed(card.limits)
    yield "The most similar signals before it:"
    past = [
        f"{p.what}, {p.where}, {p.since}: {p.observed} visits, {number(p.expected)} expected; {p.outcome}"
        for p in card.past
    ]
    yield from _listed(past or ["none yet"])
    yield f"Where this comes from: entries {_entries(card)} of the log; counts {card.origin.counts}."
    yield card.visits_note


def _agreeing(card: Card) -> Iterator[str]:
    yield "Which tests agree:" if card.agreements else "Which tests agree: none any more."
    some = card.agreements[:MOST_ROWS]
    for each in some:
        yield (
            f"  - {each.what}, {place_of(each)}, {each.who}: {each.observed} visits, {number(each.expected)}"
            f" expected, {when(each.days)}; by chance {chance(each.chance)} ({each.method})"
        )
    yield from _more(len(card.agreements) - len(some))
    yield from _listed(scan_note(card))


def _listed(lines: Iterator[str] | tuple[str, ...] | list[str]) -> Iterator[str]:
    return (f"  - {line}" for line in lines)


def _more(n: int) -> Iterator[str]:
    if n > 0:
        yield f"  - and {n} more"


def _entries(card: Card) -> str:
    return ", ".join(map(str, card.origin.signal))
