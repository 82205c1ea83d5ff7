"""How often chance alone brings evidence as strong as a signal's, by all tests of its kind in a night.

The sums are those of the budget (`budget.Budget`), turned round.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from broadstreet.model.records import Evidence, Signal
from broadstreet.workflows.surveillance.budget import OVERLAP, SCAN_SHARE
from broadstreet.workflows.surveillance.card.numbers import chance
from broadstreet.workflows.surveillance.feeds import RUNS
from broadstreet.workflows.surveillance.scanning import METHOD as SCAN
from broadstreet.workflows.surveillance.scanning import REPLICATES
from broadstreet.workflows.surveillance.tables import VISITS

Kind = Literal["series", "scan", "silence"]

MOST = 36_500.0
"""Days: beyond a hundred years the tail of a distribution is a guess."""


class Nightly(NamedTuple):
    """How many tests a night makes: of series, of streams that are scanned, of sources."""

    series: int
    scans: int = 0
    feeds: int = 0


class Rarity(NamedTuple):
    """In how many days chance alone brings evidence as strong somewhere in the city, and the test's own."""

    days: float
    chance: float
    kind: Kind


def kind_of(evidence: Evidence) -> Kind:
    """Return what kind of test evidence is of."""
    if evidence.method == SCAN:
        return "scan"
    return "silence" if evidence.where.stream == VISITS else "series"


def rarity_of(signal: Signal, nightly: Nightly) -> Rarity | None:
    """Return how rare a signal's strongest evidence is by chance; None where no test tells its chance.

    With n tests a night, of which k alarms make one false signal, evidence that one test has with probability
    p comes up every k / (p n) nights. Where series and scan both look for a rise, either may find as much:
    each is thought as rare as its part of the budget allows.
    """
    found = [
        Rarity(_days(each.chance, kind_of(each), nightly), each.chance, kind_of(each))
        for each in signal.evidence
        if each.chance is not None
    ]
    return max(found, default=None)


def told(rare: Rarity | None, nightly: Nightly) -> str:
    """Say how rare evidence is, and how that follows from the chance of its strongest test."""
    if rare is None:
        return "How often chance brings such evidence is not known."
    strongest = f"The chance of its strongest test alone is {chance(rare.chance)}."
    if rare.kind == "silence":
        return (
            f"{strongest} But {nightly.feeds:,} sources are tested each night, each over {_listed(RUNS)}"
            f" days: so chance alone makes one of them look as silent {_once(rare.days)}."
        )
    end = f"so chance alone brings evidence as strong somewhere in the city {_once(rare.days)}."
    if rare.kind == "scan":
        return (
            f"{strongest} (Beyond 1 in {REPLICATES + 1:,} that is extrapolated.) But {nightly.scans:,}"
            f" syndromes are scanned each night, and {SCAN_SHARE:.0%} of the false alarms allowed are the"
            f" scan's: {end}"
        )
    part = f", and {1 - SCAN_SHARE:.0%} of the false alarms allowed are theirs" if nightly.scans else ""
    return (
        f"{strongest} But {nightly.series:,} series are tested each night; about {OVERLAP:g} alarms by chance"
        f" make one signal{part}: {end}"
    )


def _days(p: float, kind: Kind, nightly: Nightly) -> float:
    share = SCAN_SHARE if nightly.scans else 0.0
    times = {
        "series": (1.0 - share) * OVERLAP / max(nightly.series, 1),
        "scan": SCAN_SHARE / max(nightly.scans, 1),
        "silence": 1.0 / max(nightly.feeds * len(RUNS), 1),
    }
    return min(times[kind] / max(p, 1e-300), MOST)


def _once(days: float) -> str:
    if days >= MOST:
        return "less than once in a hundred years"
    if days >= 730:
        return f"about once in {days / 365:.0f} years"
    if days >= 60:
        return f"about once in {days / 30.4:.0f} months"
    return f"about once in {max(days, 1):.0f} days"


def _listed(numbers: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
