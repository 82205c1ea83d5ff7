"""Rows that contradict themselves are named, set aside, and the rest is analysed."""

from __future__ import annotations

import numpy as np

from broadstreet.analysis.transmission import infer

SERIAL = (5.0, 2.0)


def why(found, table="cases"):
    """Return the reason by row."""
    return {row["row"]: row["why"] for row in found.set_aside.rows() if row["table"] == table}


def test_each_wrong_row_of_the_line_list_is_named_with_its_reason_and_the_rest_is_analysed():
    cases = {
        "id": ["a", "b", "late", "window", "reversed", "a", None, "when", "text", "c"],
        "onset": ["2026-01-01", "2026-01-06", "2026-01-09", "2026-01-05", "2026-01-05", "2026-01-02",
                  "2026-01-02", None, "yesterday", "2026-01-11"],
        "died": [None, None, "2026-01-08", None, None, None, None, None, None, None],
        "exposed_from": [None, None, None, "2026-01-06", "2026-01-04", None, None, None, None, None],
        "exposed_to": [None, None, None, "2026-01-07", "2026-01-02", None, None, None, None, None],
    }  # fmt: skip
    found = infer(cases, serial_interval=SERIAL, seed=1)
    assert why(found) == {
        2: "onset after death",
        3: "the exposure window begins after onset",
        4: "the exposure window ends before it begins",
        5: "the id is that of row 0",
        6: "the id is missing",
        7: "no onset, and no other date to place it in time",
        8: "onset: 'yesterday' is no date: write it as 2026-03-31, or as a number of days",
    }
    assert sorted(set(found.infectors["case"])) == ["a", "b", "c"]


def test_a_coordinate_that_is_none_is_named_and_the_rest_is_analysed():
    cases = {
        "id": ["a", "b", "c", "d"],
        "onset": [0, 5, 10, 15],
        "x": ["abc", "1", None, "inf"],
        "y": [1, 2, 3, 4],
    }
    found = infer(cases, same=(), serial_interval=SERIAL, seed=1)
    assert why(found) == {0: "x must be a number (is 'abc')", 3: "x must be finite (is inf)"}
    assert set(found.infectors["case"]) == {"b", "c"}


def test_a_number_among_dates_and_a_date_with_more_behind_it_are_named():
    onset = ["2026-03-12", 5, "2026-03-12 rubbish", "2026-03-14T08:30", "0001-01-01", "20260316"]
    found = infer({"id": list("abcdef"), "onset": onset}, serial_interval=SERIAL, seed=1)
    assert why(found) == {
        1: "onset must be a date, as the others are (is '5')",
        2: "onset: '2026-03-12 rubbish' is no date: write it as 2026-03-31, or as a number of days",
        4: "onset: '0001-01-01' is not between the years 1300 and 2200",
    }
    assert set(found.infectors["case"]) == set("adf")
    assert set(found.sources["onset"]) == {"2026-03-12", "2026-03-14", "2026-03-16"}


def test_diagnoses_in_numbers_beside_dated_onsets_are_named():
    cases = {
        "id": list("abc"),
        "onset": ["2026-03-12", "2026-03-14", None],
        "diagnosed": [None, 3, "2026-03-15"],
    }
    found = infer(cases, serial_interval=SERIAL, seed=1)
    assert why(found) == {1: "diagnosed must be a date, as the others are (is '3')"}


def test_a_year_written_wrongly_is_named():
    onset = ["1926-03-01", "2026-03-01", "2026-03-05", "2026-03-09", "2126-03-09"]
    found = infer({"id": list("abcde"), "onset": onset}, serial_interval=SERIAL, seed=1)
    assert why(found) == {
        0: "onset: 1926-03-01 is more than 5 years from the other days of the list",
        4: "onset: 2126-03-09 is more than 5 years from the other days of the list",
    }


