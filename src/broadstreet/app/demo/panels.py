"""The counts that a demonstration's picture shows, as the hub counted and tested them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from broadstreet.app.demo.picture import Panel
from broadstreet.app.demo.verdict import Verdict
from broadstreet.app.followers import rule_of
from broadstreet.app.settings import Settings
from broadstreet.app.words import stream_in_words
from broadstreet.model.records import Signal
from broadstreet.store.tables import TableReader
from broadstreet.workflows.surveillance import Rule, history


def panels_of(
    reader: TableReader,
    settings: Settings,
    verdict: Verdict,
    signals: Sequence[Signal],
    names: Mapping[str, str],
) -> tuple[Panel, ...]:
    """Return the outbreak's syndrome in its district and in the city.

    Parameters
    ----------
    reader, settings
        The hub's store and its settings.
    verdict, signals
        What was injected and all that was signalled.
    names
        Names of districts by code.
    """
    truth, rule = verdict.truth, rule_of(settings)
    titles = {
        f"district:{truth.district}": f"district {names.get(truth.district, '')} ({truth.district})",
        "city": "the whole city",
    }
    return tuple(
        _panel(reader, truth.syndrome, place, title, signals, rule) for place, title in titles.items()
    )


def _panel(
    reader: TableReader, stream: str, place: str, title: str, signals: Sequence[Signal], rule: Rule
) -> Panel:
    found = history(reader, stream, place, rule=rule)
    told = (each for signal in signals if signal.status != "withdrawn" for each in signal.evidence)
    alarms = {
        e.day for e in told if (e.where.stream, e.where.place, e.where.stratum) == (stream, place, "all")
    }
    days: list[date] = found.days.tolist()
    name = stream_in_words(stream)
    return Panel(
        title=f"{name[:1].upper()}{name[1:]}: {title}",
        days=days,
        counts=found.counts.tolist(),
        expected=_known(found.expected),
        low=_known(found.usual[0]),
        high=_known(found.usual[1]),
        alarms=sorted(alarms & set(days)),
    )


def _known(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
