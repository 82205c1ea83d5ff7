"""`evaluate` on a small benchmark and on a labelled history."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from broadstreet.app.evaluate.labelled import numbered, read_labelled
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


@pytest.mark.parametrize("kind", ["dates", "weeks", "numbers"])
def test_rows_in_any_order_give_the_same_answer(tmp_path: Path, kind: str) -> None:
    first = date(2020, 1, 6)
    of = {
        "dates": lambda n: str(first + timedelta(weeks=n)),
        "weeks": lambda n: (first + timedelta(weeks=n)).strftime("%G-W%V"),
        "numbers": str,
    }[kind]
    draw = np.random.default_rng(1)
    rows = [f"{of(n)},{draw.poisson(3) + 20 * (n == 100)},{int(n == 100)}" for n in range(120)]
    found = []
    for name, some in (("sorted", rows), ("shuffled", draw.permutation(rows).tolist())):
        (tmp_path / name).write_text("\n".join(["date,cases,outbreak", *some]))
        found.append(read_labelled(tmp_path / name, 60))
    assert found[1].counts.tolist() == found[0].counts.tolist()
    assert found[1].outbreaks.tolist() == found[0].outbreaks.tolist()
    assert found[0].outbreaks[100, 0] == 1


def test_a_count_with_nothing_behind_its_point_is_whole(tmp_path: Path) -> None:
    (tmp_path / "whole.csv").write_text("week,cases,state\n1,7.0,0\n2,8,0\n3,1e3,1\n")
    assert read_labelled(tmp_path / "whole.csv", 1).counts[:, 0].tolist() == [7, 8, 1000]


def test_times_in_a_row_are_one_outbreak() -> None:
    states = np.array([[1, 0], [1, 1], [0, 0], [2, 1]])
    assert numbered(states).tolist() == [[1, 0], [1, 1], [0, 0], [2, 2]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("week,cases\n1,2\n", "expected a column named state or outbreak or label"),
        ("week,cases,state\n1,two,0\n2,1,0\n", "expected a whole number, got 'two'"),
        ("week,cases,state\n1,-1,0\n2,1,0\n", "expected 0 or more, got -1"),
        ("week,cases,state\n1,7.9,0\n", "row 2, column \"cases\": expected a whole number, got '7.9'"),
        ("week,cases,state\n1,,0\n", "expected a whole number, got ''"),
        ("week,cases,state\n1,1e999,0\n", "expected at most 1,000,000,000, got 1e999"),
        ("week,cases,state\n1,99999999999999999999,0\n", "expected at most 1,000,000,000"),
        ("week,cases,state\n1,nan,0\n", "expected a whole number, got 'nan'"),
        ("week,unit,cases,state\n1,a,1,0\n2,b,1,0\n", "got none for '2' of 'a'; add it"),
        ("week,unit,cases,state\n1,a,1,0\n1,a,1,0\n2,a,1,0\n2,b,1,0\n", "row 3"),
        ("week,cases,state\n1,1,0\n1,2,0\n", "got '1' again after row 2; keep one of them"),
        ("week,cases,state\n1,1,0\nspring,1,0\n", 'row 3, column "week": expected a time written as'),
        ("day,cases,state\n2026-02-30,1,0\n", "expected a date, a week or a number, got '2026-02-30'"),
        ("day,cases,state\n03/04/2026,1,0\n", "write dates as 2026-12-31"),
        ("day,cases,state\n2026-01-01,1,0\n2026-01-02,1,0\n2026-01-04,1,0\n", "got none for 2026-01-03"),
        ("week,cases,state\n1,1,0\n2,1,0\n", "expected more than 156 times, got 2"),
    ],
)
def test_a_history_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    code, output = evaluated(str(tmp_path / "bad.csv"))
    assert code == 2
    assert said in " ".join(output.split())


def test_a_method_may_be_written_with_an_underscore(history: Path) -> None:
    code, table = evaluated(str(history), "--history", "60", "--method", "ears_c2")
    assert (code, "ears-c2" in table) == (0, True)


def test_an_unknown_method_or_benchmark_is_refused() -> None:
    assert evaluated("weekly", "--method", "magic")[0] == 2
    assert evaluated("monthly")[0] == 2
