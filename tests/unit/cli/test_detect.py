"""`detect`: from a file of cases or counts to an alarm, without a hub."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.cli.conftest import Run

MONDAY = date(2021, 1, 4)


def weekly(weeks: int = 240, start: date = MONDAY, outbreak: int = 30) -> str:
    """Return counts of two districts, the last week of one of them high."""
    generator = np.random.default_rng(1854)
    lines = ["week,district,cases"]
    for name, mean, extra in (("North", 12, outbreak), ("South", 20, 0)):
        counts = generator.poisson(mean * np.exp(0.4 * np.cos(2 * np.pi * np.arange(weeks) / 52)))
        counts[-1] += extra
        lines += [f"{start + timedelta(7 * week)},{name},{n}" for week, n in enumerate(counts)]
    return "\n".join(lines) + "\n"


def daily(days: int = 60, last: int = 20) -> str:
    counts = [*np.random.default_rng(1854).poisson(4, days - 1), last]
    rows = [f"{date(2026, 1, 1) + timedelta(day)},{n}" for day, n in enumerate(counts)]
    return "\n".join(["date,count", *rows])


@pytest.fixture
def detect(run: Run, tmp_path: Path) -> Any:
    def detect(text: str | bytes, *options: object) -> Any:
        file = tmp_path / "cases.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("detect", file, "--out", tmp_path / "out", *options)

    return detect


@pytest.fixture
def told(detect: Any) -> Any:
    def told(text: str | bytes, *options: object) -> dict[str, Any]:
        result = detect(text, "--json", *options)
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.output))

    return told


def test_weekly_counts_of_districts_become_an_alarm(detect: Any, tmp_path: Path) -> None:
    result = detect(weekly())
    assert result.exit_code == 0
    assert "detect, the evidence of several times" in result.output
    assert "has more cases than expected in 1 series of 2" in result.output
    with (tmp_path / "out" / "detection.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 52
    newest = [row for row in rows if row["time"] == "2025-08-04"]
    assert {row["series"]: row["alarm"] for row in newest} == {"North": "1", "South": "0"}
    assert (tmp_path / "out" / "detection.svg").read_text().startswith("<svg")


def test_a_daily_line_list_is_counted_and_tested(told: Any) -> None:
    rows = [f"{i},{date(2026, 1, 1) + timedelta(i // 3)},f" for i in range(90)]
    rows += [f"{100 + i},2026-01-31,m" for i in range(15)]
    found = told("\n".join(["id,date of onset,sex", *rows]))
    assert (found["method"], found["step"]) == ("detect", "day")
    assert [alarm["time"] for alarm in found["alarms"]] == ["2026-01-31"]
    assert found["alarms"][0]["observed"] == 15
    assert found["notes"][0].startswith("Line list: each of 105 rows is one case")


def test_a_long_line_list_is_counted_by_complete_weeks(told: Any) -> None:
    rows = [f"{MONDAY + timedelta(day)}" for day in range(400)]
    found = told("\n".join(["onset", *rows]))
    assert found["step"] == "week"
    assert found["tested"][1] == "2022-W05"  # the week of the last date, a Monday, is not complete
    until = (MONDAY + timedelta(405)).isoformat()
    assert told("\n".join(["onset", *rows]), "--until", until)["tested"][1] == "2022-W06"


def test_cases_without_a_date_are_left_out_and_told(told: Any) -> None:
    rows = [f"{date(2026, 1, 1) + timedelta(i // 3)}" for i in range(90)]
    found = told("\n".join(["onset,sex", *(f"{row},f" for row in rows), "NA,f", ",m"]))
    assert "2 of 92 rows have no date and are left out." in found["notes"]


@pytest.mark.parametrize(
    "header",
    ["Kalenderwoche;Anzahl", "isoweek\tcases", "epi week|n"],
)
def test_iso_weeks_and_other_separators_are_understood(told: Any, header: str) -> None:
    separator = next(sign for sign in ";\t|" if sign in header)
    weeks = [(MONDAY + timedelta(7 * week)).isocalendar() for week in range(200)]
    rows = [f"{week.year}-W{week.week:02d}{separator}{5 + week.week % 3}" for week in weeks]
    found = told("\n".join([header, *rows]))
    assert (found["step"], found["method"]) == ("week", "detect")


def test_years_and_weeks_may_stand_in_columns_of_their_own(told: Any) -> None:
    weeks = [(MONDAY + timedelta(7 * week)).isocalendar() for week in range(60)]
    rows = [f"{week.year},{week.week},{5 + week.week % 3}" for week in weeks]
    assert told("\n".join(["year,week,cases", *rows]))["tested"][1] == "2022-W08"


def test_years_of_52_weeks_are_taken_as_they_are(told: Any) -> None:
    rows = [f"{year}-{week:02d},{5 + week % 3}" for year in range(2002, 2007) for week in range(1, 53)]
    found = told("\n".join(["epoch,observed", *rows]))
    assert found["tested"] == ["2006-W01", "2006-W52"]


def test_unsorted_rows_are_put_in_order(told: Any) -> None:
    head, *rows = weekly().splitlines()
    assert told("\n".join([head, *reversed(rows)]))["alarms"] == told(weekly())["alarms"]


def test_each_column_of_counts_can_be_a_series(told: Any) -> None:
    rows = [f"{date(2026, 1, 1) + timedelta(day)},{day % 4},{day % 3}" for day in range(40)]
    found = told("\n".join(["day,influenza,measles", *rows]))
    assert found["series"] == 2
    assert found["notes"] == ['Dates from "day"; each of 2 other columns is a series of counts.']


@pytest.mark.parametrize("first", ["13/01/2026", "01/13/2026", "13.1.2026"])
def test_the_order_of_day_and_month_is_seen_where_it_can_be(told: Any, first: str) -> None:
    if "." in first:
        days = [f"{d.day}.{d.month}.{d.year}" for d in (date(2026, 1, 13) + timedelta(i) for i in range(20))]
    else:
        form = "%d/%m/%Y" if first.startswith("13") else "%m/%d/%Y"
        days = [(date(2026, 1, 13) + timedelta(i)).strftime(form) for i in range(20)]
    assert days[0] == first
    found = told("\n".join(["date,count", *(f"{day},3" for day in days)]), "--from", "2026-01-24")
    assert found["tested"] == ["2026-01-24", "2026-02-01"]


def test_method_settings_and_range_are_followed(told: Any) -> None:
    found = told(
        weekly(), "--method", "farrington", "--set", "years_back=2", "--set", "alpha=0.002", "--last", "4"
    )
    assert found["settings"]["years_back"] == 2
    assert found["settings"]["alpha"] == 0.002
    assert found["tests"] == 8
    charted = told(
        weekly(), "--method", "cusum", "--set", "mean=seasonal", "--from", "2025-01-06", "--to", "2025-02-03"
    )
    assert charted["tested"] == ["2025-01-06", "2025-02-03"]


@pytest.mark.parametrize(
    "method", ["detect", "farrington_flexible", "farrington", "ears", "bayes", "rki", "cusum", "ewma"]
)
def test_every_method_tests_a_long_history(told: Any, method: str) -> None:
    found = told(weekly(300, outbreak=60), "--method", method)
    assert found["method"] == method
    assert ("North", "2026-09-28") in {(alarm["series"], alarm["time"]) for alarm in found["alarms"]}


def test_a_method_may_be_written_with_a_hyphen(told: Any) -> None:
    assert told(weekly(300), "--method", "farrington-flexible")["method"] == "farrington_flexible"


def test_scripts_can_ask_for_an_exit_code(detect: Any) -> None:
    assert detect(weekly(), "--exit-code").exit_code == 3
    assert detect(weekly(outbreak=0), "--exit-code").exit_code == 0
    assert detect(weekly()).exit_code == 0
    assert detect("nothing", "--exit-code").exit_code == 2


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", (), "cases.csv is empty"),
        ("date,count\n", (), "expected rows below the names"),
        ("a,b\n1,2\n", (), 'columns year and week, found "a", "b"; name it with --date'),
        (daily().replace(",count", ",count,count"), (), '"count" is there twice'),
        (daily().replace("2026-01-05,", "2026-01-05,,"), (), "row 6: expected 2 cells as in the first"),
        (daily() + "\n2026-03-02,-3", (), 'row 62, column "count": expected a whole number from 0 to'),
        (daily() + "\n2026-03-02,2.5", (), 'found "2.5"'),
        (daily() + "\n2026-03-02,", (), 'row 62, column "count": expected a whole number from 0 to'),
        (daily() + "\n2026-02-30,4", (), 'row 62, column "date": expected a date as 2026-01-31, found'),
        (daily() + "\n,4", (), 'row 62, column "date": expected a date, found nothing'),
        (daily() + "\n2026-01-07,4", (), "row 62: expected one count for each time, 2026-01-07 is also in"),
        (daily() + "\n2026-03-09,4", (), "there is no row for 2026-03-02 (7 days are missing)"),
        (daily() + "\n9999-03-09,4", (), 'row 62, column "date": expected at most 50,000 times'),
        (daily(5), (), "no method will do yet"),
        (daily(), ("--method", "farrington_flexible"), "these will do: detect, ears, bayes, cusum, ewma"),
        (weekly(100), ("--method", "farrington_flexible"), "these will do: "),
        (weekly(), ("--from", "2021-02-01"), "the first that it can test is"),
        (weekly(), ("--from", "2030-01-07"), "expected --from from 2021-01-04 to 2025-08-04"),
        (weekly(), ("--from", "2025-02-03", "--to", "2025-01-06"), "expected --from before --to"),
        (weekly(), ("--method", "prophet"), "expected a method among detect, "),
        (weekly(), ("--set", "alpha=2"), "alpha must lie between 0 and 1"),
        (weekly(), ("--set", "alpha=much"), "for alpha, found 'much'"),
        (weekly(), ("--method", "ears", "--set", "alpha=much"), "expected a number for alpha, found 'much'"),
        (weekly(), ("--set", "aplha=0.1"), "expected a setting of detect (frequency=52, "),
        (
            weekly(),
            ("--method", "farrington_flexible", "--set", "trend=perhaps"),
            "expected true or false for trend",
        ),
        (weekly(), ("--set", "frequency=100000"), "expected a frequency"),
        (weekly(), ("--by", "ward"), 'expected a column "ward", the file has "week", "district", "cases"'),
        (weekly(), ("--count", "cases", "--line-list"), "not both"),
        (weekly(), ("--every", "day"), "expected counts by day, the file has counts by week"),
        (weekly(), ("--until", "2020-01-01"), "expected --until after the first date"),
        ("date,count\n03/04/2026,1\n04/04/2026,1", (), "say --dates day-first or --dates month-first"),
        ("date,count\n13/04/2026,1\n04/14/2026,1", (), "both day first (13/04/2026) and month first"),
        ("date,count\n2026-01,1\n2026-02,1", (), "may be a month or a week"),
        ("date,count\n2026-W60,1\n2026-W02,1", (), 'row 2, column "date": expected a week as 2026-W05'),
        ("onset\nNA\nNA", ("--date", "onset"), "all of them are missing"),
        ('date,count\n"2026-01-01,1', (), "row 2: quotation marks do not match"),
        ("date,count\n2026-01-01," + "1" * 20_000, (), "row 2: expected at most 10,000 signs"),
        ("date,Z\xfcrich\n2026-01-01,1".encode("latin-1"), (), "row 1: expected text in UTF-8, found byte"),
        (daily(), ("--encoding", "klingon"), "expected the name of an encoding"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_row_column_and_remedy(
    detect: Any, text: str, options: tuple[str, ...], said: str
) -> None:
    result = detect(text, *options)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert result.output.count("\n") == 1


def test_a_missing_file_is_told(run: Run, tmp_path: Path) -> None:
    result = run("detect", tmp_path / "none.csv")
    assert (result.exit_code, "none.csv" in result.output) == (2, True)


def test_remedies_that_errors_name_do_help(told: Any) -> None:
    gap = daily() + "\n2026-03-09,4"
    assert told(gap, "--gaps", "zero")["notes"][-1] == "7 days without a row were taken as 0."
    twice = daily() + "\n2026-03-01,40"
    assert told(twice, "--add-up")["alarms"][0]["observed"] == 60
    western = "date,Zürich\n" + "\n".join(daily().splitlines()[1:])
    assert told(western.encode("cp1252"), "--encoding", "cp1252")["series"] == 1
    ambiguous = "date,count\n" + "\n".join(f"0{m}/0{d}/2026,3" for m in (3, 4) for d in range(1, 10))
    assert told(ambiguous, "--dates", "month-first", "--gaps", "zero")["tested"][1] == "2026-04-09"


def test_days_of_zeros_are_tested_and_said_to_be(told: Any) -> None:
    rows = [f"{date(2026, 1, 1) + timedelta(day)},0" for day in range(40)]
    found = told("\n".join(["date,count", *rows]))
    assert found["alarms"] == []
    sparse = told("\n".join(["date,count", *rows[:-1], rows[-1][:-1] + "2"]))
    assert len(sparse["alarms"]) == 1


def test_what_is_in_a_file_can_neither_run_nor_steer(detect: Any, tmp_path: Path) -> None:
    text = weekly().replace("North", "=cmd()<script>alert(1)</script>\x1b[31m")
    result = detect(text)
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    page = (tmp_path / "out" / "detection.html").read_text()
    assert "<script" not in page
    assert "<script" not in (tmp_path / "out" / "detection.svg").read_text()
    assert "\n'=cmd()" in (tmp_path / "out" / "detection.csv").read_text()


def test_a_thousand_series_give_a_page_that_can_be_opened(detect: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(1854)
    rows = [
        f"{date(2026, 1, 1) + timedelta(day)},s{series:04d},{n}"
        for series in range(1000)
        for day, n in enumerate(generator.poisson(3, 20))
    ]
    result = detect("\n".join(["date,series,count", *rows]))
    assert result.exit_code == 0
    page = tmp_path / "out" / "detection.html"
    assert page.stat().st_size < 1_500_000
    assert "24 of 1,000 series are shown" in page.read_text()


def test_the_page_needs_nothing_from_elsewhere_and_names_its_tables(detect: Any, tmp_path: Path) -> None:
    detect(weekly())
    tags: list[str] = []
    asked: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            tags.append(tag + (f":{given['scope']}" if "scope" in given else ""))
            asked.extend(value or "" for name, value in attrs if name in ("src", "href", "srcset"))

    Reader().feed((tmp_path / "out" / "detection.html").read_text(encoding="utf-8"))
    assert asked == ["data:,"]
    assert tags.count("table") == tags.count("caption") == 3
    assert "th" not in tags
    assert "script" not in tags
    assert tags.count("svg") == 5 + 2 * 2
