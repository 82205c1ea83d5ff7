"""The map of a card: the districts as circles, more visits larger, more than usual in another colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from broadstreet.workflows.surveillance.card.data import Spot
from broadstreet.workflows.surveillance.card.numbers import number

WIDTH, MARGIN = 640.0, 56.0
LARGEST = 30.0
"""Radius of the largest circle, in pixels; areas are as the visits."""
SMALLEST = 3.0
MOST_NAMED = 16
"""With more districts only those of the signal are named."""
RAISED = 2.0
"""So many times the usual a district is drawn as raised."""
FEWEST = 3


def drawn(spots: Sequence[Spot], *, on_globe: bool) -> str:
    """Return the map as an element of a page; empty without districts."""
    if not spots:
        return ""
    places, height = _places(spots, on_globe)
    most = max(spot.observed for spot in spots) or 1
    parts = []
    for spot, (x, y) in sorted(zip(spots, places, strict=True), key=lambda each: -each[0].observed):
        radius = max(LARGEST * math.sqrt(spot.observed / most), SMALLEST)
        kind = "raised" if is_raised(spot) else "quiet"
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')
        ring = ring_of(spot, spots)
        if ring:
            parts.append(f'<circle class="{ring}" cx="{x:.1f}" cy="{y:.1f}" r="{radius + 5:.1f}"/>')
        if ring or len(spots) <= MOST_NAMED:
            parts.append(
                f'<text class="ink" x="{x:.1f}" y="{y + radius + 17:.1f}" text-anchor="middle"'
                f' font-size="13">'
                f"{escape(spot.name)} {spot.observed}</text>"
            )
    return (
        f'<svg class="map" viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-labelledby="map-title">'
        f'<title id="map-title">{escape(in_words(spots))}</title>\n{chr(10).join(parts)}\n</svg>'
    )


def is_raised(spot: Spot) -> bool:
    """Return whether a district has clearly more visits than usual."""
    return spot.observed >= FEWEST and spot.observed >= RAISED * spot.expected


def ring_of(spot: Spot, spots: Sequence[Spot]) -> str:
    """Return the class of the ring around a district: solid if the card counts it and not all districts,
    dashed if a test speaks of it otherwise; empty for none."""
    if spot.inside and not all(each.inside for each in spots):
        return "ring inside"
    return "ring" if spot.stands_out else ""


def in_words(spots: Sequence[Spot]) -> str:
    """Say what the map shows."""
    some = sorted(spots, key=lambda spot: -spot.observed)[:5]
    told = ", ".join(f"{s.name} {s.observed} ({number(s.expected)} usual)" for s in some)
    return f"Map of {len(spots)} districts. Most visits: {told}."


def _places(spots: Sequence[Spot], on_globe: bool) -> tuple[list[tuple[float, float]], float]:
    """Return where the districts are drawn, north up, and the height of the map."""
    shrink = math.cos(math.radians(sum(s.y for s in spots) / len(spots))) if on_globe else 1.0
    xs, ys = [spot.x * shrink for spot in spots], [spot.y for spot in spots]
    wide, high = max(max(xs) - min(xs), 1e-9), max(max(ys) - min(ys), 1e-9)
    scale = min((WIDTH - 2 * MARGIN) / wide, (WIDTH - 2 * MARGIN) / high)
    left = (WIDTH - wide * scale) / 2
    placed = [
        (left + (x - min(xs)) * scale, MARGIN + (max(ys) - y) * scale) for x, y in zip(xs, ys, strict=True)
    ]
    return placed, high * scale + 2 * MARGIN
