from __future__ import annotations

import sys
from pathlib import Path

import pytest

from broadstreet.model import syndromes
from broadstreet.model.syndromes import classifier, tables

EXAMPLES = Path(__file__).with_name("syndrome_examples.tsv")


def examples() -> list[tuple[str, frozenset[str]]]:
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    cells = [line.partition("\t") for line in lines if line and not line.startswith("#")]
    return [(text, frozenset(labels.split())) for text, _, labels in cells]


@pytest.mark.parametrize(("text", "labels"), examples())
def test_a_complaint_gives_the_syndromes_that_it_speaks_of(text: str, labels: frozenset[str]) -> None:
    assert syndromes.classify(text) == labels


def test_the_eight_syndromes_have_their_names() -> None:
    assert syndromes.NAMES == (
        "influenza_like_illness",
        "fever",
        "severe_respiratory",
        "gastrointestinal",
        "rash_with_fever",
        "neurological",
        "haemorrhagic",
        "jaundice",
    )


@pytest.mark.parametrize("name", syndromes.NAMES)
def test_each_definition_names_its_source_and_has_a_title_in_each_language(name: str) -> None:
    found = syndromes.definition(name)
    assert found.name == name
    assert set(found.titles) == set(syndromes.LANGUAGES)
    assert "CDC" in found.source or "WHO" in found.source
    assert found.population
    assert found.version


def test_an_unknown_syndrome_is_refused_with_the_known_names() -> None:
    with pytest.raises(KeyError, match="no syndrome is named 'plague'; there are: influenza_like_illness"):
        syndromes.definition("plague")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="language must be one of en, ko, zh, es or None, not 'fr'"):
        syndromes.classify("fièvre", language="fr")


def test_no_complaint_and_no_code_give_no_syndrome() -> None:
    assert syndromes.classify() == frozenset()
    assert syndromes.classify("", []) == frozenset()


def test_one_language_uses_its_own_patterns_only() -> None:
    assert syndromes.classify("fiebre", language="en") == frozenset()
    assert syndromes.classify("fiebre", language="es") == {"fever"}
    assert syndromes.classify("fiebre / 기침 / cough") == {"fever", "influenza_like_illness"}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["J10.1"], {"influenza_like_illness"}),
        (["j101"], {"influenza_like_illness"}),
        ([" J10.08 "], {"influenza_like_illness", "severe_respiratory"}),
        (["R50.9", "R05"], {"fever", "influenza_like_illness"}),
        (["R50.9", "R21"], {"fever", "rash_with_fever"}),
        (["R21"], set()),
        (["R04.0"], set()),
        (["R04.0", "R50.9"], {"fever", "haemorrhagic"}),
        (["A08.4"], {"gastrointestinal"}),
        (["A03"], {"gastrointestinal", "haemorrhagic"}),
        (["B05.9"], {"rash_with_fever"}),
        (["R56.00"], {"neurological", "fever"}),
        (["G04.1"], set()),
        (["G04.90"], {"neurological"}),
        (["R11.0"], set()),
        (["Z23"], set()),
        (["", "nonsense", "J", "10", "💥", "J10.1.1.1.1.1"], set()),
    ],
)
def test_a_code_speaks_by_its_longest_prefix_in_the_table(codes: list[str], expected: set[str]) -> None:
    assert syndromes.classify(codes=codes) == expected


def test_codes_and_words_complete_each_other() -> None:
    assert syndromes.classify("cough", ["R50.9"]) == {"fever", "influenza_like_illness"}


def test_only_so_many_codes_are_read() -> None:
    def endless() -> object:
        while True:
            yield "Z00"

    assert syndromes.classify(codes=endless()) == frozenset()


def test_an_explanation_shows_pattern_text_and_what_took_a_finding_away() -> None:
    text = "Été: fever 39, denies cough"
    lines = syndromes.explain(text)
    fever = next(line for line in lines if line.syndrome == "fever" and line.text == "fever")
    cough = next(line for line in lines if line.finding == "cough")
    assert text[fever.start : fever.end] == fever.text
    assert fever.negated is None
    assert fever.source.startswith("complaints_en.tsv:")
    assert cough.syndrome == "influenza_like_illness"
    assert cough.negated is not None
    assert cough.negated.startswith("negation: denies")


def test_a_list_before_its_cue_is_taken_whole_only_in_a_later_sentence() -> None:
    assert syndromes.classify("설사, 발열 없음") == {"gastrointestinal"}
    assert syndromes.classify("어지러움. 설사, 발열 없음") == frozenset()
    assert syndromes.classify("열나고 숨이 참, 기침은 없음") == {"fever", "severe_respiratory"}


def test_a_gap_in_a_pattern_does_not_swallow_a_negation() -> None:
    assert syndromes.classify("diarrea liquida sin sangre") == {"gastrointestinal"}
    assert syndromes.classify("diarrea liquida muy abundante con sangre") == {
        "gastrointestinal",
        "haemorrhagic",
    }


def test_an_explanation_names_the_code_and_its_term() -> None:
    (line,) = syndromes.explain(None, ["B05.9"])
    assert line.syndrome == "rash_with_fever"
    assert line.text == "B05.9"
    assert line.source.endswith("B05 Measles")


def test_what_is_explained_as_counting_is_what_is_classified() -> None:
    for text, _ in examples():
        counting = {line.syndrome for line in syndromes.explain(text) if line.negated is None}
        assert counting == syndromes.classify(text), text


def test_accents_width_and_traditional_characters_do_not_matter() -> None:
    assert syndromes.classify("VÓMITOS") == syndromes.classify("vomitos") == {"gastrointestinal"}
    assert syndromes.classify("ＦＥＶＥＲ　３９．２") == {"fever"}
    assert syndromes.classify("發燒") == syndromes.classify("发烧") == {"fever"}
    assert syndromes.classify("발열") == {"fever"}, "decomposed Hangul, as a Mac writes it"


def _calls(text: str) -> int:
    """Count the Python and C calls of one classification, nothing being remembered."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        classifier._findings(text, None)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "unit",
    [
        "no fever, ",
        "short of ",
        "can't ",
        "fever or ",
        "없",
        "_열",
        "无发热、",
        "a'",
        "- ",
        "+(",
        "38.5 ",
        "vomting ",
    ],
)
def test_the_work_grows_no_faster_than_the_text(unit: str) -> None:
    classifier.lexicon(None)
    short, long = unit * (1000 // len(unit)), unit * (10_000 // len(unit))
    classifier._findings(short, None)
    assert _calls(long) < 12 * _calls(short) + 1000


def test_a_complaint_is_read_up_to_its_limit_only() -> None:
    assert syndromes.classify(" " * syndromes.LENGTH + "fever") == frozenset()
    assert syndromes.classify(" " * (syndromes.LENGTH - 5) + "fever") == {"fever"}


def test_every_row_of_the_complaint_tables_has_a_finding_and_a_pattern() -> None:
    for language in syndromes.LANGUAGES:
        for row in tables.read_rows(f"complaints_{language}.tsv"):
            assert row.cells["finding"], row.place
            assert row.cells["pattern"], row.place
