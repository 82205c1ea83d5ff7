"""Carry out requests on a store: by the hub that runs on it, or directly if none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from broadstreet.app.control import ControlError
from broadstreet.app.core import Core
from broadstreet.app.desk import Desk
from broadstreet.app.doors import door_of
from broadstreet.app.reach import hub_of, require_store
from broadstreet.app.requests import Request
from broadstreet.app.settings import Settings

Ask = Callable[[Request], dict[str, Any]]


@contextmanager
def reached(settings: Settings) -> Iterator[Ask]:
    """Yield a function that carries out requests, with a hub or without.

    Raises
    ------
    ControlError
        From the function: if the request cannot be carried out.
    StoreError
        If there is no store, or someone else writes to it.
    """
    client = hub_of(settings)
    if client is not None:
        with client:
            yield client.ask
        return
    require_store(settings)
    with Core(settings) as core:
        desk = Desk(core, door_of(core.settings, core.committer, core.store.indexer, core.clock))
        yield lambda request: _answered(desk, request)
        core.settle()


def _answered(desk: Desk, request: Request) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = msgspec.to_builtins(desk.answer(request))
    except (ValueError, OSError) as error:
        raise ControlError(str(error)) from error
    return answer
