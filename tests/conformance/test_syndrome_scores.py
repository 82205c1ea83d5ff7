"""Precision and recall on complaints that somebody else labelled, before seeing any pattern."""

from __future__ import annotations

import pytest
from rich.console import Console

from bench.syndromes import LABELLED, Labelled, read_labelled, scores, show
from broadstreet.model import syndromes

# A little below the first scoring (bench/results/syndromes_first_scoring.json).
FLOOR_ALL = {"precision": 0.975, "recall": 0.96}
FLOOR_LANGUAGE = {"precision": 0.965, "recall": 0.94}
FLOOR_SYNDROME = {"precision": 0.95, "recall": 0.90}


@pytest.fixture(scope="module")
def labelled() -> list[Labelled]:
    return read_labelled()


@pytest.mark.parametrize("language", syndromes.LANGUAGES)
def test_each_language_has_at_least_200_labelled_complaints(language: str, labelled: list[Labelled]) -> None:
    assert (LABELLED / f"{language}.tsv").is_file()
    assert sum(row.language == language for row in labelled) >= 200
    assert {label for row in labelled for label in row.labels} <= set(syndromes.NAMES)


def test_precision_and_recall_stay_above_the_floor(labelled: list[Labelled]) -> None:
    figures = scores(labelled)
    Console(width=150).print(show(figures))
    for language, by_name in figures.items():
        floor = FLOOR_ALL if language == "all" else FLOOR_LANGUAGE
        for measure, least in floor.items():
            assert by_name["micro"][measure] >= least, (language, measure)
    for name in syndromes.NAMES:
        for measure, least in FLOOR_SYNDROME.items():
            assert figures["all"][name][measure] >= least, (name, measure)
