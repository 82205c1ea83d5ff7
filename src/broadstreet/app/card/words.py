"""What the numbers of a card are of, in the same words wherever they stand."""

from __future__ import annotations

from broadstreet.app.card.picture import ring_of
from broadstreet.workflows.surveillance.card import Card
from broadstreet.workflows.surveillance.card.data import Agreement
from broadstreet.workflows.surveillance.card.dates import count, when
from broadstreet.workflows.surveillance.card.names import listed


def counted(card: Card) -> str:
    """Return how many visits clinics, ages and districts count."""
    return f"{sum(source.observed for source in card.sources):,}"


def set_of(card: Card) -> str:
    """Say which visits those are: of what, of whom, where, when."""
    return f"{series_of(card)}, {when(card.days)}"


def usual_of(card: Card) -> str:
    """Say what is usual."""
    return f"by the {count(card.usual_days)} before it, for {count(len(card.days))}"


def place_of(agreement: Agreement) -> str:
    """Return where a test looked, of an area with its districts."""
    if len(agreement.districts) < 2:
        return agreement.where
    return f"{agreement.where}: {listed(agreement.districts)}"


def series_of(card: Card) -> str:
    """Say whose visits the chart shows."""
    whom = "" if card.who == "everybody" else f", {card.who}"
    return f"{card.what}, {card.where}{whom}"


def together(card: Card) -> str:
    """Say that an area's districts are added up."""
    return f" ({listed(card.districts)} together)" if len(card.districts) > 1 else ""


def scan_note(card: Card) -> tuple[str, ...]:
    """Say why a scan expects another number than a series, if one of each speaks for the signal."""
    if not any("scan" in agreement.method for agreement in card.agreements):
        return ()
    return (
        "A scan and a series expect different numbers of the same visits: the scan spreads all visits of its"
        " four weeks over districts and days, so that an outbreak raises what it expects; a series is"
        " compared with the days before it.",
    )


def of_map(card: Card) -> str:
    """Say what the circles of the map count, and how they add up."""
    told = f"Circles: {card.what}, {card.who}, {when(card.days)}, by home district."
    total, off = f"{sum(spot.observed for spot in card.spots if spot.inside):,}", card.off_map
    if all(spot.inside for spot in card.spots):
        told = f"{told} All together: {total}" + (f", and {off:,} in no district of the map." if off else ".")
    else:
        told = f"{told} Solid ring: what the numbers at the top count, together {total}."
    if any(ring_of(spot, card.spots) == "ring" for spot in card.spots):
        told += " Dashed ring: a district that a test speaks of, by itself or in an area."
    return told
