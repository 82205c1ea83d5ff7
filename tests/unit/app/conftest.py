from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadstreet.app.core import Core
from broadstreet.app.settings import Settings

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path / "data"), clock="driven", clock_start=START)


@pytest.fixture
def core(settings: Settings) -> Iterator[Core]:
    with Core(settings) as core:
        yield core
