"""`signals` and `card` on a store without a hub: listing, judging, looking back, explaining."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadstreet.cli import app
from tests.unit.cli.outbreak import OUTBREAK, USUAL, live, store_in


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_in(tmp_path_factory.mktemp("hub"))


def run(store: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--data", str(store)])
    assert result.exit_code == 0, result.output
    return result.output


def listed(store: Path, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(store, "signals", "list", "--all", "--json", *words))
    return found


def test_signals_are_listed_judged_and_explained(store: Path) -> None:
    [signal] = listed(store)
    assert (signal["status"], signal["since"], signal["observed"]) == ("fading", str(OUTBREAK), 14)
    short = signal["id"][-12:]
    assert "Riverside (D1)" in run(store, "signals", "list")
    assert "detect" in run(store, "signals", "show", short)
    assert "is verified" in run(store, "signals", "verify", short, "--reason", "seen at the clinic")
    [judged] = listed(store)
    assert (judged["verdict"]["finding"], judged["verdict"]["by"]) == ("verified", "local")
    assert judged["verdict"]["reason"] == "seen at the clinic"
    text = run(store, "card", short)
    assert "verified by local" in text
    assert "What the data cannot show" in text
    run(store, "signals", "reopen", short, "--reason", "not sure")
    assert "verdict" not in listed(store)[0] or listed(store)[0]["verdict"] is None


def test_what_is_over_is_listed_while_it_is_new_and_not_once_it_is_judged(tmp_path: Path) -> None:
    live(tmp_path, (*USUAL * 4, 2, 2, 2, 2, 2), late=40)
    [signal] = listed(tmp_path)
    assert signal["status"] == "closed"
    assert "over, new" in run(tmp_path, "signals", "list")
    run(tmp_path, "signals", "verify", signal["id"], "--reason", "salmonella")
    assert "No signal is open. 1 is over" in run(tmp_path, "signals", "list")


def test_what_would_have_been_seen_is_what_was_seen(store: Path) -> None:
    before = (OUTBREAK - timedelta(days=1)).isoformat()
    assert listed(store, "--as-of", before) == []
    [then] = listed(store, "--as-of", OUTBREAK.isoformat())
    assert (then["status"], then["observed"]) == ("opened", 14)
    [told] = listed(store, "--as-of", OUTBREAK.isoformat(), "--told")
    assert (told["status"], told["observed"], told["evidence"]) == ("opened", 14, then["evidence"])


def test_a_card_is_one_page(store: Path, tmp_path: Path) -> None:
    [signal] = listed(store)
    page = tmp_path / "card.html"
    run(store, "card", signal["id"], "--html", str(page))
    assert "Fever: more visits than expected" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("signals", "show", "nobody"), "expected the id of one signal, got 'nobody' (none)"),
        (("signals", "list", "--told"), "--told needs the day"),
        (("signals", "list", "--as-of", "2020-01-01"), "expected a day that was closed (those from 20"),
        (("signals", "list", "--as-of", "yesterday"), "--as-of: expected a day such as 2026-03-02"),
        (("card", "nobody"), "expected the id of one signal"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(store: Path, words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, [*words, "--data", str(store)])
    assert result.exit_code == 2
    assert said in result.output
