"""The projection that counts visits by stream, place, stratum and day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from broadstreet.model import syndromes
from broadstreet.store.entry import Entry
from broadstreet.store.tables import Change, TableReader
from broadstreet.workflows.surveillance.news import TIMER, TYPES, news_of
from broadstreet.workflows.surveillance.strata import Strata
from broadstreet.workflows.surveillance.tables import TABLES
from broadstreet.workflows.surveillance.tally import Tally

_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 400
"""In characters: a hostile sender must not fill the memory with long complaints."""

Classify = Callable[[str, Iterable[str]], Iterable[str]]
"""Names the syndromes of a chief complaint and ICD-10 codes."""


class Counts:
    """Counts visits, each under its home district, its facility and the city, by difference.

    The tables depend only on the newest versions of the resources: not on the order in which they
    came, nor on how the log was cut into batches.

    Parameters
    ----------
    zone
        The city's time zone: a visit counts on the city's day.
    classify
        Names the syndromes of a chief complaint and ICD-10 codes; the same for the same, and without
        spaces in names. When what it answers changes, the counts are to be rebuilt.
    strata
        The bands of ages, and where they are counted. When they change, the counts are to be rebuilt.
    """

    name = "surveillance.counts"
    version = 4
    types = TYPES
    tables = TABLES
    barriers = frozenset({TIMER})

    def __init__(
        self,
        zone: ZoneInfo,
        classify: Classify = syndromes.classify,
        strata: Strata = Strata(),  # noqa: B008
    ) -> None:
        self.zone, self.strata = zone, strata

        def name(complaint: str, codes: tuple[str, ...]) -> str:
            return " ".join(sorted(classify(complaint, codes)))

        remembered = lru_cache(maxsize=_REMEMBERED)(name)

        def named(complaint: str, codes: tuple[str, ...]) -> str:
            length = len(complaint) + sum(map(len, codes))
            return (remembered if length <= _LONGEST_REMEMBERED else name)(complaint, codes)

        self._name = named

    def project(self, entries: Sequence[Entry], tables: TableReader) -> list[Change]:
        """Return the changes that the entries make."""
        return Tally(news_of(entries, self.zone), tables, self._name, self.strata).changes()
