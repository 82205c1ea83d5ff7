from __future__ import annotations

import pytest

from broadstreet.model.syndromes import tables
from broadstreet.model.syndromes.folding import Folding
from broadstreet.model.syndromes.lexicon import Entry, Lexicon
from broadstreet.model.syndromes.patterns import Patterns
from broadstreet.model.syndromes.rules import compile_rule, findings_of
from broadstreet.model.syndromes.spelling import Speller, distance

PATTERNS = Patterns({"family": "mother|co worker"}, Folding({"發": "发"}))


def test_a_rule_reads_and_or_not_and_parentheses() -> None:
    rule = compile_rule("a or (b and not (c or d))")
    assert rule(frozenset("a"))
    assert rule(frozenset("b"))
    assert not rule(frozenset("bc"))
    assert not rule(frozenset("d"))
    assert findings_of("a or (b and not c)") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("a or", "expected a finding in the rule 'a or', found ''"),
        ("(a and b", r"expected '\)' in the rule"),
        ("a b", "expected the end of the rule 'a b', found 'b'"),
        ("a & b", "expected the end of the rule"),
    ],
)
def test_a_malformed_rule_is_refused_with_the_word_at_fault(rule: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_rule(rule)


def test_a_pattern_expands_alternatives_options_and_groups() -> None:
    assert PATTERNS.expand("short|shortness of? breath") == [
        ("short", "of", "breath"),
        ("short", "breath"),
        ("shortness", "of", "breath"),
        ("shortness", "breath"),
    ]
    assert PATTERNS.expand("{family} ... ill") == [
        ("{family}", "...", "ill"),
        ("co", "worker", "...", "ill"),
    ]
    assert PATTERNS.expand("can_not|cant go") == [("can", "not", "go"), ("cant", "go")]
    assert PATTERNS.expand("發热") == [("发", "热")]
    assert PATTERNS.expand("_열이") == [("_열", "이")]


@pytest.mark.parametrize(
    "pattern", ["", "... fever", "fever ...", "a||b", "{nobody} ill", "a ... b ... c ... d"]
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no group"):
        PATTERNS.expand(pattern)


def test_a_pattern_that_stands_for_too_much_is_refused_before_it_is_expanded() -> None:
    with pytest.raises(ValueError, match="readings"):
        PATTERNS.expand(" ".join(["a|b|c|d|e|f|g|h"] * 12))


def test_two_rows_that_mean_different_things_by_the_same_words_are_refused() -> None:
    entries = [
        (("hay", "fever"), Entry("mask", "hay fever", "a.tsv:2")),
        (("hay", "fever"), Entry("finding", "hay fever", "a.tsv:9", ("fever",))),
    ]
    with pytest.raises(ValueError, match=r"a\.tsv:9: 'hay fever' means finding .*a\.tsv:2 says mask"):
        Lexicon(entries, (), {}, Speller((), ()))


def test_a_row_with_too_many_cells_is_refused_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "read_text", lambda _: "# comment\nfinding\tpattern\nfever\tfebrile\tx\n")
    with pytest.raises(tables.TableError, match=r"t\.tsv:3: expected 2 cells \(finding, pattern\), found 3"):
        list(tables.read_rows("t.tsv"))


def test_misspellings_within_one_or_two_edits_are_found() -> None:
    speller = Speller(["vomiting", "pneumonia", "confusion", "rash"], ["contusion", "concussion"])
    assert speller.correct("vomitting") == ("vomiting",)
    assert speller.correct("vomtiing") == ("vomiting",)
    assert speller.correct("pnuemonai") == ("pneumonia",)
    assert speller.correct("confuson") == ("confusion",)


def test_false_friends_and_short_words_are_left_alone() -> None:
    speller = Speller(["vomiting", "pneumonia", "confusion", "rash"], ["contusion", "concussion"])
    for word in ("contusion", "concussion", "rush", "cash", "omitting", "voting", "x" * 10_000):
        assert speller.correct(word) == ()


@pytest.mark.parametrize(
    ("one", "other", "edits"), [("", "ab", 2), ("ab", "ba", 1), ("fever", "fevr", 1), ("abc", "xyz", 3)]
)
def test_distance_counts_inserted_deleted_replaced_and_swapped_letters(
    one: str, other: str, edits: int
) -> None:
    assert distance(one, other) == distance(other, one) == edits
