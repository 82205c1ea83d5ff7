"""`evaluate` on a small benchmark and on a labelled history."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from broadstreet.app.evaluate.labelled import numbered
from broadstreet.cli import app


def evaluated(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", *words])
    return result.exit_code, result.output


@pytest.fixture
def history(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    rows = ["epoch,unit,observed,state"]
    for unit in ("north", "south"):
        for week in range(120):
            ill = week in (100, 101)
            rows.append(f"w{week:03},{unit},{draw.poisson(3) + 20 * ill},{int(ill)}")
    (tmp_path / "known.csv").write_text("\n".join(rows))
    return tmp_path / "known.csv"


def test_methods_stand_beside_each_other_with_standard_errors(history: Path) -> None:
    code, said = evaluated(
        str(history), "--history", "60", "--method", "detect", "--method", "ears-c2", "--json"
    )
    assert code == 0, said
    detect, ears = json.loads(said)
    assert (detect["method"], ears["method"]) == ("detect", "ears-c2")
    assert detect["POD"] == [1.0, 0.0, 2]
    assert 0 <= detect["FPR"][0] < 0.1
    code, table = evaluated(str(history), "--history", "60", "--method", "ears-c2")
    assert "±" in table
    assert "2 series of 120 times, 60 of them tested" in table


def test_times_in_a_row_are_one_outbreak() -> None:
    states = np.array([[1, 0], [1, 1], [0, 0], [2, 1]])
    assert numbered(states).tolist() == [[1, 0], [1, 1], [0, 0], [2, 2]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("week,cases\n1,2\n", "expected a column named state or outbreak or label"),
        ("week,cases,state\n1,two,0\n2,1,0\n", "expected a whole number, got 'two'"),
        ("week,cases,state\n1,-1,0\n2,1,0\n", "expected 0 or more, got -1"),
        ("week,unit,cases,state\n1,a,1,0\n2,b,1,0\n", "expected one row for each time of each series"),
        ("week,cases,state\n1,1,0\n2,1,0\n", "expected more than 156 times, got 2"),
    ],
)
def test_a_history_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    code, output = evaluated(str(tmp_path / "bad.csv"))
    assert code == 2
    assert said in output


def test_an_unknown_method_or_benchmark_is_refused() -> None:
    assert evaluated("weekly", "--method", "magic")[0] == 2
    assert evaluated("monthly")[0] == 2
