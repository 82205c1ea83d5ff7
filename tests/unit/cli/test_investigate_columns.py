"""`broadstreet investigate`: which columns it reads as days, and what it says of cells that are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadstreet.cli import app
from broadstreet.model.clock import SystemClock


def look(folder: Path, text: str, *options: object, status: int = 0) -> dict[str, Any]:
    """Investigate a line list; return what is told as JSON."""
    (folder / "list.csv").write_text(text)
    given = ["investigate", folder / "list.csv", "--disease", "measles", "--out", folder / "out", "--json"]
    result = CliRunner().invoke(app, [str(one) for one in (*given, *options)])
    assert result.exit_code == status, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    found["why"] = {one["row"]: one["why"] for one in found["set_aside"]}
    found["said"] = " ".join(found["notes"])
    return found


def test_onsets_in_numbers_stay_where_another_column_holds_dates(tmp_path: Path) -> None:
    found = look(tmp_path, "id,onset,diagnosed\na,1,2026-03-02\nb,12,\nc,13,\nd,14,2026-03-15\n")
    assert found["found"][0] == "4 cases fell ill from 1 to 14."
    assert 'The column "diagnosed" holds dates, the onsets are numbers (row 2: "2026-03-02")' in found["said"]


def test_a_date_among_numbers_of_days_is_named(tmp_path: Path) -> None:
    found = look(tmp_path, "id,onset\na,1\nb,12\nc,13\nd,2026-03-14\n")
    assert found["why"] == {5: 'column "onset": expected a whole number of days, found "2026-03-14"'}


@pytest.mark.parametrize("cell", ["1/3/26", "yesterday"])
@pytest.mark.parametrize("options", [(), ("--column", "onset=onset")])
def test_a_column_of_onsets_that_cannot_be_read_is_named_row_by_row(
    tmp_path: Path, cell: str, options: tuple[str, ...]
) -> None:
    found = look(tmp_path, f"id,onset\na,{cell}\nb,{cell}\n", *options, status=1)
    assert sorted(found["why"]) == [2, 3]
    assert f'found "{cell}"' in found["why"][2]
    assert found["found"][0] == "No case of the list could be used: each row is listed with its reason."
    assert "2 rows set aside" in (tmp_path / "out" / "investigation.html").read_text()


@pytest.mark.parametrize("options", [(), ("--column", "onset=onset")])
def test_a_list_without_any_onset_is_named_row_by_row(tmp_path: Path, options: tuple[str, ...]) -> None:
    found = look(tmp_path, "id,onset,died\na,,\nb,,\n", *options, status=1)
    assert found["why"] == dict.fromkeys((2, 3), "no onset, and no other date to place it in time")


def test_a_map_can_do_without_onsets(tmp_path: Path) -> None:
    found = look(tmp_path, "id,onset,x,y\na,,1,1\nb,,2,2\n")
    assert (found["cases"], found["why"]) == (2, {})


def test_text_where_onsets_are_missing_is_named_though_diagnoses_are_dated(tmp_path: Path) -> None:
    found = look(tmp_path, "id,onset,diagnosed\na,1/3/26,2026-03-02\nb,,2026-03-04\n")
    assert found["cases"] == 1
    assert 'found "1/3/26"' in found["why"][2]


def test_other_columns_without_any_day_are_told_and_cost_no_case(tmp_path: Path) -> None:
    rows = "a,2026-03-01,last week,Dr Kim,0\nb,2026-03-12,early March,,1\n"
    found = look(tmp_path, "id,onset,exposed_from,reported_by,died\n" + rows)
    assert (found["cases"], found["why"]) == (2, {})
    assert 'The column "exposed_from" holds no day (row 2: "last week"): it was not used.' in found["said"]
    assert 'The column "reported_by" holds no day' in found["said"]
    assert 'The column "died" says whether, not when (row 2: "0"): it was not used.' in found["said"]


def test_a_column_that_is_named_is_read_whatever_it_holds(tmp_path: Path) -> None:
    rows = "id,onset,exposed_from\na,2026-03-01,last week\nb,2026-03-12,\n"
    found = look(tmp_path, rows, "--column", "exposed_from=exposed_from")
    assert sorted(found["why"]) == [2]
    assert 'column "exposed_from": expected a date' in found["why"][2]


def test_a_column_of_days_with_mostly_text_is_named_row_by_row(tmp_path: Path) -> None:
    rows = "id,onset,diagnosed\na,2026-03-01,2026-03-02\nb,2026-03-12,soon\nc,2026-03-13,later\n"
    assert sorted(look(tmp_path, rows)["why"]) == [3, 4]


def test_flags_of_death_kill_nobody_before_onset(tmp_path: Path) -> None:
    assert look(tmp_path, "id,onset,died\na,1,0\nb,12,1\nc,13,0\nd,14,0\n")["cases"] == 4


def test_a_list_of_symptoms_is_not_their_onset(tmp_path: Path) -> None:
    found = look(tmp_path, "id,symptoms,date\na,fever,2026-03-01\nb,cough,2026-03-12\n")
    assert found["found"][0] == "2 cases fell ill from 2026-03-01 to 2026-03-12."


def test_visits_in_numbers_beside_dated_onsets_are_told(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("id,place,day\na,p,1\nb,p,1\n")
    rows = "id,onset\na,2026-03-01\nb,2026-03-12\n"
    found = look(tmp_path, rows, "--visits", tmp_path / "visits.csv")
    assert "visits.csv holds numbers of days, list.csv dates: its visits were not used." in found["said"]


def test_a_row_with_too_many_cells_is_named_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("infector,case\na,b\nb\n")
    (tmp_path / "visits.csv").write_text("id,place,day\na,p,2026-03-01,now\n")
    (tmp_path / "counts.csv").write_text("date,cases\n2026-03-01,4\n2026-03-02\n")
    files = [
        word for name in ("contacts", "visits", "counts") for word in (f"--{name}", tmp_path / f"{name}.csv")
    ]
    found = look(tmp_path, "id,onset\na,2026-03-01\nb,2026-03-12,extra\nc,2026-03-13\n", *files)
    told = {
        (one["file"], one["row"], one["id"])
        for one in found["set_aside"]
        if "as in the first row" in one["why"]
    }
    assert told == {
        ("list.csv", 3, "b"),
        ("contacts.csv", 3, "b"),
        ("visits.csv", 2, "a"),
        ("counts.csv", 3, "2026-03-02"),
    }
    assert found["cases"] == 2
    assert "visits.csv has no row that can be used." in found["said"]


def test_how_a_file_beside_the_list_was_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("Visits,,\nid,place,day\na,p,46082\nb,p,46083\n")
    found = look(tmp_path, "id,onset\na,2026-03-01\nb,2026-03-12\n", "--visits", tmp_path / "visits.csv")
    assert "visits.csv: The names of the columns are in row 2" in found["said"]
    assert 'visits.csv: the column "day" holds numbers as Excel keeps dates: 46082 was read' in found["said"]


def test_contacts_without_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("infector,case\n")
    found = look(tmp_path, "id,onset\na,2026-03-01\n", "--contacts", tmp_path / "contacts.csv")
    assert "contacts.csv has no row that can be used." in found["said"]


def test_a_site_or_a_point_of_a_street_without_coordinates_is_named(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("name,x,y\nA,1,1\nB,abc,2\nC,3,\nD,3,3\n")
    (tmp_path / "streets.csv").write_text("street,x,y\ns,0,0\ns,?,1\ns,4,4\n")
    files = ("--sites", tmp_path / "sites.csv", "--streets", tmp_path / "streets.csv")
    found = look(tmp_path, "id,onset,x,y\na,2026-03-01,1,1\nb,2026-03-12,2,2\n", *files)
    assert {(one["file"], one["row"], one["id"]) for one in found["set_aside"]} == {
        ("sites.csv", 3, "B"), ("sites.csv", 4, "C"), ("streets.csv", 3, "s"),
    }  # fmt: skip
    assert 'column "x": expected a number, found "abc"' in found["why"][3] or "?" in found["why"][3]
    assert any("explains where the cases are best" in one for one in found["found"])


def test_sites_that_cannot_be_ranked_leave_the_rest(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("name,x,y\nA,1,1\nA,2,2\n")
    found = look(
        tmp_path, "id,onset,x,y\na,2026-03-01,1,1\nb,2026-03-12,2,2\n", "--sites", tmp_path / "sites.csv"
    )
    assert "Sites were not ranked: sites names 'A' more than once" in found["said"]


def test_sites_beside_cases_without_any_point_are_told(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("name,x,y\nA,1,1\n")
    found = look(tmp_path, "id,onset,x,y\na,2026-03-01,,\n", "--sites", tmp_path / "sites.csv")
    assert "1 case has no coordinates: not on the map." in found["said"]


def test_a_year_written_wrongly_is_named_in_any_column(tmp_path: Path) -> None:
    rows = (
        "id,onset,reported\na,1926-03-01,\nb,2026-03-01,2026-03-02\nc,2026-03-12,2126-03-14\nd,2026-03-13,\n"
    )
    found = look(tmp_path, rows)
    assert found["why"] == {
        2: 'column "onset": 1926-03-01 is more than 5 years from the other days of the list',
        4: 'column "reported": 2126-03-14 is more than 5 years from the other days of the list',
    }


def test_days_after_today_are_warned_of_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime(2026, 3, 20, 12, tzinfo=UTC))
    rows = "id,onset,diagnosed\na,2026-03-01,2027-03-02\nb,2026-03-20,\nc,2027-03-13,2026-03-15\n"
    found = look(tmp_path, rows)
    assert found["cases"] == 3
    warned = "2 cases have a day after today (2026-03-20): a (diagnosed 2027-03-02), c (onset 2027-03-13)."
    assert warned in found["said"]
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert warned in page
    assert "after today" not in look(tmp_path, "id,onset\na,1\nb,800000\n")["said"]


def test_the_axis_has_years_where_it_spans_them(tmp_path: Path) -> None:
    look(tmp_path, "id,onset\na,2025-12-01\nb,2026-02-12\n")
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert ">1 Dec 2025<" in page
    assert " Jan 2026<" in page
    look(tmp_path, "id,onset\na,2026-01-01\nb,2026-02-12\n")
    assert " 2026<" not in (tmp_path / "out" / "investigation.html").read_text()


def test_rows_of_the_file_are_told_and_ids_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("infector,case\nrow 1,row 3\nrow 2,row 3\nrow 2,row 3\n")
    rows = "onset\n2026-03-01\n2026-03-12\n"
    found = look(tmp_path, rows, "--contacts", tmp_path / "contacts.csv")
    assert found["why"] == {2: "no case has the id row 1", 4: "the same pair as row 3"}


def test_a_missing_id_is_told_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("id,place,day\n,p,2026-03-01\n")
    (tmp_path / "list.csv").write_text("id,onset\na,2026-03-01\n,2026-03-02\n")
    given = ["investigate", tmp_path / "list.csv", "--visits", tmp_path / "visits.csv", "--disease", "mers"]
    said = CliRunner().invoke(app, [*map(str, given), "--out", str(tmp_path / "out")]).output
    assert "list.csv, row 3: the id is missing" in said
    assert "visits.csv, row 2: the id or the place is missing" in said


def test_long_ids_stay_different(tmp_path: Path) -> None:
    found = look(tmp_path, f"id,onset\n{'x' * 210}1,2026-03-01\n{'x' * 210}2,2026-03-12\n")
    assert (found["cases"], found["why"]) == (2, {})


@pytest.mark.parametrize(
    ("names", "said"), [("x,y", "does not say where north is"), ("lon,lat", "North is up.")]
)
def test_north_is_up_only_where_degrees_are_given(tmp_path: Path, names: str, said: str) -> None:
    look(tmp_path, f"id,onset,{names}\na,2026-03-01,1,1\nb,2026-03-02,1.1,1.1\n")
    assert said in (tmp_path / "out" / "investigation.html").read_text()


def test_one_row_is_said_in_the_singular(tmp_path: Path) -> None:
    look(tmp_path, "id,onset\na,2026-03-01\na,2026-03-02\n")
    page = (tmp_path / "out" / "investigation.html").read_text()
    assert "<b>1</b>row set aside" in page
    assert "<b>1</b>case analysed" in page


def test_a_year_that_cannot_be_is_named(tmp_path: Path) -> None:
    found = look(tmp_path, "id,onset\na,0001-01-01\nb,2026-03-02\n")
    assert found["why"] == {2: 'column "onset": 0001-01-01 is not between the years 1300 and 2200'}


def test_a_year_written_wrongly_among_counts_is_named(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("date,cases\n1926-03-01,4\n2026-03-02,3\n2026-03-03,1\n")
    found = look(tmp_path, "id,onset\na,2026-03-01\n", "--counts", tmp_path / "counts.csv")
    assert found["why"] == {2: "the day is more than 5 years from the others"}
