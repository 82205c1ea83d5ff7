"""What the hub does now and then goes on, whatever it raises, and a hub says so whose chores fail."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app import chores, upkeep
from broadstreet.app.core import Core
from broadstreet.app.monitoring.health import readiness_of
from broadstreet.app.settings import Settings
from broadstreet.store.protocol import StoreFull


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(chores, "AGAIN_AFTER", 0.001)
    monkeypatch.setattr(chores, "INDEXING_LOOKED_AFTER", 0.001)
    with Core(Settings(data=str(tmp_path / "data"))) as core:
        yield core


class Fails:
    """Work that fails some times, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.done = list(errors), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.running = True

    def keep(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self._loop.call_soon_threadsafe(self.done.set)


async def run(chore: Awaitable[None], until: Callable[[], Awaitable[object]]) -> None:
    keeping = asyncio.ensure_future(chore)
    async with asyncio.timeout(30):
        await until()
    assert not keeping.done()
    keeping.cancel()


async def test_time_is_kept_on_whatever_keeping_it_raises(
    core: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = Fails(OSError(errno.ENOSPC, "KIM MINA"), StoreFull("no room"), RuntimeError("no thread"))
    monkeypatch.setattr(core, "keep_time", work.keep)
    await run(chores.keep_time(core), work.done.wait)
    assert caplog.text.count("timers and housekeeping failed") == 3
    assert "KIM" not in caplog.text


async def test_the_index_is_looked_after_on_whatever_that_raises(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    work = Fails(OSError(errno.EMFILE, "too many open files"), RuntimeError("no thread"))
    core.indexing = work  # type: ignore[assignment]
    await run(chores.keep_indexing(core), work.done.wait)
    core.indexing = None
    assert caplog.text.count("search index failed") == 2


def test_a_hub_whose_chore_fails_again_and_again_is_not_ready_until_it_succeeds(core: Core) -> None:
    for times in range(1, upkeep.OFTEN + 1):
        assert readiness_of(core).ok
        core.upkeep.failed("timers and housekeeping", ValueError(f"KIM {times}"))
    (reason,) = readiness_of(core).reasons
    assert "failed 3 times" in reason
    assert "KIM" not in reason
    core.upkeep.succeeded("timers and housekeeping")
    assert readiness_of(core).ok
