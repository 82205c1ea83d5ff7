"""Dates as people and spreadsheets write them, in one column of a line list."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.app.investigate.linelist import LineList, read_line_list
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.table import Unusable, read_table


def read(folder: Path, *onsets: str, order: Order | None = None) -> LineList:
    """Return cases with these onsets."""
    rows = [f'{number},"{onset}"' for number, onset in enumerate(onsets)]
    (folder / "list.csv").write_text("\n".join(["id,onset", *rows]), encoding="utf-8")
    return read_line_list(read_table(folder / "list.csv", tolerant=True), "list.csv", {}, order)


def days(found: LineList) -> list[str | None]:
    """Return the onsets as ISO text."""
    return [found.label(day) for day in found.days["onset"]]


MOSTLY = ("13/03/2026", "14/03/2026", "15/03/2026", "16/03/2026", "17/03/2026", "04/03/2026")


def test_a_date_written_the_other_way_costs_its_row_alone(tmp_path: Path) -> None:
    found = read(tmp_path, *MOSTLY, "03/25/2026")
    assert days(found)[-1] == "2026-03-04"
    assert [(one.row, one.why) for one in found.aside] == [
        (
            8,
            'column "onset": expected a date with the day first, as most of the column (--dates says it '
            'otherwise), found "03/25/2026"',
        )
    ]


def test_dates_written_both_ways_are_told_with_an_example_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        Unusable, match=r"both day first \(13/03/2026\) and month first \(03/25/2026\).*--dates"
    ):
        read(tmp_path, *MOSTLY[:2], "03/25/2026")
    assert len(read(tmp_path, *MOSTLY[:2], "03/25/2026", order="day").aside) == 1


@pytest.mark.parametrize(
    "written",
    [
        "03-Mar-2026", "3 March 2026", "3. März 2026", "3 mars 2026", "3 de marzo de 2026", "Mar 3, 2026",
        "March 3rd 2026", "03MAR2026", "3-mar.-2026", "03-Mar-2026 08:15", "3/Mar/2026",
    ],
)  # fmt: skip
def test_the_name_of_a_month_is_read(tmp_path: Path, written: str) -> None:
    assert days(read(tmp_path, written, "2026-03-04")) == ["2026-03-03", "2026-03-04"]


@pytest.mark.parametrize("written", ["3 jui 2026", "32-Mar-2026", "3 Marble 2026", "3 ma 2026"])
def test_what_is_no_month_is_told(tmp_path: Path, written: str) -> None:
    assert [one.row for one in read(tmp_path, written, "2026-03-04").aside] == [2]


def test_every_month_has_a_name_of_its_own(tmp_path: Path) -> None:
    names = [
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    ]  # fmt: skip
    for language in names:
        found = read(tmp_path, *(f"1 {name} 2026" for name in language.split()))
        assert days(found) == [f"2026-{month:02d}-01" for month in range(1, 13)]


def test_years_of_two_digits_are_told_with_the_remedy(tmp_path: Path) -> None:
    found = read(tmp_path, "03/16/26", "03/17/26")
    assert found.aside[0].why == (
        'column "onset": expected a date as 2026-01-31, or a whole number of days, found "03/16/26"; write '
        "the year with four digits"
    )


@pytest.mark.parametrize("others", [(), ("2026-03-05", "2026-03-06", "2026-03-07")])
def test_numbers_as_excel_keeps_dates_are_read_and_told(tmp_path: Path, others: tuple[str, ...]) -> None:
    found = read(tmp_path, "46082", "46083.75", *others)
    assert days(found) == ["2026-03-01", "2026-03-02", *others]
    assert found.notes[-1] == (
        'The column "onset" holds numbers as Excel keeps dates: 46082 was read as 2026-03-01.'
    )


def test_numbers_of_days_stay_numbers(tmp_path: Path) -> None:
    assert not read(tmp_path, "12", "46082").dated


def test_weeks_are_told_to_be_their_first_days(tmp_path: Path) -> None:
    found = read(tmp_path, "2026-W10", "2026-W11")
    assert days(found) == ["2026-03-02", "2026-03-09"]
    assert found.notes[-1] == (
        'The column "onset" holds weeks: each was read as its Monday, though the day may be any of the week.'
    )


@pytest.mark.parametrize("cell", ["?", "-", "n/a", "unknown", ""])
def test_a_missing_onset_is_no_wrong_one(tmp_path: Path, cell: str) -> None:
    (tmp_path / "list.csv").write_text(f"id,onset,diagnosed\na,{cell},2026-03-05\nb,2026-03-01,2026-03-02\n")
    found = read_line_list(read_table(tmp_path / "list.csv"), "list.csv", {}, None)
    assert (found.ids, found.aside) == (["a", "b"], [])
