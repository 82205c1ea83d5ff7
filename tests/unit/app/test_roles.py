"""Which column of a line list is read as what: names as people have them, and what the cells hold."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from broadstreet.app.investigate.linelist import LineList, read_line_list
from broadstreet.app.reading.table import Unusable, read_table


def read(folder: Path, text: str, **given: str) -> LineList:
    """Return the cases of a line list."""
    (folder / "list.csv").write_text(text, encoding="utf-8")
    return read_line_list(read_table(folder / "list.csv", tolerant=True), "list.csv", given, None)


def rows(names: str, *cells: str) -> str:
    """Return a list of four cases whose cells end with the number of the case."""
    return "\n".join([names, *(",".join(cell.replace("#", str(n)) for cell in cells) for n in range(1, 5))])


DAY, LATER = "2026-03-0#", "2026-03-2#"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("asymptomatic", "1"), ("symptomatic", "1"), ("symptoms___1", "0"), ("n_symptoms", "#"),
        ("age_at_onset", "2#"), ("AgeAtOnset", "2#"), ("days_onset_to_admission", "#"),
        ("symptom_count", "#"), ("Date symptoms resolved", LATER), ("days_since_onset", "#"),
        ("date_of_last_symptom", LATER), ("symptom_end_date", LATER),
        ("symptoms", "#"), ("Place of onset", "1"), ("onset_month", "#"),
        ("Date of recovery from symptoms", LATER),
    ],
)  # fmt: skip
def test_only_the_day_of_onset_is_the_onset(tmp_path: Path, name: str, cell: str) -> None:
    for onset in ("date_onset", "onset_date", "Date of onset", "first symptoms", "Symptoms since"):
        found = read(tmp_path, rows(f"id,{name},{onset}", "c#", cell, DAY))
        assert found.label(found.days["onset"][0]) == "2026-03-01"


def test_flags_beside_a_column_of_days_are_not_the_onset(tmp_path: Path) -> None:
    found = read(tmp_path, "id,onset,date\na,1,2026-03-01\nb,0,2026-03-02\n")
    assert found.label(found.days["onset"][0]) == "2026-03-01"


@pytest.mark.parametrize(
    ("role", "others", "name"),
    [
        ("isolated", "Isolation end", "Isolation start"), ("isolated", "quarantineTo", "quarantineFrom"),
        ("isolated", "IsolatedUntil", "DateIsolationCurrent"),
        ("isolated", "Date fin isolement", "Date début isolement"),
        ("isolated", "DateIsolationEnd", "date isolation was recommended"),
        ("hospitalised", "hospitalization.dischargeDate", "hospitalization.admissionDate"),
    ],
)  # fmt: skip
def test_the_end_of_a_stay_is_not_its_begin(tmp_path: Path, role: str, others: str, name: str) -> None:
    found = read(tmp_path, rows(f"id,onset,{others},{name}", "c#", DAY, LATER, "2026-03-1#"))
    assert found.label(found.days[role][0]) == "2026-03-11"


def test_a_flag_hides_no_column_of_dates(tmp_path: Path) -> None:
    found = read(tmp_path, rows("id,onset,IsolationCurrent,DateIsolationCurrent", "c#", DAY, "1", LATER))
    assert found.label(found.days["isolated"][0]) == "2026-03-21"


def test_a_choice_between_columns_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, rows("id,onset_1,onset_2,report_date", "c#", DAY, LATER, LATER))
    told = 'Several columns may be meant: "onset_1" was read as onset, not "onset_2". '
    assert found.notes[1] == told + "Say --column ROLE=NAME for another."


FRENCH = (
    "N° cas",
    "Date de début des symptômes",
    "Date d'hospitalisation",
    "Décès",
    "Date de décès",
    "Ménage",
)
SPANISH = (
    "ID caso",
    "Fecha de inicio de síntomas",
    "Fecha de ingreso",
    "Fallecido",
    "Fecha de defunción",
    "Hogar",
)
GERMAN = (
    "Fall-ID",
    "Erkrankungsbeginn",
    "Krankenhausaufnahme",
    "Verstorben",
    "Sterbedatum",
    "Haushaltsnummer",
)


@pytest.mark.parametrize("names", [FRENCH, SPANISH, GERMAN])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_accents_are_recognised(
    tmp_path: Path, names: tuple[str, ...], form: Literal["NFC", "NFD"]
) -> None:
    head = unicodedata.normalize(form, ",".join([*names, "Date de notification"]))
    cells = ["2026-03-0#", "2026-03-1#", "0", "2026-03-2#", "M0", "2026-03-1#"]
    found = read(tmp_path, rows(head, "c#", *cells).replace("2,M0", "2,M1"))
    assert found.ids == ["c1", "c2", "c3", "c4"]
    firsts = {role: found.label(days[0]) for role, days in found.days.items()}
    assert firsts == {
        "onset": "2026-03-01", "hospitalised": "2026-03-11", "died": "2026-03-21", "reported": "2026-03-11",
    }  # fmt: skip
    assert list(found.groups) == ["household"]


def test_korean_and_chinese_names_are_recognised(tmp_path: Path) -> None:
    for name in ("발병일", "发病日期", unicodedata.normalize("NFD", "발병일")):
        assert list(read(tmp_path, rows(f"번호,{name}", "c#", DAY)).days) == ["onset"]


def test_a_case_with_a_report_or_an_admission_alone_is_placed_in_time(tmp_path: Path) -> None:
    list_of = (
        "id,date_onset,date_report,admission\na,2026-03-01,2026-03-04,\nb,,2026-03-07,\nc,,,2026-03-09\n"
    )
    found = read(tmp_path, list_of)
    assert (found.ids, found.aside) == (["a", "b", "c"], [])
    assert found.table()["diagnosed"] == [None, "2026-03-07", "2026-03-09"]
    assert found.notes[1] == (
        "Of 2 cases without onset or diagnosis the report or the admission was taken as the day of diagnosis."
    )


def test_a_report_is_no_diagnosis_where_another_day_is_known(tmp_path: Path) -> None:
    found = read(tmp_path, "id,onset,diagnosed,report\na,2026-03-01,,2026-03-04\nb,,2026-03-06,2026-03-08\n")
    assert found.table()["diagnosed"] == [None, "2026-03-06"]
    assert len(found.notes) == 1
    assert read(tmp_path, "id,onset,report\na,-3,5\nb,,0\n").table()["diagnosed"] == [None, 0]


def test_columns_of_dates_are_listed_where_no_onset_is_recognised(tmp_path: Path) -> None:
    found = read(tmp_path, rows("id,ill_since,dob", "c#", DAY, "1990-01-0#"))
    assert found.notes[-1] == (
        'No column of onsets was recognised: say --column onset=NAME. These hold dates: "ill_since", "dob".'
    )


@pytest.mark.parametrize(
    ("role", "cells"),
    [
        ("hospital", "YNNY"), ("school", ["True", "False", "False", "True"]), ("hospital", "1001"),
        ("class", ["confirmed", "probable", "Confirmed", "probable"]),
        ("household", ["yes", "no", "no", "yes"]),
        ("workplace", ["suspected", "confirmed", "", "not a case"]),
        ("ward", ["oui", "non", "non", "?"]),
    ],
)  # fmt: skip
def test_whether_is_no_group(tmp_path: Path, role: str, cells: str | list[str]) -> None:
    cases = [f"c{n},2026-03-0{n},{cell},{n % 2}a" for n, cell in enumerate(cells, 1)]
    found = read(tmp_path, "\n".join([f"id,onset,{role},{role}_id", *cases]))
    assert found.groups == {role: ["1a", "0a", "1a", "0a"]}
    alone = read(tmp_path, "\n".join([f"id,onset,{role}", *(case.rsplit(",", 1)[0] for case in cases)]))
    assert alone.groups == {}
    assert alone.notes[1] == (
        f'The column "{role}" says whether or how sure, not which {role}: it was not used for groups.'
    )


@pytest.mark.parametrize("role", ["household", "class", "ward"])
def test_numbers_name_households_classes_and_wards(tmp_path: Path, role: str) -> None:
    found = read(tmp_path, f"id,onset,{role}\na,2026-03-01,0\nb,2026-03-02,1\nc,2026-03-03,1\n")
    assert found.groups == {role: ["0", "1", "1"]}


def test_a_list_of_which_no_column_is_recognised_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r'in the first row, found "a", "b"; .* --column onset=NAME'):
        read(tmp_path, "a,b\n1,2\n")
    assert read(tmp_path, "a,b\n1,2\n", onset="a").ids == ["row 2"]


def test_titles_above_the_names_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, "Line list,\nid,onset\na,2026-03-01\n")
    assert found.notes[0].startswith("The names of the columns are in row 2")
