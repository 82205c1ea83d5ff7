"""What the data of a signal cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from broadstreet.model.records import Signal
from broadstreet.workflows.surveillance.card.names import Names
from broadstreet.workflows.surveillance.card.numbers import number
from broadstreet.workflows.surveillance.days import number_of

SMALL = 3.0
"""Expected visits: below, numbers are too small to tell how much more there are."""
YOUNG = 56
"""Days of history: with less, neither season nor usual spread is known well."""
ALL_KNOWN = 0.98
"""A larger share of a day's visits is nearly all of them."""
OF_SILENCE = (
    "It does not say why: no patients, a broken connection and a holiday look alike. It is found once a day"
    " is over, not within it.",
    "It stays open until nearly all of the usual visits come again. If the source has closed, or sends less"
    " from now on, dismiss it with that reason: so little is then what is expected of it.",
)


@dataclass(frozen=True)
class Known:
    """What is known about the counts of a signal.

    Attributes
    ----------
    closed
        The last day that is over.
    arrived
        Share of the visits of the signal's last day that has come by now, as of days before it.
    missing
        Sources that were silent on that day, with their share of the usual visits.
    has_map, has_holidays
        Whether places and holidays are set.
    counted
        Visits of the signal's place and days as they are counted now.
    history
        Days of counts before it.
    """

    closed: int
    arrived: float = 1.0
    missing: Mapping[str, float] = field(default_factory=dict)
    has_map: bool = False
    has_holidays: bool = False
    counted: int = 0
    history: int = 0


def limits(signal: Signal, known: Known, names: Names) -> tuple[str, ...]:
    """Return what the data cannot show."""
    of_its_kind = OF_SILENCE if signal.kind == "silence" else _of_rise(signal, known)
    return (*_of_days(signal, known, names), *of_its_kind)


def _of_days(signal: Signal, known: Known, names: Names) -> Iterator[str]:
    """Yield what is not known of the days of a signal."""
    if number_of(signal.until) >= known.closed - 2:
        yield _delay(known.arrived)
    if known.counted != signal.observed and signal.evidence:
        yield (
            f"Changes: the tests counted {signal.observed:,} visits. By what has come or was corrected since,"
            f" the same place and days have {known.counted:,}: clinics, ages, map and chart show these."
        )
    if known.missing:
        parts = ", ".join(
            f"{names.source(id)} ({share:.0%} of usual visits)" for id, share in known.missing.items()
        )
        yield (
            f"Silent sources, on the last of these days: {parts}. What is expected was lowered by their part,"
            " so the comparison holds, but their patients of that day are not seen."
        )


def _of_rise(signal: Signal, known: Known) -> Iterator[str]:
    yield (
        "Denominators: visits are counted, not residents. A new clinic, a campaign or news about an illness"
        " bring more visits as well."
    )
    yield (
        "Coding: a syndrome is read from the words of complaints and from codes. Nobody has confirmed it, and"
        " a clinic that codes in another way than before looks like a change of illness."
    )
    if signal.expected < SMALL or signal.observed < SMALL:
        yield f"Small counts: {number(signal.expected)} expected. How many times more cannot be said well."
    if known.history < YOUNG:
        yield (
            f"Short history: {known.history} days before it. Seasons are not known yet, and a rise that comes"
            " every year looks like an outbreak."
        )
    yield "Place: where patients live, by the newest address; not where they fell ill."
    if not known.has_holidays:
        yield "Holidays: none are set (surveillance.holidays), so a holiday is compared with other days."
    if not known.has_map:
        yield "No map, and no scan of neighbouring districts: no coordinates are set (surveillance.places)."


def _delay(arrived: float) -> str:
    if arrived > ALL_KNOWN:
        return (
            "Delay: visits and diagnoses of the newest days may still come in. The numbers are those that had"
            " arrived; they are tested again when more arrive."
        )
    return (
        f"Delay: by now about {arrived:.0%} of the visits of the last day have come, as on days before it."
        " What is expected was lowered to that; the day is tested again when more arrive."
    )
