"""What the endpoint answers: metrics, health and readiness of one hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from broadstreet.app.core import Core
from broadstreet.app.monitoring.endpoint import Answer, Page
from broadstreet.app.monitoring.health import Health, life_of, readiness_of
from broadstreet.app.monitoring.metrics import HubMetrics

FRESH_SECONDS = 1.0
"""Metrics are gathered anew only after so long, however often they are asked for."""


class Pages:
    """Answers each path; what reads the store does so on a thread, so that messages do not wait for it.

    Parameters
    ----------
    core, metrics
        What is told about.
    listening
        Says whether the doors are open.
    """

    def __init__(self, core: Core, metrics: HubMetrics, listening: Callable[[], bool]) -> None:
        self._core, self._metrics, self._listening = core, metrics, listening
        self._gathering = asyncio.Lock()
        self._gathered, self._text = float("-inf"), b""

    def by_path(self) -> dict[str, Page]:
        """Return what answers each path."""
        return {"/metrics": self._of_metrics, "/live": self._of_life, "/ready": self._of_readiness}

    async def _of_metrics(self) -> Answer:
        async with self._gathering:
            now = asyncio.get_running_loop().time()
            if now - self._gathered >= FRESH_SECONDS:
                self._text = await asyncio.to_thread(self._metrics.text)
                self._gathered = now
            return Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, self._text)

    async def _of_life(self) -> Answer:
        return _as_json(life_of(self._core))

    async def _of_readiness(self) -> Answer:
        listening = self._listening()
        return _as_json(await asyncio.to_thread(readiness_of, self._core, listening=listening))


def _as_json(health: Health) -> Answer:
    status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(status, "application/json", msgspec.json.encode(health) + b"\n")
