"""Speed of naming syndromes, and precision and recall on the complaints that a second author labelled."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.results import keep
from broadstreet.model import syndromes
from broadstreet.model.syndromes import classifier

LABELLED = Path(__file__).parents[1] / "tests" / "conformance" / "chief_complaints"
ROUNDS = 7
DISTINCT = 20_000


class Labelled(NamedTuple):
    """A complaint with the syndromes that a person gave it."""

    language: str
    text: str
    labels: frozenset[str]


class Score(NamedTuple):
    """Hits, false alarms and misses, and what follows from them."""

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return self.true / (self.true + self.false) if self.true + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.true / (self.true + self.missed) if self.true + self.missed else 1.0


def read_labelled(folder: Path = LABELLED) -> list[Labelled]:
    """Read each `<language>.tsv` of `folder`: text, tab, labels; `#` begins a comment line."""
    return [labelled for path in sorted(folder.glob("*.tsv")) for labelled in _read_file(path)]


def _read_file(path: Path) -> Iterator[Labelled]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        text, _, labels = line.partition("\t")
        yield Labelled(path.stem, text, frozenset(labels.split()))


def score(rows: list[Labelled], names: tuple[str, ...] = syndromes.NAMES) -> Score:
    """Count, over complaints and syndromes, what was named rightly, wrongly and not at all."""
    chosen = frozenset(names)
    pairs = [(syndromes.classify(row.text) & chosen, row.labels & chosen) for row in rows]
    return Score(
        sum(len(named & labels) for named, labels in pairs),
        sum(len(named - labels) for named, labels in pairs),
        sum(len(labels - named) for named, labels in pairs),
    )


def scores(rows: list[Labelled]) -> dict[str, dict[str, dict[str, float]]]:
    """Return precision, recall and counts by language and syndrome, with `micro` and `macro` rows."""
    languages = [*sorted({row.language for row in rows}), "all"]
    return {
        language: _scores_of([row for row in rows if language in (row.language, "all")])
        for language in languages
    }


def _scores_of(rows: list[Labelled]) -> dict[str, dict[str, float]]:
    by_name = {name: score(rows, (name,)) for name in syndromes.NAMES}
    figures = {name: _figures(one) for name, one in by_name.items()}
    figures["micro"] = _figures(score(rows))
    figures["macro"] = {
        "precision": round(statistics.fmean(one.precision for one in by_name.values()), 4),
        "recall": round(statistics.fmean(one.recall for one in by_name.values()), 4),
    }
    right = sum(syndromes.classify(row.text) == row.labels for row in rows)
    figures["whole complaint right"] = {"share": round(right / len(rows), 4), "complaints": len(rows)}
    return figures


def _figures(one: Score) -> dict[str, float]:
    return {
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "true": one.true,
        "false": one.false,
        "missed": one.missed,
    }


def show(figures: dict[str, dict[str, dict[str, float]]]) -> Table:
    """Return the scores as a table: precision / recall (labelled)."""
    table = Table("syndrome", *figures, title="precision / recall (labelled)")
    for name in (*syndromes.NAMES, "micro", "macro"):
        table.add_row(name, *(_cell(by_name[name]) for by_name in figures.values()))
    wholes = [by_name["whole complaint right"] for by_name in figures.values()]
    table.add_row("whole complaint right", *(f"{w['share']:.3f} of {w['complaints']:.0f}" for w in wholes))
    return table


def _cell(figures: dict[str, float]) -> str:
    labelled = f" ({figures['true'] + figures['missed']:.0f})" if "true" in figures else ""
    return f"{figures['precision']:.3f} / {figures['recall']:.3f}{labelled}"


def speed(rows: list[Labelled]) -> dict[str, float]:
    """Return complaints a second on one core: each distinct, then each repeated."""
    texts = [f"{row.text} {number}" for number in range(DISTINCT) for row in (rows[number % len(rows)],)]
    classifier.lexicon(None)
    distinct, repeated = [], []
    for _ in range(ROUNDS):
        classifier.forget()
        distinct.append(DISTINCT / _seconds(texts))
        repeated.append(DISTINCT / _seconds(texts))
    return {
        "distinct complaints/s (median)": round(statistics.median(distinct)),
        "repeated complaints/s (median)": round(statistics.median(repeated)),
        "rounds": ROUNDS,
        "complaints a round": DISTINCT,
        "characters a complaint (mean)": round(statistics.fmean(map(len, texts)), 1),
    }


def _seconds(texts: list[str]) -> float:
    start = time.perf_counter()
    for text in texts:
        syndromes.classify(text)
    return time.perf_counter() - start


def main() -> None:
    """Print and keep both."""
    rows = read_labelled()
    if not rows:
        raise SystemExit(f"no labelled complaints in {LABELLED}")
    figures = scores(rows)
    Console(width=150).print(show(figures))
    rates = speed(rows)
    for name, value in rates.items():
        print(f"{name}: {value:,}")
    keep("syndromes", {"speed": rates, "scores": figures})


if __name__ == "__main__":
    main()
