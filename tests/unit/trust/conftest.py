from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.trust import passwords
from broadstreet.trust.accounts import Account, Accounts

START = datetime(2026, 1, 5, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(START)


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    accounts = Accounts(tmp_path)
    kim = Account(name="kim", kind="person", roles=("clinician",), organisation="org-1")
    accounts.add(kim, PASSWORD)
    return accounts


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with little memory: what is tested is not what a hash costs."""
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_of_nobody", lambda: hasher.hash("nobody"))
