"""Which place and time explains the cases?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from broadstreet.analysis import settings
from broadstreet.analysis.columns import Table
from broadstreet.analysis.exposure.asked import Asked, read_asked
from broadstreet.analysis.exposure.candidates import Floats, Sight, Sights, Span, Window, spans
from broadstreet.analysis.exposure.links import linked
from broadstreet.analysis.exposure.visited import Visited, read_visited
from broadstreet.analysis.exposure.weighing import Backdrop, false_discovery_rates, glance, surprise, weigh
from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.intervals import read_interval
from broadstreet.analysis.transmission.linelist import SetAside

_WEIGHED = 8  # times of each place that are weighed in full
_COMMON_SOURCE = 0.5  # probability of a common source before anything is known
_MOST_WINDOW = 366
_MOST_CASES = 3_000


@dataclass(frozen=True)
class VisitRanking:
    """Places by how well each explains the cases.

    Attributes
    ----------
    places : Frame
        The most probable first: `place`; `first` and `last` day of its best time; `probability` that it is
        the common source; `log_bayes_factor` against no common source, all its times together. Over all days:
        `cases` that report it within their windows, and how many are `expected` to by the controls;
        `controls` that report it; `odds_ratio` (crude, with 0.5 added to each cell); `p_value` of so many
        cases, and `q_value`, the false discovery rate over all places.
    times : Frame
        The best times of each place: `place`, `first`, `last`, `log_bayes_factor`, and the `cases` that
        report it then with how many are `expected` to.
    cases : Frame
        `case`, and the `probability` that it comes from the first place.
    common_source : float
        Probability that one of the places and times is a common source, against spread from person to person
        and from elsewhere; before, it was a half.
    set_aside : list of SetAside
        Rows that could not be used, and why.
    """

    places: Frame
    times: Frame
    cases: Frame
    common_source: float
    set_aside: list[SetAside]


@dataclass(frozen=True)
class _Weighed:
    place: int
    span: Span
    factor: float
    origin: Floats
    cases: int
    expected: float


def rank_visits(
    visits: Table,
    cases: Table,
    controls: Table,
    window: tuple[int, int],
    *,
    incubation: Any = None,
    serial_interval: Any = None,
    recall: float | None = None,
    longest: int = 7,
) -> VisitRanking:
    """Rank places and times by how well each explains the cases as their common source.

    Parameters
    ----------
    visits : table
        `id, place`, and `day`, or `start` and `end`; of cases and of controls alike.
    cases : table
        `id, onset`, and where known `home` (area), `age` (years, or groups), `household`, `workplace`.
    controls : table
        `id`, and the same; people without the disease, of the cases' areas and ages.
    window : (int, int)
        Fewest and most days from infection to onset.
    incubation, serial_interval : (mean, sd), probabilities by day from 0, or frozen distribution, optional
        From infection to onset, and from onset to onset, days; even over the window where they are not known.
    recall : float, optional
        Share of true visits that are reported; unknown by default.
    longest : int
        Days for which a place may have been a source.

    Returns
    -------
    VisitRanking

    Raises
    ------
    ValueError
        If a column is missing, a setting is out of range, or no case, control or visit is left.

    Notes
    -----
    See the page "Which place and time explains the cases" for the formulas.
    """
    look = _window(window, incubation)
    longest = settings.whole_number("longest", longest, least=1, most=_MOST_WINDOW)
    if recall is not None:
        recall = settings.probability("recall", recall)
    serial = None if serial_interval is None else read_interval("serial_interval", serial_interval)
    asked = read_asked(cases, controls)
    if asked.cases > _MOST_CASES:
        raise ValueError(
            f"cases must be at most {_MOST_CASES:,} (are {asked.cases:,}); take the first of them: "
            "later ones say more about spread than about the source"
        )
    days = (int(asked.onset.min()) - look.last, int(asked.onset.max()) - look.first)
    people = {who: at for at, who in enumerate(asked.ids)}
    visited, aside = read_visited(visits, people, days)
    if not (visited.person < asked.cases).any():
        raise ValueError(
            f"visits holds no visit of a case {look.first} to {look.last} days before its onset; compare the "
            "ids and days of both tables, or widen the window"
        )
    # as long as a window at least: onsets that lie together are no evidence where incubation is not known
    extent = max(float(np.ptp(asked.onset)), look.last - look.first) + 1.0
    backdrop = Backdrop(linked(asked, serial, look.last), 1.0 / extent)
    sights = Sights(asked, visited, look)
    weighed = list(_weighed(sights, visited, backdrop, recall, longest))
    return _ranking(weighed, sights.at(Span(0, visited.days - 1)), asked, visited, longest, aside)


def _window(window: tuple[int, int], incubation: Any) -> Window:
    try:
        first, last = window
    except (TypeError, ValueError):
        raise ValueError(f"window must be (fewest, most) days before onset (it is {window!r})") from None
    first = settings.whole_number("window[0]", first, least=0, most=_MOST_WINDOW)
    last = settings.whole_number("window[1]", last, least=first, most=_MOST_WINDOW)
    return Window(first, last, None if incubation is None else read_interval("incubation", incubation))


def _weighed(
    sights: Sights, visited: Visited, backdrop: Backdrop, recall: float | None, longest: int
) -> Iterator[_Weighed]:
    """Weigh the best times of each place, after a glance at all of them."""
    every = list(spans(visited.days, longest))
    rough = np.empty((len(every), len(visited.places)))
    for at, span in enumerate(every):
        sight = sights.at(span)
        rough[at] = np.where(sight.reported.any(axis=0), glance(sight, backdrop), -np.inf)
    best = np.argsort(-rough, axis=0, kind="stable")[:_WEIGHED]
    for at in np.unique(best):
        sight = sights.at(every[at])
        for place in np.flatnonzero((best == at).any(axis=0)):
            if np.isfinite(rough[at, place]):
                yield _weigh(sight, int(place), backdrop, recall)


def _weigh(sight: Sight, place: int, backdrop: Backdrop, recall: float | None) -> _Weighed:
    factor, origin = weigh(sight, place, backdrop, recall)
    return _Weighed(
        place,
        sight.span,
        factor,
        origin,
        int(sight.reported[:, place].sum()),
        float(sight.expected[:, place].sum()),
    )


def _ranking(
    weighed: list[_Weighed], whole: Sight, asked: Asked, visited: Visited, longest: int, aside: list[SetAside]
) -> VisitRanking:
    of_place: dict[int, list[_Weighed]] = {}
    for one in weighed:
        of_place.setdefault(one.place, []).append(one)
    # Times that were not weighed add next to nothing: each place's evidence is the mean over all its times.
    times = sum(1 for _ in spans(visited.days, longest))
    evidence = {
        place: float(special.logsumexp([one.factor for one in some]) - np.log(times))
        for place, some in of_place.items()
    }
    order = sorted(of_place, key=lambda place: (-evidence[place], visited.places[place]))
    # places that no case reports are candidates as well: they share the probability beforehand
    odds = [evidence[place] + np.log(_COMMON_SOURCE / len(visited.places)) for place in order]
    posterior = special.softmax([*odds, np.log(1.0 - _COMMON_SOURCE)])
    columns = _places(
        [max(of_place[place], key=lambda one: one.factor) for place in order], whole, asked, visited
    )
    return VisitRanking(
        Frame(
            {
                "place": columns.pop("place"),
                "first": columns.pop("first"),
                "last": columns.pop("last"),
                "probability": posterior[:-1],
                "log_bayes_factor": [evidence[place] for place in order],
                **columns,
            }
        ),
        _times(weighed, asked, visited),
        Frame({"case": asked.ids[: asked.cases], "probability": _origins(of_place[order[0]])}),
        float(1.0 - posterior[-1]),
        [*asked.set_aside, *aside],
    )


def _origins(some: list[_Weighed]) -> Floats:
    weight = special.softmax([one.factor for one in some])
    origins: Floats = sum(w * one.origin for w, one in zip(weight, some, strict=True))
    return origins


def _places(best: list[_Weighed], whole: Sight, asked: Asked, visited: Visited) -> dict[str, Any]:
    places = [one.place for one in best]
    p_values = np.array([surprise(whole, place) for place in range(len(visited.places))])
    cases, controls = whole.reported.sum(axis=0), whole.controls
    return {
        "place": [visited.places[place] for place in places],
        "first": _days([one.span.first for one in best], asked, visited),
        "last": _days([one.span.last for one in best], asked, visited),
        "cases": cases[places],
        "expected": whole.expected.sum(axis=0)[places],
        "controls": controls[places],
        "odds_ratio": _odds_ratio(cases, controls, asked)[places],
        "p_value": p_values[places],
        "q_value": false_discovery_rates(p_values)[places],
    }


def _odds_ratio(ill: NDArray[np.int64], well: Floats, asked: Asked) -> Floats:
    """Return crude odds ratios, with 0.5 in each cell: Haldane 1956, Ann Hum Genet 20:309."""
    ratio: Floats = (ill + 0.5) * (asked.controls - well + 0.5) / ((asked.cases - ill + 0.5) * (well + 0.5))
    return ratio


def _times(weighed: list[_Weighed], asked: Asked, visited: Visited) -> Frame:
    chosen = sorted(weighed, key=lambda one: -one.factor)
    return Frame(
        {
            "place": [visited.places[one.place] for one in chosen],
            "first": _days([one.span.first for one in chosen], asked, visited),
            "last": _days([one.span.last for one in chosen], asked, visited),
            "log_bayes_factor": [one.factor for one in chosen],
            "cases": [one.cases for one in chosen],
            "expected": [one.expected for one in chosen],
        }
    )


def _days(days: list[int], asked: Asked, visited: Visited) -> list[Any]:
    numbers = np.array(days, np.int64) + visited.first_day
    if not asked.dated:
        return list(numbers.tolist())
    return [str(day) for day in numbers.astype("datetime64[D]")]
