"""Streams, places and signals in plain words."""

from __future__ import annotations

from datetime import date


def stream_in_words(stream: str) -> str:
    """Return the name of a stream for people."""
    return stream.replace("_like_", "-like ").replace("_", " ")


def place_in_words(place: str) -> str:
    """Return the name of a place for people."""
    kind, _, name = place.partition(":")
    return "the city" if kind == "city" else f"{kind} {name}"


def in_words(stream: str, place: str, since: date, until: date, observed: int, expected: float) -> str:
    """Return what a signal says: what, where, since when, observed and expected."""
    when = f"on {since}" if since == until else f"from {since} to {until}"
    return (
        f"{stream_in_words(stream)} in {place_in_words(place)} {when}:"
        f" {observed} visits observed, {expected:.1f} expected"
    )
