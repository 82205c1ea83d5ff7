"""`broadstreet investigate --visits`: who was where, on which day and at what time."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadstreet.cli import app

PAIRS = 12


def on(number: int) -> str:
    return (date(2026, 3, 1) + timedelta(number)).isoformat()


def cases(folder: Path) -> Path:
    """Write outbreaks of three: c falls ill five days after a and b, who fell ill on one day."""
    ill = [
        (f"{who}{n}", on(30 * n + later))
        for n in range(PAIRS)
        for who, later in zip("abc", (0, 0, 5), strict=True)
    ]
    (folder / "list.csv").write_text("id,onset\n" + "".join(f"{who},{day}\n" for who, day in ill))
    return folder / "list.csv"


def look(folder: Path, visits: str) -> dict[str, Any]:
    """Investigate with these visits; return what is told, and whom the first c was infected by."""
    (folder / "visits.csv").write_text(visits)
    given = ["investigate", cases(folder), "--visits", folder / "visits.csv", "--serial-interval", "5,1.5"]
    given += ["--incubation", "5,1.5", "--out", folder / "out", "--json"]
    result = CliRunner().invoke(app, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    found["why"] = {one["row"]: one["why"] for one in found["set_aside"]}
    with (folder / "out" / "links.csv").open() as file:
        found["c0"] = {
            row["infector"]: float(row["probability"]) for row in csv.DictReader(file) if row["case"] == "c0"
        }
    return found


HOURS = {"a": ("8:00", "10:00"), "b": ("18:00", "20:00"), "c": ("8:00", "10:00")}
SHAPES = {
    "id,place,start,end": "{who},cafe {n},{day} {begin},{day} {end}",
    "id,place,arrival,departure": "{who},cafe {n},{day}T0{begin}:00,{day}T{end}:00",
    "id,place,date,start time,end time": "{who},cafe {n},{day},{begin},{end}",
    "id,place,time_in,time_out,day": "{who},cafe {n},{begin},{end},{day}",
    "id,place,start date,start time,end date,end time": "{who},cafe {n},{day},{begin},{day},{end}",
}


@pytest.mark.parametrize("names", SHAPES)
def test_who_was_there_at_the_same_time_is_told_from_who_came_later(tmp_path: Path, names: str) -> None:
    rows = [
        SHAPES[names]
        .format(who=f"{who}{n}", n=n, day=on(30 * n), begin=begin, end=end)
        .replace("T018", "T18")
        for n in range(PAIRS)
        for who, (begin, end) in HOURS.items()
    ]
    found = look(tmp_path, "\n".join([names, *rows]))
    assert found["why"] == {}
    assert found["c0"]["a0"] > 0.9
    assert found["c0"].get("b0", 0.0) < 0.1


def test_an_end_before_the_begin_is_named_where_both_have_their_day(tmp_path: Path) -> None:
    found = look(tmp_path, f"id,place,start,end\na0,bar,{on(0)} 22:00,{on(0)} 01:30\n")
    assert found["why"] == {2: "the visit ends before it begins"}


def test_an_end_before_the_begin_is_past_midnight_where_the_day_stands_once(tmp_path: Path) -> None:
    rows = [f"a0,bar,{on(0)},22:00,01:30", f"b0,bar,{on(1)},8:00,9:00", f"c0,bar,{on(1)},0:30,01:30"]
    found = look(tmp_path, "\n".join(["id,place,date,start time,end time", *rows]))
    assert found["why"] == {}
    assert found["c0"]["a0"] > found["c0"]["b0"] + 0.1


def test_a_day_without_a_time_is_the_whole_day_beside_a_begin_with_one(tmp_path: Path) -> None:
    found = look(tmp_path, f"id,place,start,end\na0,bar,{on(0)} 22:00,{on(0)}\nb0,bar,{on(0)},{on(0)} 9:00\n")
    assert found["why"] == {}


def test_times_that_cannot_be_read_and_columns_of_times_without_a_role_are_told(tmp_path: Path) -> None:
    rows = [f"a0,bar,{on(0)} 25:00,1:30", f"b0,bar,{on(0)} 9:30 pm,0:30"]
    found = look(tmp_path, "\n".join(["id,place,date,duration", *rows]))
    assert found["why"] == {}
    said = " ".join(found["notes"])
    assert 'The column "duration" of visits.csv holds times of day without a role: it was not used.' in said
    assert f'1 time of visits.csv cannot be read (row 2: "{on(0)} 25:00")' in said
