"""Pages, the plan, the limits, and what hostile searches meet."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from decimal import Decimal
from unittest import mock

import msgspec
import pytest

from broadstreet.store.committer import Committer
from broadstreet.store.entry import Labels
from broadstreet.store.query import (
    ANY,
    AnyOf,
    Condition,
    Dated,
    Not,
    Number,
    Quantity,
    Refers,
    Searching,
    Text,
    Token,
    TooBroad,
    Uri,
    reading,
    search,
)
from broadstreet.store.query.visible import And, AtMost, Eq, Nothing, OneOf, Or

from .searching import LOINC, TEMPERATURE, delete, ids, measure, put, quantity

FINAL = Token("status", ANY, "final")


@pytest.fixture
def many(committer: Committer, store: Searching) -> Searching:
    """Return a store with 30 observations: every second is final, every tenth is of ann."""
    for number in range(30):
        status = ("final", "preliminary")[number % 2]
        who = {"reference": f"Patient/{'ann' if number % 10 == 0 else 'ben'}"}
        day = f"2026-01-{number + 1:02}T08:00:00Z"
        measure(committer, store, f"o{number}", status=status, subject=who, effectiveDateTime=day)
    return store


def all_pages(store: Searching, conditions: list[Condition], limit: int) -> list[str]:
    found: list[str] = []
    page = None
    while True:
        read = store.search("Observation", conditions, limit=limit, page=page)
        found += [entry.id for entry in read.entries]
        if read.next is None:
            return found
        page = read.next


def examining(most: int) -> object:
    """Let a search examine no more than so many rows."""
    return mock.patch.object(reading, "MOST_EXAMINED", most)


@pytest.mark.parametrize("limit", [1, 2, 7, 14, 15, 16, 1_000])
def test_every_paging_finds_the_same_in_the_same_order(many: Searching, limit: int) -> None:
    assert all_pages(many, [FINAL], limit) == [f"o{number}" for number in range(28, -1, -2)]
    window = [Dated.of("date", "ge2026-01-05"), Dated.of("date", "le2026-01-09")]
    assert all_pages(many, window, limit) == ["o8", "o7", "o6", "o5", "o4"]


def test_pages_do_not_move_while_resources_come_change_and_go(committer: Committer, many: Searching) -> None:
    first = many.search("Observation", [FINAL], limit=5)
    measure(committer, many, "new")
    measure(committer, many, "o20", status="cancelled")
    delete(committer, "Observation", "o18")
    rest = many.search("Observation", [FINAL], page=first.next, limit=100)
    assert [e.id for e in first.entries] == ["o28", "o26", "o24", "o22", "o20"]
    assert [e.id for e in rest.entries][:2] == ["o18", "o16"]
    assert rest.at == first.at
    assert rest.next is None


def test_a_page_is_short_where_matches_are_rare_and_the_next_goes_on(many: Searching) -> None:
    conditions = [
        Token("code", LOINC, "8310-5"),
        Refers("subject", "Patient/ann"),
        Not(Token("_id", ANY, "o0")),
    ]
    with examining(1):
        first = many.search("Observation", conditions)
    assert [entry.id for entry in first.entries] == ["o20"]
    assert first.next is not None


def test_a_search_that_finds_nothing_among_so_many_says_what_would_help(many: Searching) -> None:
    nothing_common = [Token("code", ANY, "8310-5"), Not(Token("code", LOINC, "8310-5"))]
    with (
        examining(10),
        pytest.raises(TooBroad, match=r"10 rows were examined .* one on identifier or") as stopped,
    ):
        many.search("Observation", nothing_common)
    assert stopped.value.examined == 10
    rest = many.search("Observation", nothing_common, page=stopped.value.next)
    assert (rest.entries, rest.next) == ([], None), "whoever has the patience may go on"


def test_a_search_begins_with_what_the_fewest_have(many: Searching) -> None:
    with mock.patch("broadstreet.store.query.plan.FEW", 0):
        plan = many.explain(
            "Observation", [FINAL, Refers("subject", "Patient/ann"), Dated.of("date", "lt2027")]
        )
    assert plan.drive.table == "reference_index"
    assert [step.table for step in plan.probes] == ["token_index", "date_index"]
    assert plan.drive.estimate is not None
    assert (plan.drive.estimate.rows, plan.drive.estimate.exact) == (3, True)
    assert "Patient/ann" not in str(plan), "a plan has no values"


def asked(
    store: Searching, conditions: list[Condition], *, guessed: int = 100, read: int = 100
) -> tuple[list[str], list[str]]:
    """Return what a search finds, candidate by candidate, and its statements."""
    statements: list[str] = []
    run = store.run

    def noted(sql: str, values: Sequence[object]) -> list[object]:
        statements.append(sql)
        return run(sql, values)

    with (
        mock.patch.object(search, "_FIRST_CHUNK", 1),
        mock.patch.object(search, "_FEW", 0),
        mock.patch.object(search, "MOST_READ", read),
        mock.patch("broadstreet.store.query.plan.MOST_READ", guessed),
        mock.patch("broadstreet.store.query.plan.FEW", 0),
        mock.patch.object(store, "run", noted),
    ):
        found = [e.id for e in store.search("Observation", conditions, limit=2).entries]
    return found, statements


def test_where_few_candidates_are_found_a_second_condition_is_read_as_a_whole(many: Searching) -> None:
    """SQLite probes each, for a probe is no dearer there."""
    both = [FINAL, Dated.of("date", "le2026-01-09")]
    probed, statements = asked(many, both, guessed=0)
    assert not any(statement.startswith("WITH") for statement in statements)
    whole, statements = asked(many, both)
    assert any(statement.startswith("WITH") for statement in statements) == many.dialect.intersects
    assert whole == probed == ["o8", "o6"]
    with mock.patch("broadstreet.store.query.plan.FEW", 0):
        told = str(many.explain("Observation", both))
    assert ("or read all of" in told) == many.dialect.intersects


def test_a_second_condition_that_has_more_rows_than_guessed_is_probed_after_all(many: Searching) -> None:
    both = [FINAL, Dated.of("date", "le2026-01-09")]
    found, statements = asked(many, both, read=2)
    assert found == ["o8", "o6"]
    if many.dialect.intersects:
        read = [n for n, statement in enumerate(statements) if statement.startswith("WITH")]
        assert read, "it was tried"
        assert "row_number() OVER () AS number, CASE" in statements[read[0] + 1]


def test_a_search_goes_on_as_it_began_though_another_way_is_better_by_now(
    committer: Committer, many: Searching
) -> None:
    conditions = [FINAL, Refers("subject", "Patient/ben")]
    first = many.search("Observation", conditions, limit=4)
    for number in range(300):
        measure(committer, many, f"more{number}", subject={"reference": "Patient/ben"})
    rest = many.search("Observation", conditions, limit=100, page=first.next)
    seen = [entry.id for entry in first.entries + rest.entries]
    assert seen == [f"o{n}" for n in range(28, -1, -2) if n % 10]


def test_a_page_token_is_of_its_search_only(many: Searching) -> None:
    page = many.search("Observation", [FINAL], limit=2).next
    for other in ([Token("status", ANY, "preliminary")], [], [FINAL, FINAL]):
        with pytest.raises(ValueError, match="belongs to another search"):
            many.search("Observation", other, page=page)
    with pytest.raises(ValueError, match="belongs to another search"):
        many.search("Observation", [FINAL], page=page, visible=Eq("district", 1))
    with pytest.raises(ValueError, match="leave the position out"):
        many.search("Observation", [FINAL], page=page, at=3)


@pytest.mark.parametrize(
    "token", ["", "x", "é", "A" * 10_000, "////", urlsafe_b64encode(b"\xc1" * 20).decode()]
)
def test_a_forged_page_token_is_refused(many: Searching, token: str) -> None:
    with pytest.raises(ValueError, match="begin again without it"):
        many.search("Observation", [FINAL], page=token)


def test_a_page_token_of_which_a_number_was_changed_is_refused_or_harmless(many: Searching) -> None:
    page = many.search("Observation", [FINAL], limit=2).next
    assert page is not None
    fields = msgspec.msgpack.decode(urlsafe_b64decode(page + "=="))
    for place in range(1, len(fields)):
        for value in (-1, 2**63, 2**80 * 1.0, "x", None, [], 10**6):
            forged = [*fields[:place], value, *fields[place + 1 :]]
            token = urlsafe_b64encode(msgspec.msgpack.encode(forged)).decode().rstrip("=")
            try:
                found = many.search("Observation", [FINAL], page=token)
            except ValueError:
                continue
            assert {entry.id for entry in found.entries} <= {f"o{n}" for n in range(0, 30, 2)}


def test_a_page_token_has_no_name_in_it(committer: Committer, store: Searching) -> None:
    for number in range(4):
        put(committer, store, f"p{number}", type="Patient", name=[{"family": f"Broadstreet{number}"}])
    page = store.search("Patient", [Text("family", "broad")], limit=2).next
    assert page is not None
    assert b"broad" not in urlsafe_b64decode(page + "==")
    assert ids(store, "Patient", Text("family", "broad"), page=page) == ["p2", "p3"]


def test_who_may_see_what_is_decided_on_labels_before_a_page_is_filled(
    committer: Committer, store: Searching
) -> None:
    for number in range(6):
        labels = Labels(subject=number, district=number % 2, sensitivity=number % 3)
        measure(committer, store, f"o{number}", labels=labels, valueQuantity=quantity(37), code=TEMPERATURE)

    def seen(visible: object, *conditions: Condition) -> list[str]:
        return ids(store, "Observation", *conditions, visible=visible, limit=3)

    for conditions in (
        [],
        [FINAL],
        [Quantity("value-quantity", "gt", Decimal(36))],
        [Token("_id", ANY, "o1")],
    ):
        every = ids(store, "Observation", *conditions)
        for visible, allowed in [
            (Eq("district", 1), {"o1", "o3", "o5"}),
            (OneOf("subject", (1, 2)), {"o1", "o2"}),
            (OneOf("subject", ()), set()),
            (AtMost("sensitivity", 0), {"o0", "o3"}),
            (And((Eq("district", 1), AtMost("sensitivity", 1))), {"o1", "o3"}),
            (Or((Eq("subject", 5), Eq("subject", 0))), {"o0", "o5"}),
            (Nothing(), set()),
        ]:
            assert seen(visible, *conditions) == [id for id in every if id in allowed]
    with pytest.raises(ValueError, match="there is no label 'name'"):
        Eq("name", 1)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (Token("code", ANY, "x" * 1_000_000), "at most 8,192 characters"),
        (Token("code", "s\0", "x"), "NUL character"),
        (Refers("subject", "Patient/\ud800"), "surrogate pair"),
        (Text("_text", "x"), "cannot be searched by '_text'"),
        (Uri("_profile", ""), "not empty"),
        (AnyOf(()), "1 to 200 of them"),
        (AnyOf((FINAL,) * 201), "1 to 200 of them"),
        (Not(Not(Not(Not(Not(FINAL))))), "at most 4 deep"),
        (Quantity("value-quantity", "eq", Decimal("1e9999999")), "at most 100 digits"),
        (Quantity("value-quantity", "eq", Decimal("nan")), "is finite"),
        (Dated("date", "xx", 0, 1), "a prefix is one of"),  # type: ignore[arg-type]
        (Number("code", "eq", Decimal(1)), "searched as a token, not as a number"),
    ],
)
def test_a_hostile_condition_is_refused_with_the_limit(
    store: Searching, condition: Condition, told: str
) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        store.search("Observation", [condition])
    assert len(str(refused.value)) < 2_000


def test_thousands_of_conditions_are_refused(store: Searching) -> None:
    with pytest.raises(ValueError, match="at most 32 conditions"):
        store.search("Observation", [FINAL] * 5_000)
    with pytest.raises(ValueError, match="at most 200 values"):
        store.search("Observation", [AnyOf((FINAL,) * 150)] * 2)


def test_as_many_values_as_are_allowed_are_searched(many: Searching) -> None:
    codes = AnyOf(tuple(Token("_id", ANY, f"o{number}") for number in range(150)))
    assert len(ids(many, "Observation", codes, limit=100)) == 30
    assert len(ids(many, "Observation", *[FINAL] * 32)) == 15


def test_huge_numbers_and_far_dates_are_searched(many: Searching) -> None:
    far = 10**40
    assert ids(many, "Observation", Dated("date", "gt", far, far + 1)) == []
    assert len(ids(many, "Observation", Dated("date", "lt", far, far + 1))) == 30
    assert ids(many, "Observation", Dated("_lastUpdated", "gt", far, far + 1)) == []
    assert ids(many, "Observation", Quantity("value-quantity", "lt", Decimal("-1e99"))) == []


@pytest.mark.parametrize("position", [-1, 10**9])
def test_a_position_that_is_not_there_is_refused(many: Searching, position: int) -> None:
    with pytest.raises(ValueError, match="a position is 0 to 30"):
        many.search("Observation", [FINAL], at=position)


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_page_of_no_or_too_many_entries_is_refused(many: Searching, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 1,000 entries"):
        many.search("Observation", [FINAL], limit=limit)


def test_quotes_and_signs_in_values_are_only_characters(committer: Committer, store: Searching) -> None:
    hostile = "'; drop table entry; -- % ? %s $1 \\"
    put(committer, store, "a", type="Patient", name=[{"family": hostile}], identifier=[{"value": hostile}])
    assert ids(store, "Patient", Text("family", hostile)) == ["a"]
    assert ids(store, "Patient", Text("family", "%")) == []
    assert ids(store, "Patient", Token("identifier", ANY, hostile)) == ["a"]
    assert ids(store, "Patient", Token("identifier", hostile, hostile)) == []