def test_an_outbreak_of_many_years_is_kept_whole():
    cases = {"id": np.arange(30), "onset": np.arange(30) * 365}
    found = infer(cases, serial_interval=(300.0, 60.0), seed=1)
    assert why(found) == {}
    apart = infer({"id": [1, 2], "onset": [0, 4000]}, serial_interval=SERIAL, seed=1)
    assert why(apart) == {}  # which of the two is wrong cannot be told


def test_contacts_that_cannot_be_are_named():
    cases = {"id": [1, 2, 3, 4], "onset": [0, 5, 10, 15]}
    contacts = {"infector": [1, 2, 9, 1, 1, 4], "case": [2, 3, 1, 2, 1, 1]}
    found = infer(cases, contacts=contacts, serial_interval=SERIAL, seed=1)
    assert why(found, "contacts") == {
        2: "no case has the id 9",
        3: "the same pair as row 0",
        4: "a case cannot infect itself",
    }
    assert [(row["row"], row["why"]) for row in found.impossible.rows()] == [
        (5, "the case fell ill 15 days before the infector"),
    ]


def test_a_contact_against_the_dates_is_what_is_wrong_in_a_cycle():
    cases = {"id": list("abc"), "onset": [0, 5, 10]}
    contacts = {"infector": list("abac"), "case": list("bcca")}
    found = infer(cases, contacts=contacts, serial_interval=(5.0, 3.0), seed=1)
    assert why(found, "contacts") == {}
    assert [(row["row"], row["why"]) for row in found.impossible.rows()] == [
        (3, "the case fell ill 10 days before the infector"),
    ]


def test_a_cycle_that_dates_allow_is_impossible_and_told_in_full():
    cases = {"id": list("abcd"), "onset": [0, None, None, 6], "diagnosed": [None, 4, 5, None]}
    contacts = {"infector": list("abca"), "case": list("bcbd")}
    found = infer(cases, contacts=contacts, serial_interval=SERIAL, seed=1)
    told = {
        1: "part of a cycle of declared contacts: b -> c -> b",
        2: "part of a cycle of declared contacts: c -> b -> c",
    }
    assert why(found, "contacts") == told
    assert {row["row"]: row["why"] for row in found.impossible.rows()} == told


def test_visits_that_cannot_be_are_named():
    cases = {"id": [1, 2], "onset": [0, 5]}
    visits = {
        "id": [1, 2, 1, None, 77],
        "place": ["bar", "bar", "bar", "bar", "bar"],
        "start": [1, 1, 5, 1, 1],
        "end": [1, 900, 4, 1, 1],
    }
    found = infer(cases, visits=visits, serial_interval=SERIAL, seed=1)
    assert why(found, "visits") == {
        1: "the visit lasts more than 366 days",
        2: "the visit ends before it begins",
        3: "the id or the place is missing",
    }


def test_a_line_list_without_any_onset_is_placed_by_diagnosis():
    cases = {"id": list("abcd"), "onset": [None] * 4, "diagnosed": [3, 9, 15, None]}
    found = infer(cases, serial_interval=SERIAL, seed=1)
    assert why(found) == {3: "no onset, and no other date to place it in time"}
    assert len(set(found.infectors["case"])) == 3


def test_ten_thousand_cases_on_one_day_are_all_without_an_infector_in_the_list():
    cases = {"id": np.arange(10_000), "onset": np.zeros(10_000, int)}
    found = infer(cases, serial_interval=[0.0, 0.2, 0.5, 0.3], seed=1)
    assert found.study.pairs.size == 10_000
    assert len(found.study.pairs.infector) == 0
    assert found.sources["probability"][-1] > 0.99


def test_what_people_write_for_a_missing_day_is_no_wrong_day():
    words = ["", "NA", "n/a", "-", ".", "?", "unknown", "None"]
    cases = {
        "id": [str(row) for row in range(len(words))],
        "onset": words,
        "diagnosed": [f"2026-01-0{row + 1}" for row in range(len(words))],
    }
    assert why(infer(cases, serial_interval=SERIAL, seed=1)) == {}
