"""The form of the hand-labelled chief complaints; what they mean is stated at the head of each file."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "chief_complaints"
LANGUAGES = ("en", "ko", "zh", "es")
LABELS = (
    "fever",
    "influenza_like_illness",
    "severe_respiratory",
    "gastrointestinal",
    "rash_with_fever",
    "neurological",
    "haemorrhagic",
    "jaundice",
)

Row = tuple[str, list[str]]


@pytest.fixture(scope="module", params=LANGUAGES)
def lines(request: pytest.FixtureRequest) -> list[str]:
    text: str = (FOLDER / f"{request.param}.tsv").read_text(encoding="utf-8")
    return text.split("\n")[:-1]


@pytest.fixture(scope="module")
def rows(lines: list[str]) -> list[Row]:
    fields = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(text, labels.split(" ") if labels else []) for text, labels in fields]


def test_each_set_says_who_wrote_it_and_when(lines: list[str]) -> None:
    head = "\n".join(line for line in lines if line.startswith("#"))
    assert "second author" in head
    assert "Date: 2026-11-20" in head
    assert all(f"# {label}:" in head for label in LABELS)


def test_each_row_has_a_clean_text_and_one_tab(lines: list[str]) -> None:
    rows = [line for line in lines if not line.startswith("#")]
    assert [row for row in rows if row.count("\t") != 1] == []
    texts = [row.split("\t")[0] for row in rows]
    assert [text for text in texts if not text or text != text.strip()] == []


def test_labels_are_known_and_stand_in_one_order(rows: list[Row]) -> None:
    ordered = [[label for label in LABELS if label in labels] for _, labels in rows]
    assert [row for row, known in zip(rows, ordered, strict=True) if row[1] != known] == []


def test_no_complaint_stands_twice(rows: list[Row]) -> None:
    seen = Counter(" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text, _ in rows)
    assert [text for text, times in seen.items() if times > 1] == []


def test_each_language_has_at_least_two_hundred_complaints(rows: list[Row]) -> None:
    assert len(rows) >= 200


def test_a_share_has_no_label_and_a_share_has_several(rows: list[Row]) -> None:
    without = sum(not labels for _, labels in rows) / len(rows)
    several = sum(len(labels) >= 2 for _, labels in rows) / len(rows)
    assert 0.25 <= without <= 0.40
    assert 0.30 <= several <= 0.45


def test_each_label_occurs_at_least_fifteen_times_a_language(rows: list[Row]) -> None:
    times = Counter(label for _, labels in rows for label in labels)
    assert {label: times[label] for label in LABELS if times[label] < 15} == {}
