"""Whose movements a search may show: those of approved requests whose window holds all the days asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeGuard

from broadstreet.model import records
from broadstreet.model.clock import microseconds
from broadstreet.model.records import AccessRequest
from broadstreet.store.protocol import Reader
from broadstreet.store.query import Condition, Dated
from broadstreet.trust.requests import allowed

_REQUEST = records.entry_type(AccessRequest)


def residents_shown(
    store: Reader, investigation: str, conditions: Sequence[Condition], at: datetime
) -> list[str]:
    """Return the residents whose movements may be seen at an instant: of requests whose window holds the days
    that are asked for. Who asks for no days, or by id, sees none.
    """
    spans = [(each.low, each.high) for each in conditions if _asks_for_days(each)]
    if not spans:
        return []
    return [
        resident
        for each in allowed(store, _requests(store), investigation, at)
        if any(_within(span, each) for span in spans)
        for resident in each.residents
    ]


def _requests(store: Reader) -> list[AccessRequest]:
    found: list[AccessRequest] = []
    after = ""
    while entries := store.currents(_REQUEST, after=after):
        held = [records.decode(entry.body) for entry in entries if entry.body]
        found += [each for each in held if isinstance(each, AccessRequest)]
        after = entries[-1].id
    return found


def _asks_for_days(condition: Condition) -> TypeGuard[Dated]:
    """Say whether a condition finds only what was wholly within a span of time."""
    return isinstance(condition, Dated) and condition.parameter == "date" and condition.prefix == "eq"


def _within(span: tuple[int, int], request: AccessRequest) -> bool:
    return microseconds(request.start) <= span[0] and span[1] <= microseconds(request.end)
