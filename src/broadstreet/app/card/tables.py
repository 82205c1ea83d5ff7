"""The tables and the map of a card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from broadstreet.app.card.picture import drawn, is_raised
from broadstreet.app.card.words import counted, of_map, place_of, scan_note, set_of, usual_of
from broadstreet.app.paper.parts import row, scrolled, stacked
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.dates import when
from broadstreet.workflows.surveillance.card.numbers import chance, number


def agreements(card: Card) -> str:
    """Return the tests that speak for the signal, the strongest first."""
    if not card.agreements:
        return "<p>None any more.</p>"
    head = ("what", "where", "who", "days", "seen", "expected", "by chance", "method")
    rows = [
        (
            a.what, place_of(a), a.who, when(a.days), f"{a.observed:,}", number(a.expected), chance(a.chance),
            a.method,
        )
        for a in card.agreements
    ]  # fmt: skip
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in scan_note(card))
    return (
        stacked("Tests that speak for the same visits; each is of its own days", head, rows, text=4) + notes
    )


def districts(card: Card) -> str:
    """Return the map, and its numbers."""
    picture = drawn(card.spots, on_globe=card.on_globe)
    if not picture:
        return ""
    raised = [spot.name for spot in card.spots if is_raised(spot)]
    told = f"At least twice the usual number: {', '.join(raised)}." if raised else "None has twice the usual."
    rows = "\n".join(
        row(
            (s.name, s.code, "yes" if s.inside else "", f"{s.observed:,}", number(s.expected)),
            "row", text=3, marked=is_raised(s),
        )
        for s in sorted(card.spots, key=lambda spot: -spot.observed)
    )  # fmt: skip
    head = row(("district", "code", "counted at the top", "seen", "usual"), "col", text=3)
    table = scrolled("Districts", f"<thead>{head}</thead>\n<tbody>{rows}</tbody>")
    return (
        f"<h2>Where the patients live</h2>\n<figure>{picture}<figcaption>{escape(of_map(card))}"
        f" {escape(told)}</figcaption></figure>\n"
        f"<details><summary>The numbers of each district</summary>{table}</details>"
    )


def who(card: Card) -> str:
    """Return which clinics reported the visits, and of which age the patients are."""
    parts = [part for part in (_sources(card), _ages(card)) if part]
    if not parts:
        return ""
    told = f"Both tables count the same {counted(card)} visits: {set_of(card)}. Usual: {usual_of(card)}."
    return f"<h2>Who reported, and who came</h2>\n<p>{escape(told)}</p>\n{''.join(parts)}"


def visits(card: Card) -> str:
    """Return the visits that the reader may see."""
    note = f"<p>{escape(card.visits_note)}</p>"
    if not card.visits:
        return note
    head = ("when", "clinic", "codes", "visit", "entry")
    rows = [(v.day, v.source, v.codes, v.id, f"{v.seq}") for v in card.visits]
    table = stacked("Visits that were counted", head, rows, text=4)
    return f"{note}\n<details><summary>{len(card.visits)} visits</summary>{table}</details>"


def _sources(card: Card) -> str:
    if not card.sources:
        return ""
    rows = [(s.name, f"{s.observed:,}", number(s.usual)) for s in card.sources]
    total = ("together", counted(card), number(sum(s.usual for s in card.sources)))
    return _summed("Clinics that reported", ("clinic", "seen", "usual"), rows, total)


def _ages(card: Card) -> str:
    total = sum(band.observed for band in card.ages)
    if not total:
        return ""
    rows = [
        (b.name, f"{b.observed:,}", f"{b.observed / total:.0%}", f"{b.usual_share:.0%}") for b in card.ages
    ]
    last = ("together", f"{total:,}", "100%", "100%")
    return _summed("Ages", ("ages", "seen", "share", "usual share"), rows, last)


def _summed(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], total: Sequence[str]) -> str:
    """Return a table whose last row adds up the others."""
    body = "\n".join(row(each, "row", text=1) for each in rows)
    inner = f"<thead>{row(head, 'col', text=1)}</thead>\n<tbody>{body}</tbody>"
    return scrolled(caption, f"{inner}\n<tfoot>{row(total, 'row', text=1)}</tfoot>")
