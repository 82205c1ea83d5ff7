"""Choose a method, set it, and test the times that are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis import aberration
from broadstreet.analysis.aberration import Aberrations
from broadstreet.app.detect.counts import Counts
from broadstreet.app.reading.dates import looks_like_a_date, written
from broadstreet.app.reading.table import Unusable, shown

Method = Callable[..., Aberrations]


@dataclass(frozen=True, slots=True)
class Described:
    """Hold a method and what people read about it."""

    call: Method
    title: str
    says: str
    least_history: int = 1
    """Times that must lie before the first one tested, where the method itself asks for fewer."""


_MEAN_OF = 10
"""Of fewer times the standard error of the mean is above a third of the deviation: no ground for a chart."""
_SHORTEST = 8
"""With fewer times hardly anything but what is likely before any data decides."""
METHODS = {
    "detect": Described(
        aberration.detect,
        "detect, the evidence of several times",
        "weighs the newest counts together (3; by day 7): how much likelier are they with an outbreak that "
        "goes on than with trend, season and days of the week alone; past outbreaks count for less",
        _SHORTEST,
    ),
    "farrington_flexible": Described(
        aberration.farrington_flexible,
        "Farrington flexible (Noufaily et al. 2013)",
        "compares each count with the same season of past years, with a trend; past outbreaks count for less",
    ),
    "farrington": Described(
        aberration.farrington,
        "Farrington (1996)",
        "compares each count with the same weeks of past years, with a trend",
    ),
    "ears": Described(
        aberration.ears, "EARS", "compares each count with the mean and the spread of the few days before it"
    ),
    "bayes": Described(
        aberration.bayes, "Bayes", "compares each count with its prediction from the last few counts"
    ),
    "rki": Described(
        aberration.rki,
        "RKI",
        "compares each count with a limit about the mean of the same weeks of past years",
    ),
    "cusum": Described(
        aberration.cusum, "CUSUM", "adds up by how much counts exceed the mean of the times before", _MEAN_OF
    ),
    "ewma": Described(
        aberration.ewma,
        "EWMA",
        "compares a weighted average of the counts so far with the mean of the times before",
        _MEAN_OF,
    ),
}
_FIRST_CHOICES = {"week": ("detect", "bayes", "ears"), "day": ("detect", "ears", "bayes")}
_NOT_ASKED_FOR = {"dates", "holidays", "delays", "reporting", "groups"}
"""Arrays: dates come from the file, the others are for Python."""
_TIMES_A_YEAR = {"week": 52, "day": 365}
_TESTED = {"week": 52, "day": 60}
"""So many last times are tested if nothing else is asked for."""
_PROBED_YEARS = 25


@dataclass(frozen=True, slots=True)
class Range:
    """Which times are to be tested; None: as far back as is usual."""

    first: str | None = None
    last: str | None = None
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """Hold what a method found.

    Attributes
    ----------
    method, title, says : str
    settings : dict
        All of the method, as used.
    why : str
        How the method came to be chosen.
    times : ndarray of intp
        Which times were tested.
    found : Aberrations
    """

    method: str
    title: str
    says: str
    settings: dict[str, Any]
    why: str
    times: NDArray[np.intp]
    found: Aberrations


def detect(counts: Counts, method: str, given: Sequence[str], asked: Range) -> Detection:
    """Test counts.

    Parameters
    ----------
    counts
    method
        One of METHODS, or "auto".
    given
        Settings of the method, "name=value" each.
    asked
        Which times.

    Raises
    ------
    Unusable
        If a setting is not known or not possible, or the history is too short; then it says which method
        will do.
    """
    why = "asked for"
    if method == "auto":
        method, why = _chosen(counts)
    elif method not in METHODS:
        raise Unusable(f"expected a method among {', '.join(METHODS)}, found {shown(method)!r}")
    settings = _settings(method, given, counts)
    times = _times(counts, method, settings, asked)
    try:
        found = METHODS[method].call(counts.values, times, **settings, **_dates(method, counts))
    except ValueError as error:
        raise Unusable(f"{method}: {error}") from error
    described = METHODS[method]
    return Detection(method, described.title, described.says, settings, why, times, found)


def _chosen(counts: Counts) -> tuple[str, str]:
    last = len(counts.labels) - 1
    for method in _FIRST_CHOICES[counts.step]:
        if _can_test(method, _settings(method, (), counts), counts, last):
            usual = method == _FIRST_CHOICES[counts.step][0]
            long = "long enough for it" if usual else f"too short for {_FIRST_CHOICES[counts.step][0]}"
            return method, f"counts by {counts.step}, with a history of {last} {counts.step}s, {long}"
    raise Unusable(
        f"expected at least 7 {counts.step}s before the one tested, there are {last}: no method will do yet"
    )


def _settings(method: str, given: Sequence[str], counts: Counts) -> dict[str, Any]:
    defaults = _defaults(method)
    if "frequency" in defaults:
        defaults["frequency"] = _TIMES_A_YEAR[counts.step]
    chosen = dict(defaults)
    for setting in given:
        name, separator, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not separator or name not in defaults:
            known = ", ".join(f"{n}={_written(v)}" for n, v in defaults.items())
            raise Unusable(f"expected a setting of {method} ({known}), found {shown(setting)!r}")
        chosen[name] = _value(method, name, value.strip(), defaults[name])
    _check_settings(method, chosen)
    return chosen


def _defaults(method: str) -> dict[str, Any]:
    parameters = inspect.signature(METHODS[method].call).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in _NOT_ASKED_FOR
    }


def _written(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}


def _value(method: str, name: str, text: str, default: object) -> Any:
    if text.lower() in _WORDS and not isinstance(default, str):
        return _WORDS[text.lower()]
    try:
        if isinstance(default, tuple):
            return tuple(int(part) for part in text.split(","))
        if isinstance(default, bool):
            raise ValueError
        words = isinstance(default, str) or (text.isidentifier() and _takes_words(method, name))
        return text if words else _number(text, default)
    except ValueError:
        like = "true or false" if isinstance(default, bool) else _like(default)
        raise Unusable(f"{method}: expected {like} for {name}, found {shown(text)!r}") from None


def _takes_words(method: str, name: str) -> bool:
    """Say whether a setting may be a word although it is usually a number."""
    return "Literal" in str(inspect.signature(METHODS[method].call).parameters[name].annotation)


def _like(default: object) -> str:
    return "a number" if default is None else f"a value such as {_written(default)}"


def _number(text: str, default: object) -> int | float:
    return int(text) if isinstance(default, int) else float(text)


def _check_settings(method: str, settings: Mapping[str, Any]) -> None:
    """Let the method refuse what no history would mend."""
    length = _PROBED_YEARS * int(settings.get("frequency", 1)) + 1000
    if not 0 < length < 10**5:
        raise Unusable(f"{method}: expected a frequency from 1 to 365, found {settings['frequency']}")
    try:
        METHODS[method].call(_probe(length), [length - 1], **settings)
    except (ValueError, TypeError) as error:
        raise Unusable(f"{method}: {error}") from error


def _probe(length: int) -> NDArray[np.int64]:
    """Return counts that no method has difficulties with."""
    return np.arange(length) % 3 + 1


def _dates(method: str, counts: Counts) -> dict[str, Any]:
    known = "dates" in inspect.signature(METHODS[method].call).parameters and counts.dates is not None
    return {"dates": counts.dates} if known else {}


def _can_test(method: str, settings: Mapping[str, Any], counts: Counts, time: int) -> bool:
    if time < METHODS[method].least_history:
        return False
    dates = {name: days[: time + 1] for name, days in _dates(method, counts).items()}
    try:
        found = METHODS[method].call(_probe(time + 1), [time], **settings, **dates)
    except ValueError:
        return False
    return not np.isnan(found.upper).any()


def _earliest(method: str, settings: Mapping[str, Any], counts: Counts) -> int | None:
    """Return the first time that has the history the method needs: found by halving."""
    low, high = 0, len(counts.labels) - 1
    if not _can_test(method, settings, counts, high):
        return None
    while low < high:
        middle = (low + high) // 2
        if _can_test(method, settings, counts, middle):
            high = middle
        else:
            low = middle + 1
    return low


def _times(counts: Counts, method: str, settings: Mapping[str, Any], asked: Range) -> NDArray[np.intp]:
    last = len(counts.labels) - 1 if asked.last is None else _time(counts, asked.last, "--to")
    earliest = _earliest(method, settings, counts)
    if earliest is None or earliest > last:
        raise Unusable(_too_short(counts, method, last))
    if asked.first is None:
        first = max(earliest, last + 1 - (asked.newest or _TESTED[counts.step]))
    else:
        first = _time(counts, asked.first, "--from")
        if first < earliest:
            raise Unusable(
                _too_short(counts, method, first)
                + f"; the first that it can test is {counts.labels[earliest]}"
            )
    if first > last:
        raise Unusable(f"expected --from before --to, found {counts.labels[first]} and {counts.labels[last]}")
    return np.arange(first, last + 1)


def _time(counts: Counts, label: str, option: str) -> int:
    """Return the time that a date or week lies in."""
    if label in counts.labels:
        return counts.labels.index(label)
    span = f"from {counts.labels[0]} to {counts.labels[-1]}"
    if counts.dates is None or not looks_like_a_date(label):
        raise Unusable(f"expected {option} {span}, found {shown(label)!r}")
    try:
        day = written([label]).number(label.strip())
    except ValueError:
        raise Unusable(f"expected {option} {span}, found {shown(label)!r}") from None
    number = np.datetime64(date.fromordinal(day))
    width = np.timedelta64(7 if counts.step == "week" else 1)
    if not counts.dates[0] <= number < counts.dates[-1] + width:
        raise Unusable(f"expected {option} {span}, found {shown(label)!r}")
    return int(np.searchsorted(counts.dates, number, side="right")) - 1


def _too_short(counts: Counts, method: str, time: int) -> str:
    able = [
        other
        for other in METHODS
        if other != method and _can_test(other, _settings(other, (), counts), counts, time)
    ]
    will_do = f"these will do: {', '.join(able)}" if able else "no method will do yet"
    history = f"the {time} {counts.step}s before {counts.labels[time]}"
    return f"{method} needs a longer history than {history}; {will_do}"
