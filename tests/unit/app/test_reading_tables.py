"""Tables as people save them: quotation marks, separators, titles, encodings; a bad row costs no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.app.reading.table import Table, Unusable, read_table


def read(folder: Path, content: str | bytes) -> Table:
    """Return the table of a file with this content."""
    file = folder / "list.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(file, tolerant=True)


def why(table: Table) -> dict[int, str]:
    """Return why rows cannot be read, by their number."""
    return {number: reason for number, (_, reason) in table.ragged.items()}


@pytest.mark.parametrize("sign", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_sign_that_is_no_end_of_a_line_ends_no_row(tmp_path: Path, sign: str) -> None:
    table = read(tmp_path, f"id,note,onset\na,fever{sign}cough,2026-03-01\nb,none,2026-03-02\n")
    assert (table.numbers, table.ragged) == ([2, 3], {})
    assert table.rows[0][1] == f"fever{sign}cough"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_a_line_ends_a_row(tmp_path: Path, end: str) -> None:
    table = read(tmp_path, end.join(["id,note", 'a,"one', 'two"', "b,x"]))
    assert (table.numbers, [row[0] for row in table.rows]) == ([2, 3], ["a", "b"])


def test_a_cell_that_is_too_long_costs_its_row_alone(tmp_path: Path) -> None:
    table = read(tmp_path, f'id,note,onset\na,x,2026-03-01\nb,"{"y" * 300_000}",2026-03-02\nc,z,2026-03-03\n')
    assert [row[0] for row in table.rows] == ["a", "c"]
    assert table.ragged[3][0][0] == "b"
    assert why(table) == {3: "expected at most 10,000 signs in a cell, found 300,000"}


def test_a_quotation_mark_inside_a_text_costs_its_row_alone(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        'id,onset,note\na,2026-03-01,said "ok" then\nb,2026-03-02,"bad" quote\nc,2026-03-03,"x, y"\n',
    )
    assert [row[0] for row in table.rows] == ["a", "c"]
    assert why(table)[3].startswith("quotation marks do not match")
    assert list(why(table)) == [3]


def test_a_text_that_never_ends_costs_its_row_alone(tmp_path: Path) -> None:
    table = read(
        tmp_path, 'id,onset,note\na,2026-03-01,x\nb,2026-03-02,"open\nc,2026-03-03,x\nd,2026-03-04,"x"\n'
    )
    assert [row[0] for row in table.rows] == ["a", "c", "d"]
    assert list(why(table)) == [3]


def test_quotation_marks_that_match_nowhere_are_told(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="quotation"):
        read(tmp_path, "id,note\n" + 'a,"b" c\n' * 2_000)
    with pytest.raises(Unusable, match="row 1: quotation"):
        read(tmp_path, 'id,"note" x\na,b\n')


def test_the_line_that_names_the_separator_is_no_row(tmp_path: Path) -> None:
    for line in ("sep=;", '"sep=;"', "SEP=;"):
        table = read(tmp_path, f"{line}\r\nid;note, and more, and more\r\na;x, y\r\n")
        assert (table.names, table.numbers) == (["id", "note, and more, and more"], [2])


def test_separators_inside_of_quotation_marks_do_not_count(tmp_path: Path) -> None:
    table = read(tmp_path, 'id;onset;"fever, cough, rash or any\nother, symptom"\na;2026-03-01;y\n')
    assert table.rows == [["a", "2026-03-01", "y"]]


def test_separators_at_the_end_of_a_row_are_no_cells(tmp_path: Path) -> None:
    table = read(tmp_path, "id,onset,\na,2026-03-01\nb,2026-03-02,\nc,2026-03-03,,,\nd\ne,2026-03-04,x,y\n")
    assert [row[0] for row in table.rows] == ["a", "b", "c"]
    wanted = "expected 3 cells as in the first row, found "
    more = "a text with a comma in it must stand in quotation marks"
    assert why(table) == {5: f"{wanted}1; the row breaks off", 6: f"{wanted}4; {more}"}


TITLED = "Line list{0}\n\nIdentification,,Dates,\nCase ID,Household,Onset,Rash\n1,H0,2026-03-01,2026-03-04\n"


@pytest.mark.parametrize(
    "text", [TITLED.format(""), TITLED.format(",,,"), TITLED.format("").replace(",", ";")]
)
def test_titles_above_the_names_are_passed_over_and_told(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert (table.names, table.numbers) == (["Case ID", "Household", "Onset", "Rash"], [5])
    assert table.notes == ["The names of the columns are in row 4; those above it were taken as titles."]


@pytest.mark.parametrize(
    ("text", "name"),
    [("id,,,onset\na,x,y,2026-03-01\n", "id"), ("onset\n2026-03-01\n", "onset"), ("a\nb\nc\n", "a"),
     ("id,a\n", "id")],
)  # fmt: skip
def test_names_without_titles_are_those_of_the_first_row(tmp_path: Path, text: str, name: str) -> None:
    table = read(tmp_path, text)
    assert (table.names[0], table.notes) == (name, [])


@pytest.mark.parametrize("first", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_told_to_be_one(tmp_path: Path, first: bytes) -> None:
    with pytest.raises(Unusable, match=r"is a workbook, not text: save its sheet as CSV \(UTF-8\)"):
        read(tmp_path, first + bytes(range(256)))


@pytest.mark.parametrize("kind", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_spreadsheets_is_read(tmp_path: Path, kind: str) -> None:
    mark = "" if kind == "utf-16" else "\ufeff"
    assert read(tmp_path, f"{mark}id\tFälle\r\na\t2\r\n".encode(kind)).names == ["id", "Fälle"]
