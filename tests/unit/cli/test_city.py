"""The synthetic city at the command line: what is written, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from broadstreet.app.city.exporting import TABLES
from broadstreet.app.city.whole import whole_file
from broadstreet.app.city.writing import write_table
from broadstreet.cli.city import _TABLES
from tests.unit.cli.conftest import Run

SMALL = ("--population", 3_000, "--seed", 4)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_tells_its_numbers_and_writes_picture_page_truth_and_line_list(
    run: Run, tmp_path: Path
) -> None:
    result = run("city", "run", "--pathogen", "norovirus", "--source", "kitchen", "--days", 25, *SMALL,
                 "--out", tmp_path)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "of 3,000 people" in result.output
    assert (tmp_path / "epidemic.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    page = (tmp_path / "epidemic.html").read_text(encoding="utf-8")
    assert "Norovirus" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    truth = rows(tmp_path / "truth.csv")
    assert f"{len(truth):,} (" in result.output
    assert {row["source"] for row in truth} >= {"point source"}
    assert len(rows(tmp_path / "linelist.csv")) <= len(truth)


def test_detect_reads_the_line_list(run: Run, tmp_path: Path) -> None:
    run("city", "run", "--pathogen", "influenza", "--imports", 30, "--days", 60, *SMALL, "--out", tmp_path)
    result = run("detect", tmp_path / "linelist.csv", "--date", "onset", "--out", tmp_path / "found")
    assert result.exit_code == 0, result.output


def test_messages_of_a_city_go_through_the_door(run: Run, tmp_path: Path) -> None:
    assert run("city", "export", "messages", "--pathogen", "norovirus", "--source", "kitchen", "--days", 3,
               *SMALL, "--out", tmp_path).exit_code == 0  # fmt: skip
    sent = run("send", tmp_path / "messages.hl7", "--zone", "Asia/Seoul")
    assert sent.exit_code == 0, sent.output
    assert "0 refused" in sent.output


def test_every_table_can_be_exported(run: Run, tmp_path: Path) -> None:
    tables = ("people", "places", "truth", "linelist", "recalled", "contacts", "visits", "pings", "payments",
              "checkins", "sightings", "encounters")  # fmt: skip
    result = run("city", "export", *tables, "--pathogen", "covid19", "--days", 6, "--population", 1_000,
                 "--first-day", 1, "--out", tmp_path)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.csv" for name in tables}
    assert rows(tmp_path / "pings.csv")[0]["time"].startswith("2026-01-06T")


def test_parquet_holds_what_csv_holds(run: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for form in ("csv", "parquet"):
        run("city", "export", "visits", "truth", "--pathogen", "covid19", "--days", 3, "--population", 1_000,
            "--format", form, "--out", tmp_path)  # fmt: skip
    for name in ("visits", "truth"):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        plain = rows(tmp_path / f"{name}.csv")
        assert table.column_names == list(plain[0])
        assert table.num_rows == len(plain)
        first = table.slice(0, 1).to_pylist()[0]
        assert str(first[next(iter(first))]) == next(iter(plain[0].values()))


def test_the_same_seed_writes_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run("city", "export", "truth", "pings", "--pathogen", "sars", "--days", 4, "--population", 1_000,
            "--out", tmp_path / name)  # fmt: skip
    for file in ("truth.csv", "pings.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_plan_file_tells_everything_and_options_go_before_it(run: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'population = 2000\ndays = 5\npathogens = ["mers"]\n[[imports]]\ncount = 3\nlast_day = 1\n'
        "[settings]\nclass_size = 20\n"
    )
    result = run("city", "run", "--plan", plan, "--days", 7, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "2,000 people" in result.output
    assert "7 from" in result.output
    assert len([row for row in rows(tmp_path / "truth.csv") if row["source"] == "imported"]) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--pathogen", "ebola"), "pathogens must be of influenza"),
        (("run",), "pathogens must name one or more"),
        (("run", "atlantis", "--pathogen", "sars"), "configuration must be one of demo, metropolis"),
        (("run", "--pathogen", "sars", "--population", 10), "population must be a whole number from 1,000"),
        (("run", "--pathogen", "sars", "--days", 0, *SMALL), "days must be from 1"),
        (("run", "--pathogen", "sars", "--imports", 0, *SMALL), "count must be 1 or more"),
        (
            ("run", "--pathogen", "sars", "--imports", 2, "--district", "D99", *SMALL),
            "district must be one of",
        ),
        (("run", "--pathogen", "cholera", "--source", "well", *SMALL), "kind must be one of pump, kitchen"),
        (("export", "gossip", "--pathogen", "sars"), "tables must be of messages, people"),
        (("export", "pings", "--pathogen", "sars", "--days", 3, "--first-day", 3, *SMALL), "must be days of"),
        (
            ("export", "truth", "--pathogen", "sars", "--format", "xls", *SMALL),
            "format must be csv or parquet",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_field_name(
    run: Run, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    result = run("city", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("popul = 3", "unknown field `popul`"),
        ("days = 'ten'", "Expected `int`, got `str` - at `$.days`"),
        ("[[imports]]\ncount = 1.5", "at `$.imports[0].count`"),
        ("days = ", "expected TOML in UTF-8"),
        ("", "pathogens must name one or more"),
        (f"days = {'[' * 20_000}", "nested too deeply"),
        (f"seed = {'9' * 5_000}", "expected TOML in UTF-8"),
        ('pathogens = ["sars"]\npopulation = 1000000000000', "population must be a whole number from 1,000"),
        ('pathogens = ["sars"]\ndays = -1', "days must be from 1"),
        ('pathogens = ["sars"]\n[settings]\ncommuters = nan', "commuters must be a share"),
        (
            'pathogens = ["sars"]\n[settings]\ncommuters = "all"',
            "Expected `float`, got `str` - at `$.commuters`",
        ),
        ('pathogens = ["sars"]\n[settings]\nhousehold_sizes = [nan, 1]', "household_sizes must be 0 or more"),
        ('pathogens = ["sars"]\n[settings]\nholidays = 7', "at `$.holidays`"),
        ('pathogens = ["sars"]\n[[settings.districts]]\ncode = "A"', "districts have the columns code, name"),
        (
            'pathogens = ["sars"]\n[[settings.districts]]\n'
            'code = "A"\nname = "A"\nx = inf\ny = 0\nweight = 1',
            "districts must lie within",
        ),
        (
            'population = 1000\npathogens = ["cholera"]\n[[sources]]\nkind = "pump"\nreach = -1',
            "reach must be above 0",
        ),
        ('pathogens = ["sars"]\n[settings]\nschoolsize = 3', "settings: a city has no schoolsize"),
        ('pathogens = ["sars"]\n[settings]\nclass_size = 1', "class_size must be a whole number from 5"),
    ],
)
def test_a_wrong_plan_is_refused_by_field_name(run: Run, tmp_path: Path, text: str, message: str) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    result = run("city", "run", "--plan", plan, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_city_is_held_beside_published_tables_with_pass_or_fail(run: Run, tmp_path: Path) -> None:
    result = run("city", "check", "--population", 20_000)
    assert result.exit_code == 0, result.output
    assert "POLYMOD" in result.output
    assert "household" in result.output
    assert "comparisons pass" in result.output
    plan = tmp_path / "plan.toml"
    plan.write_text("population = 5000\n[settings]\nemployed = 0.1\n")
    failed = run("city", "check", "--plan", plan)
    assert (failed.exit_code, "FAIL" in failed.output) == (1, True)


def test_what_if_tells_the_difference_that_actions_make_with_its_interval(run: Run) -> None:
    asked = ("city", "what-if", "isolate adherence=0.9", "--pathogen", "covid19", *SMALL, "--days", 40)
    result = run(*asked, "--runs", 3, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    infections = answer["numbers"]["infections"]
    assert infections["low"] <= infections["difference"] <= infections["high"]
    assert infections["difference"] == pytest.approx(infections["with_actions"] - infections["without"])
    assert "95 % interval" in run(*asked, "--runs", 2).output


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("isolate adherence=9", "at `$.adherence`"),
        ("pray", "Invalid value 'pray' - at `$.action`"),
        ("", "Invalid value '' - at `$.action`"),
        ("isolate adherence=nan", "adherence"),
        ("isolate firmly", "expected name=value after the action (there is 'firmly')"),
        ("isolate patience=1", "unknown field `patience`"),
        ("close kind=moon", "kind must be one of"),
        ("test district=D99", "district must be one of"),
    ],
)
def test_an_impossible_action_is_refused_by_field_name(run: Run, action: str, message: str) -> None:
    result = run("city", "what-if", action, "--pathogen", "sars", *SMALL, "--days", 5, "--runs", 2)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_the_help_names_every_table_that_can_be_exported() -> None:
    assert _TABLES.split(", ") == ["messages", *TABLES]


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("what was there before")

    def parts():  # type: ignore[no-untyped-def]
        import numpy as np

        yield {"a": np.arange(3)}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(path, parts())
    assert path.read_text() == "what was there before"
    assert [each.name for each in tmp_path.iterdir()] == ["table.csv"]
    with whole_file(path) as part:
        part.write_text("all of it")
    assert path.read_text() == "all of it"


def test_ctrl_c_while_files_are_written_leaves_whole_files_or_none(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("broadstreet")
    command = [program, "city", "export", "people", "pings", "--population", "20000",
               "--pathogen", "covid19", "--days", "2", "--last-day", "1", "--out", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if any(".part" in path.name and "pings" in path.name for path in tmp_path.iterdir()):
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.02)
    process.communicate(timeout=60)
    assert process.returncode not in {0, None}
    assert {path.name for path in tmp_path.iterdir()} <= {"people.csv", "pings.csv"}
    assert not any(".part" in path.name for path in tmp_path.iterdir())
