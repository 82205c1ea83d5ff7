"""`broadstreet investigate`: what an investigator does, sees, and gets when a file is not as it should be."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broadstreet.cli import app

SHARED = Path(os.environ.get("BROADSTREET_SHARED", "../shared")) / "data"
START = date(2026, 3, 1)
NAMES = ["id", "onset", "diagnosed", "isolated", "death", "exposure_start", "exposure_end", "household"]


def day(number: int) -> str:
    return (START + timedelta(number)).isoformat()


def sound(number: int = 12) -> list[list[str]]:
    """Return cases in households of three; each falls ill four days after the one before."""
    return [
        [f"c{n}", day(4 * n), day(4 * n + 2), day(4 * n + 3), "", "", "", f"h{n // 3}"] for n in range(number)
    ]


def write(path: Path, rows: list[list[str]], names: list[str] | None = None) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names or NAMES, *rows])
    return path


def run(*given: object) -> Result:
    return CliRunner().invoke(app, ["investigate", *map(str, given)])


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def shared(name: str) -> Path:
    if not (SHARED / name).exists():
        pytest.skip("no shared data (BROADSTREET_SHARED names its folder)")
    return SHARED / name


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_line_list_becomes_a_page_and_tables(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    result = run(file, "--serial-interval", "4,1.5", "--incubation", "3,1", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "12 cases fell ill from 2026-03-01 to 2026-04-14." in result.output
    page = (tmp_path / "out" / "investigation.html").read_text()
    for heading in ("Cases over time", "Who infected whom", "Case by case", "What to keep in mind"):
        assert f"<h2>{heading}</h2>" in page
    best = {row["case"]: row["infector"] for row in reversed(rows_of(tmp_path / "out" / "links.csv"))}
    assert best["c4"] == "c3"
    assert len(rows_of(tmp_path / "out" / "cases.csv")) == 12


def test_the_page_loads_nothing_and_runs_only_its_own_script(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    run(file, "--serial-interval", "4,1.5", "--out", tmp_path)
    page = (tmp_path / "investigation.html").read_text()
    assert "default-src 'none'" in page
    assert "script-src 'sha256-" in page
    assert not re.findall(r"https?://", page)


def test_tables_are_written_as_parquet_too_and_without_the_extra_a_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    file = write(tmp_path / "cases.csv", sound())
    run(file, "--serial-interval", "4,1.5", "--out", tmp_path / "with")
    held = parquet.read_table(tmp_path / "with" / "links.parquet")
    assert held.column_names == ["case", "infector", "probability", "reasons"]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run(file, "--serial-interval", "4,1.5", "--out", tmp_path / "without")
    assert "pip install 'broadstreet[parquet]'" in result.output
    assert not list((tmp_path / "without").glob("*.parquet"))


WRONG = [
    (["x1", day(9), "", "", day(8), "", "", ""], "onset after death"),
    (["x2", day(9), "", "", "", day(11), day(12), ""], "the exposure window begins after onset"),
    (["x3", day(9), "", "", "", day(8), day(7), ""], "the exposure window ends before it begins"),
    (["c3", day(9), "", "", "", "", "", ""], "the id is that of row 5"),
    (["", day(9), "", "", "", "", "", ""], "the id is missing"),
    (["x4", "", "", "", "", "", "", ""], "no onset, and no other date to place it in time"),
    (["x5", "2026-02-30", "", "", "", "", "", ""], 'column "onset": expected a date as 2026-01-31'),
    (["x6", "soon", "", "", "", "", "", ""], 'found "soon"'),
]


def test_each_wrong_row_is_named_set_aside_and_counted_and_the_rest_is_analysed(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound() + [row for row, _ in WRONG])
    found = told(run(file, "--serial-interval", "4,1.5", "--out", tmp_path / "out", "--json"))
    assert found["cases"] == 12
    aside = {one["row"]: one["why"] for one in found["set_aside"]}
    assert sorted(aside) == list(range(14, 14 + len(WRONG)))
    for row, (_, why) in enumerate(WRONG, 14):
        assert why in aside[row]
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert f"{len(WRONG)} rows set aside" in page
    listed = page.split("Rows that could not be used</h2>")[1].split("</table>")[0]
    assert listed.count("<tr>") == 1 + len(WRONG)
    assert len(rows_of(tmp_path / "out" / "set_aside.csv")) == len(WRONG)


def test_contacts_with_unknown_ids_doubles_and_cycles_are_set_aside_by_row(tmp_path: Path) -> None:
    cases = [*sound(), *([f"d{n}", "", day(20), "", "", "", "", ""] for n in range(3))]
    file = write(tmp_path / "cases.csv", cases)
    pairs = [
        ["c0", "c1"], ["c0", "zz"], ["c1", "c1"], ["c0", "c1"],
        ["d0", "d1"], ["d1", "d2"], ["d2", "d0"], ["", "c2"],
    ]  # fmt: skip
    contacts = write(tmp_path / "contacts.csv", pairs, ["Infector", "Case ID"])
    result = run(
        file, "--contacts", contacts, "--serial-interval", "4,1.5", "--out", tmp_path / "out", "--json"
    )
    aside = {one["row"]: one["why"] for one in told(result)["set_aside"]}
    assert sorted(aside) == [3, 4, 5, 6, 7, 8, 9]
    assert aside[3] == "no case has the id zz"
    assert aside[4] == "a case cannot infect itself"
    assert aside[5] == "the same pair as row 2"
    assert aside[7] == "part of a cycle of declared contacts: d1 -> d2 -> d0 -> d1"
    assert all(aside[row].startswith("part of a cycle of declared contacts: ") for row in (6, 7, 8))


def test_a_declared_link_against_time_is_shown_as_impossible(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    contacts = write(tmp_path / "contacts.csv", [["c11", "c0"]], ["infector", "case"])
    run(file, "--contacts", contacts, "--serial-interval", "4,1.5", "--out", tmp_path)
    rows = rows_of(tmp_path / "impossible.csv")
    assert [(row["infector"], row["case"], row["row"]) for row in rows] == [("c11", "c0", "2")]
    assert "Declared links that cannot be</h2>" in (tmp_path / "investigation.html").read_text()


@pytest.mark.parametrize("number", [1, 2])
def test_a_single_case_is_an_answer_too(tmp_path: Path, number: int) -> None:
    file = write(tmp_path / "cases.csv", sound(number))
    result = run(file, "--disease", "measles", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "c0 (" in result.output


@pytest.mark.parametrize("number", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_ten_thousand_cases_on_one_day_give_an_answer(tmp_path: Path, number: int) -> None:
    rows = [[f"c{n}", day(3), "", "", "", "", "", ""] for n in range(number)]
    file = write(tmp_path / "cases.csv", rows)
    result = run(file, "--disease", "measles", "--out", tmp_path / "out")
    assert f"{number:,} cases fell ill on 2026-03-04." in result.output
    page = tmp_path / "out" / "investigation.html"
    assert page.stat().st_size < 2_000_000
    assert f"300 of {number:,} cases are drawn" in page.read_text()


def test_without_any_onset_nothing_is_invented(tmp_path: Path) -> None:
    rows = [[f"c{n}", "", day(n), "", "", "", "", ""] for n in range(5)]
    result = run(write(tmp_path / "cases.csv", rows), "--disease", "measles", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Cases over time</h2>" not in (tmp_path / "out" / "investigation.html").read_text()


def test_without_a_disease_the_list_is_shown_and_what_is_missing_is_said(tmp_path: Path) -> None:
    result = run(write(tmp_path / "cases.csv", sound()), "--out", tmp_path)
    assert "Who infected whom is not estimated" in result.output
    page = (tmp_path / "investigation.html").read_text()
    assert "Case by case</h2>" in page
    assert "Who infected whom</h2>" not in page


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["Case No.", "Date of Symptom Onset"], ["7", "01.03.2026"]),
        (["환자번호", "발병일"], ["7", "2026-03-01"]),
        (["病例编号", "发病日期"], ["7", "20260301"]),
        (["Fall-ID", "Erkrankungsbeginn"], ["7", "1.3.2026"]),
        (["patient_id", "dt_onset"], ["7", "2026/3/1"]),
        (["ID", "day"], ["7", "2026-03-01 08:15"]),
    ],
)
def test_columns_are_recognised_in_many_spellings(tmp_path: Path, names: list[str], cells: list[str]) -> None:
    result = run(write(tmp_path / "cases.csv", [cells], names), "--disease", "mers", "--out", tmp_path)
    assert "1 case fell ill on 2026-03-01." in result.output
    assert rows_of(tmp_path / "cases.csv")[0]["case"] == "7"


def test_a_column_can_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", [["7", "2026-03-01", "2026-03-02"]], ["id", "first", "onset"])
    result = run(file, "--column", "onset=first", "--out", tmp_path / "out")
    assert "fell ill on 2026-03-01" in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--disease", "plague"], "expected a disease of influenza"),
        (["--serial-interval", "4"], "--serial-interval: expected two numbers as 12.6,3.8"),
        (["--serial-interval", "4,-1"], "sd above 0"),
        (["--column", "onset"], "--column: expected ROLE=NAME"),
        (["--column", "onset=zz"], 'expected a column "zz"'),
        (["--column", "colour=id"], "expected one of"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 on, found -1"),
        (["--window", "9,2"], "--window: expected two whole numbers, the fewest days first"),
        (["--window", "1.5,3"], "--window: expected two whole numbers, the fewest days first"),
        (["--reported", "1.5"], "--reported: expected a share between 0 and 1 as 0.5, or with its weight"),
        (["--reported", "0"], "--reported: expected a share between 0 and 1 as 0.5, or with its weight"),
        (["--importation", "1"], "--importation: expected a share between 0 and 1 as 0.5, or with its"),
        (["--importation", "0.1,5,9"], "--importation: expected a share between 0 and 1"),
        (["--contacts", "none.csv"], "none.csv: No such file"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(tmp_path: Path, options: list[str], said: str) -> None:
    result = run(write(tmp_path / "cases.csv", sound()), *options, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_text_of_a_file_cannot_act_in_the_page_or_in_a_spreadsheet(tmp_path: Path) -> None:
    attack = '</script><script>alert(1)</script><img src=x onerror="alert(1)">'
    rows = [[attack, day(0), "", "", "", "", "", attack], ["=1+1", day(4), "", "", "", "", "", attack]]
    result = run(write(tmp_path / "cases.csv", rows), "--disease", "mers", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert "\n'=1+1," in (tmp_path / "out" / "cases.csv").read_text()


def test_the_map_of_soho_leads_to_the_broad_street_pump(tmp_path: Path) -> None:
    folder = shared("snow_1854")
    result = run(
        folder / "Snow.deaths.csv", "--sites", folder / "Snow.pumps.csv",
        "--streets", folder / "Snow.streets.csv", "--counts", folder / "Snow.dates.csv", "--out", tmp_path,
    )  # fmt: skip
    assert "Broad St explains where the cases are best" in result.output
    page = (tmp_path / "investigation.html").read_text()
    assert "whose catchment is shaded" in page
    assert rows_of(tmp_path / "sites.csv")[0]["site"] == "Broad St"
    assert len(rows_of(tmp_path / "case_sites.csv")) == 578


def test_the_list_of_mers_in_korea_names_its_index_case(tmp_path: Path) -> None:
    file = shared("mers_korea_2015") / "linelist.csv"
    result = run(file, "--disease", "mers", "--out", tmp_path)
    assert (
        "162 cases fell ill from 2015-05-11 to 2015-06-15; of 27 the day of onset is not known."
        in " ".join(result.output.split())
    )
    assert "SK_1 (" in result.output
    assert rows_of(tmp_path / "sources.csv")[0]["case"] == "SK_1"


def test_recorded_infectors_are_not_used_unless_they_are_given_as_contacts(tmp_path: Path) -> None:
    file = shared("measles_hagelloch_1861") / "linelist.csv"
    result = run(file, "--disease", "measles", "--out", tmp_path)
    assert 'The column "infector" names infectors. It was not used' in result.output
    assert "declared contact" not in (tmp_path / "links.csv").read_text()


def test_places_are_ranked_against_controls(tmp_path: Path) -> None:
    cases = write(tmp_path / "cases.csv", [[f"c{n}", day(6 + n % 3)] for n in range(10)], ["id", "onset"])
    controls = write(tmp_path / "controls.csv", [[f"k{n}"] for n in range(40)], ["person"])
    went = [[f"c{n}", "kitchen", day(3)] for n in range(7)]
    went += [
        [f"{who}{n}", "market", day(n % 5)] for who in "ck" for n in range(0, 10 if who == "c" else 40, 2)
    ]
    visits = write(tmp_path / "visits.csv", [*went, ["c1", "", day(1)]], ["person id", "location", "date"])
    result = run(
        cases, "--visits", visits, "--controls", controls, "--disease", "norovirus", "--window", "1,7",
        "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    found = told(result)
    assert rows_of(tmp_path / "out" / "places.csv")[0]["place"] == "kitchen"
    assert [one["file"] for one in found["set_aside"]] == ["visits.csv"]
    assert any("the most probable one is kitchen" in said for said in found["found"])


def test_a_place_is_told_with_the_cases_of_its_best_time_beside_those_of_all_days(tmp_path: Path) -> None:
    cases = write(tmp_path / "cases.csv", [[f"c{n}", day(12 + n % 2)] for n in range(10)], ["id", "onset"])
    controls = write(tmp_path / "controls.csv", [[f"k{n}"] for n in range(20)], ["id"])
    went = [[f"c{n}", "kitchen", day(9 if n < 6 else 2)] for n in range(9)]
    went += [[f"k{n}", "kitchen", day(9 if n < 1 else 2)] for n in range(5)]
    visits = write(tmp_path / "visits.csv", went, ["id", "place", "day"])
    options = ("--visits", visits, "--controls", controls, "--disease", "norovirus", "--window", "1,14")
    said = " ".join(told(run(cases, *options, "--out", tmp_path / "out", "--json"))["found"])
    best = rows_of(tmp_path / "out" / "place_times.csv")[0]
    assert (best["cases"], rows_of(tmp_path / "out" / "places.csv")[0]["cases"]) == ("6", "9")
    then, ever = (
        float(rows_of(tmp_path / "out" / f"{name}.csv")[0]["expected"]) for name in ("place_times", "places")
    )
    assert f"6 of 10 cases report it then, {then:.1f} were expected" in said
    assert f"on all days 9 report it, {ever:.1f} were expected" in said
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert f"<td>6</td><td>{then:.1f}</td><td>9</td><td>{ever:.1f}</td>" in page


def test_cases_by_day_give_a_curve_and_days_that_cannot_be_counted_are_named(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("id,x,y\n1,0,0\n2,1,1\n")
    (tmp_path / "counts.csv").write_text(
        "date,attacks\n2026-03-01,4\n2026-03-02,many\n2026-03-01,5\n,3\n2026-03-03,-1\n2026-03-04,7\n"
    )
    result = run(tmp_path / "cases.csv", "--counts", tmp_path / "counts.csv", "--out", tmp_path / "out")
    assert "4 rows of the files could not be used" in result.output
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert "Attacks of counts.csv by day, 2026-03-01 to 2026-03-04: 11 in all, at most 7 in a day" in page
    assert [row["row"] for row in rows_of(tmp_path / "out" / "set_aside.csv")] == ["3", "4", "5", "6"]


def test_the_share_of_cases_in_the_list_is_given_or_learned_and_told(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    for options, said in (
        ([], "<dt>Cases that are in the list</dt><dd>75 %, believed: the list cannot tell it"),
        (["--reported", "0.5,20"], "<dt>Cases that are in the list</dt><dd>50 %, believed"),
        (["--reported", "0.5"], "<dt>Cases that are in the list</dt><dd>50 %, as given</dd>"),
        (["--importation", "0.2"], "<dt>Cases infected from outside</dt><dd>20 %, as given</dd>"),
    ):
        run(file, "--serial-interval", "4,1.5", "--out", tmp_path / "out", *options)
        page = (tmp_path / "out" / "investigation.html").read_text()
        assert said in page
        assert ("say --reported SHARE." in page) == (options[:1] != ["--reported"] or "," in options[1])


def test_how_many_each_case_infected_is_a_table(tmp_path: Path) -> None:
    run(write(tmp_path / "cases.csv", sound()), "--serial-interval", "4,1.5", "--out", tmp_path / "out")
    rows = rows_of(tmp_path / "out" / "reproduction_by_case.csv")
    assert list(rows[0]) == ["case", "onset", "mean", "lower", "upper"]
    assert len(rows) == 12


def test_intervals_of_two_diseases_are_warned_of_and_each_is_told_with_its_source(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    options = ("--disease", "measles", "--serial-interval", "5,2", "--out", tmp_path / "out")
    said = " ".join(run(file, *options).output.split())
    assert (
        "From onset to onset it is 5.0 days on average (given on the command line), but from infection"
        in said
    )
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert "mean 5.0, standard deviation 2.0 days (given on the command line)" in page
    assert "days (Measles: Lessler 2009 Lancet Infect Dis 9:291, table 3)" in page
    assert "hardly belong" not in run(file, "--disease", "covid19", "--out", tmp_path / "out").output


def test_options_that_nothing_is_done_with_are_told(tmp_path: Path) -> None:
    file = write(tmp_path / "cases.csv", sound())
    controls = write(tmp_path / "controls.csv", [["k1"]], ["id"])
    options = ("--controls", controls, "--window", "1,7", "--disease", "mers")
    said = " ".join(run(file, *options, "--out", tmp_path / "out").output.split())
    assert "controls.csv was not used: controls are compared with cases by --visits of both." in said
    assert "--window was not used: places are ranked only with --visits and --controls." in said
