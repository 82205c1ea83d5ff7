"""Random principals, purposes and questions against an oracle that shares no code with the policy's compiler.

The oracle reads the policy's table by itself, keeps what each resource is about in plain Python, and goes
through all of them for each question. On each back end; `make soak` draws 100,000 on each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from broadstreet.model.clock import SystemClock
from broadstreet.model.ids import RandomIds
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import READ_PATHS, PurposeReader

from .trust_city import City
from .trust_draws import Draw

SOAKED = 100_000


def test_no_way_to_read_shows_more_or_less_than_the_policy_says(city: City) -> None:
    for number in range(city.draws):
        Draw(city).ask(READ_PATHS[number % len(READ_PATHS)])


@pytest.mark.soak
def test_nor_does_any_in_a_hundred_thousand_draws(city: City) -> None:
    for number in range(SOAKED):
        Draw(city).ask(READ_PATHS[number % len(READ_PATHS)])


def test_every_way_to_read_is_in_the_list_that_is_tested() -> None:
    public = {name for name, _ in inspect.getmembers(PurposeReader, inspect.isfunction) if name[0] != "_"}
    assert public == set(READ_PATHS)
    assert all(hasattr(Draw, path) for path in READ_PATHS)


def test_what_is_not_there_and_what_may_not_be_seen_are_answered_alike(city: City) -> None:
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader = city.trust.reader(clinician, Purpose("treatment"))
    hidden = next(t for t in city.things if t.is_newest and t.organisation == "org-2" and t.type == "Patient")
    assert reader.read("Patient", hidden.id) is None
    before = city.last_access()
    assert reader.read("Patient", "nobody") is None
    assert (before.outcome, before.rows, before.whom) == ("answered", 0, ())
    assert city.last_access().outcome == "answered"


def statements(city: City, ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the store is asked for while something is read."""
    asked: list[str] = []
    run = city.inner.run  # type: ignore[attr-defined]

    def spied(sql: str, values: Any) -> Any:
        asked.append(sql)
        return run(sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(city.inner, "run", spied)
        ask()
    return asked


@pytest.mark.parametrize("path", ["read", "history"])
def test_what_may_not_be_seen_takes_the_same_work_as_what_is_not_there(
    city: City, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No time is asserted: the statements are the same, and none reads a body."""
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader = city.trust.reader(clinician, Purpose("treatment"))
    hidden = next(t for t in city.things if t.is_newest and t.organisation == "org-2" and t.type == "Patient")
    forbidden = statements(city, lambda: getattr(reader, path)("Patient", hidden.id), monkeypatch)
    unknown = statements(city, lambda: getattr(reader, path)("Patient", "resident-99"), monkeypatch)
    assert forbidden == unknown != []
    assert not any("body" in sql for sql in forbidden)


def test_ids_cannot_be_counted_through(city: City) -> None:
    """Ids are random, so that one tells nothing of another; and each guess leaves a trace."""
    ids = RandomIds(SystemClock())
    one = ids.new()
    clinician = Principal("kim", "person", frozenset({"clinician"}), "org-1")
    reader, head = city.trust.reader(clinician, Purpose("treatment")), city.store.head()
    guesses = [f"{int(one.replace('-', ''), 16) + step:032x}" for step in range(1, 51)]
    assert all(reader.read("Patient", guess) is None for guess in guesses)
    assert city.store.head() == head + len(guesses)
    drawn = [ids.new() for _ in range(1_000)]
    assert len({each[-16:] for each in drawn}) == 1_000, "the end of an id is drawn, not counted"
