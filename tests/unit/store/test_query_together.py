"""Two conditions read together find, page by page, what looking each candidate up finds."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from broadstreet.store.committer import Committer
from broadstreet.store.entry import Labels
from broadstreet.store.query import (
    ANY,
    AnyOf,
    Condition,
    Dated,
    Not,
    Quantity,
    Refers,
    Searching,
    Token,
    TooBroad,
    plan,
    reading,
    search,
)
from broadstreet.store.query.plan import Estimate, Zone
from broadstreet.store.query.terms import Has
from broadstreet.store.query.visible import AtMost, Eq, Nothing, Or, Visible

from .searching import LOINC, PULSE, TEMPERATURE, UCUM, delete, measure, quantity

RESOURCES, CHANGES, DAYS = 50, 120, 6
ONE = [
    Token("code", LOINC, "8310-5"),
    Token("status", ANY, "final"),
    AnyOf((Token("code", ANY, "8867-4"), Token("code", ANY, "8310-5"))),
    Dated.of("date", "ge2026-01-03"),
    Dated.of("date", "2026-01-04"),
    Quantity("value-quantity", "gt", Decimal(37), UCUM, "Cel"),
    Refers("subject", "Patient/ann"),
]
PAIRS = [list(pair) for pair in itertools.combinations(ONE, 2)]
ZONES = [None, Zone(0, 0), Zone(30, 80), Zone(0, CHANGES)]
SEEN: list[Visible | None] = [
    None,
    Eq("district", 1),
    Or((AtMost("sensitivity", 0), Eq("subject", 3))),
    Nothing(),
]


@pytest.fixture
def changed(committer: Committer, store: Searching) -> Searching:
    """Return a store of resources with like values, of which many were put again and some deleted."""
    chance = random.Random(1)
    for number in range(CHANGES):
        id = f"o{chance.randrange(RESOURCES)}"
        if chance.random() < 0.1:
            delete(committer, "Observation", id)
            continue
        measure(
            committer,
            store,
            id,
            labels=Labels(subject=number % 5, district=number % 2, sensitivity=number % 3),
            status=chance.choice(("final", "preliminary")),
            code=chance.choice((TEMPERATURE, PULSE)),
            subject={"reference": chance.choice(("Patient/ann", "Patient/ben"))},
            effectiveDateTime=f"2026-01-{1 + number * DAYS // CHANGES:02}T0{chance.randrange(3)}:00:00Z",
            valueQuantity=quantity(chance.choice((36.5, 37.5, 38.5))),
        )
    return store


@contextmanager
def reading_together(zone: Zone | None) -> Iterator[Any]:
    """Let all rows of a second condition be read, with a zone from the first on; yield what notes it."""

    def at_once(self: plan.Chosen, _wanted: int, chunk: int, at: int) -> plan.Whole | None:
        return self.second(chunk, chunk, at) if zone else None

    with (
        mock.patch.object(search, "_FIRST_CHUNK", 1),
        mock.patch.object(search, "_FEW", 0),
        mock.patch.object(plan, "FEW", 0),
        mock.patch.object(plan, "A_PROBE", 10_000),
        mock.patch.object(plan.Chosen, "_zone", return_value=zone),
        mock.patch.object(plan.Chosen, "at_once", at_once),
        mock.patch.object(search, "intersection", wraps=search.intersection) as noted,
    ):
        yield noted


@contextmanager
def each_looked_up() -> Iterator[None]:
    """Let each candidate be looked up, in one statement."""

    def plain(*arguments: Any, by_keys: bool) -> Any:
        assert by_keys == bool(arguments[1]), "where anything is looked up"
        return candidates(*arguments)

    candidates = search.candidates
    with (
        mock.patch.object(plan, "FEW", 0),
        mock.patch.object(plan.Chosen, "second", return_value=None),
        mock.patch.object(search, "candidates", plain),
    ):
        yield


def all_pages(
    store: Searching, conditions: list[Condition], visible: Visible | None, limit: int
) -> list[list[int]]:
    pages, page, ended = [], None, False
    while not ended:
        try:
            found = store.search("Observation", conditions, visible=visible, limit=limit, page=page)
            page, seqs = found.next, [entry.seq for entry in found.entries]
        except TooBroad as stopped:
            page, seqs = stopped.next, []
        pages.append(seqs)
        ended = page is None
    return pages


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_conditions_read_together_find_the_same_pages(changed: Searching, zone: Zone | None) -> None:
    read, sizes = 0, itertools.cycle([(1, 7), (4, 20), (2, 2_000)])
    for (conditions, visible), (limit, most) in zip(itertools.product(PAIRS, SEEN), sizes, strict=False):
        with mock.patch.object(reading, "MOST_EXAMINED", most):
            with each_looked_up():
                looked_up = all_pages(changed, conditions, visible, limit)
            with reading_together(zone) as noted:
                assert all_pages(changed, conditions, visible, limit) == looked_up, conditions
        read += noted.call_count
    assert bool(read) == changed.dialect.intersects


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_more_rows_off_a_zone_than_are_to_be_read_lead_back_to_looking_up(
    changed: Searching, zone: Zone | None
) -> None:
    conditions = [ONE[0], ONE[3]]
    with each_looked_up():
        looked_up = all_pages(changed, conditions, None, 4)
    with reading_together(zone), mock.patch.object(search, "MOST_READ", 5):
        assert all_pages(changed, conditions, None, 4) == looked_up


def test_a_third_condition_is_looked_up_beside_them(changed: Searching) -> None:
    conditions = [*ONE[1:4], Not(Token("_id", ANY, "o7"))]
    with each_looked_up():
        looked_up = all_pages(changed, conditions, None, 2)
    with reading_together(Zone(20, 60)):
        assert all_pages(changed, conditions, None, 2) == looked_up
    assert len(looked_up) > 3


def term(table: str) -> Has:
    """Return rows of a kind, wherever they lie."""
    return mock.Mock(spec=Has, kind=next(kind for kind in plan.ORDERS if kind.table == table))


def chosen(drive: Estimate, second: Estimate, table: str) -> tuple[plan.Chosen, Has]:
    begun, other = term("quantity_index"), term(table)
    return plan.Chosen(0, begun, (other,), {id(begun): drive, id(other): second}), other


EVERYWHERE = Estimate(4_000, exact=False, between=(10, 999_000))
TOGETHER = Estimate(4_000, exact=False, between=(500_000, 500_500))


@pytest.mark.parametrize(
    ("drive", "rows", "table", "read"),
    [
        (EVERYWHERE, 20_000, "token_index", True),
        (EVERYWHERE, 60_000, "token_index", False),
        (TOGETHER, 60_000, "token_index", True),  # between the candidates are but few of them
        (TOGETHER, 60_000, "date_index", False),  # those are in another order
    ],
)
def test_a_second_condition_is_read_if_few_of_its_rows_are(
    drive: Estimate, rows: int, table: str, read: bool
) -> None:
    plans, other = chosen(drive, Estimate(rows, exact=False, between=(0, 999_999)), table)
    told = plans.second(2_000, 2_048, 1_000_000)
    assert (told is not None and told.term is other) == read


def test_all_rows_are_not_read_at_once_beside_candidates_that_lie_together() -> None:
    day = Estimate(21_504, exact=False, between=(500_000, 500_500))
    for drive in (TOGETHER, replace(EVERYWHERE, exact=True)):
        plans, _ = chosen(drive, day, "date_index")
        assert plans.at_once(52, 2_048, 1_000_000) is None


def test_a_zone_is_told_where_few_candidates_lie_in_it() -> None:
    day = Estimate(21_504, exact=False, between=(500_000, 500_500))
    plans, _ = chosen(EVERYWHERE, day, "date_index")
    told = plans.second(2_000, 2_048, 1_000_000)
    assert told is not None
    assert told.zone == Zone(500_000 - 42_000 - 10_500, 500_500 + 10_500), "as dense as the first of them"
    assert plans.at_once(52, 2_048, 1_000_000) == told, "52 in a zone of a sixteenth are far apart"
    assert plans.at_once(5, 2_048, 1_000_000) is None, "a few are soon found"
    in_a_small_log = plans.second(2_000, 2_048, 500_600)
    assert in_a_small_log is not None
    assert in_a_small_log.zone is None, "too many candidates lie there"
