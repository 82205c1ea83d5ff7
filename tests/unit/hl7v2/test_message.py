from __future__ import annotations

import pickle
from collections import Counter
from datetime import UTC

import pytest

from broadstreet.connectors.hl7v2.message import Limits, Message
from broadstreet.connectors.hl7v2.problems import ErrorCode, Malformed

MSH = "MSH|^~\\&|ADT^1.2^ISO|CLINIC|HUB|CITY|20261120103000+0900||ADT^A04^ADT_A01|MSG7|P|2.5.1"


def message(*segments: str, header: str = MSH) -> Message:
    return Message.parse("".join(f"{line}\r" for line in (header, *segments)).encode())


def refusal(data: bytes, **settings: object) -> Malformed:
    with pytest.raises(Malformed) as caught:
        Message.parse(data, **settings)  # type: ignore[arg-type]
    return caught.value


def test_the_header_names_kind_sender_version_and_control_id() -> None:
    read = message()
    assert read.kind == ("ADT", "A04")
    assert read.sender == ("ADT^1.2^ISO", "CLINIC")
    assert (read.version, read.control_id) == ("2.5.1", "MSG7")
    assert (read.value("MSH-1"), read.value("MSH-2"), read.value("MSH-3.2")) == ("|", "^~\\&", "1.2")
    assert read.header.text(2) == "^~\\&"
    assert not read.tolerated


def test_a_value_is_found_by_repetition_component_and_subcomponent() -> None:
    read = message("PID|1||42^^^A&1.2&ISO^MR~77^^^B||DOE&VAN^JO")
    assert read.value("PID-3") == read.value("PID-3[1].1.1") == "42"
    assert read.value("PID-3.4.2") == "1.2"
    assert read.value("PID-3[2].4") == "B"
    assert [
        read.value(f"PID-{path}") for path in ("3[3]", "3[2].5", "3.4.4", "5.1.3", "99", "1[2]", "1.2")
    ] == [None] * 7
    assert read.value("PV1-1") is None
    pid = read.first("PID")
    assert pid is not None
    assert pid.values("3.4") == ["A", "B"]
    assert pid.values("3.5") == ["MR", None]
    assert pid.values("30") == []
    assert [repetition.value("1") for repetition in pid.repetitions(3)] == ["42", "77"]
    assert pid[5].components[0].subcomponents == ["DOE", "VAN"]
    assert pid[5].components[0].text == "DOE&VAN"
    assert pid[3].repetitions[1].text == "77^^^B"
    assert not pid[30]
    assert pid[30].repetitions == []
    assert pid.size == 5


def test_explicit_null_is_told_apart_from_empty() -> None:
    read = message('PID|1||""||""^JO|""&x|^""^')
    assert read.value("PID-3.1") == ""
    assert read.value("PID-3.4.2") == ""
    assert read.value("PID-5.1") == ""
    assert read.value("PID-2") is None
    assert read.value("PID-7.2") == ""
    assert read.value("PID-7.1") is None
    pid = read.first("PID")
    assert pid is not None
    assert pid[3].is_null
    assert not pid[2].is_null


def test_segments_keep_their_order_and_count_their_sequence() -> None:
    read = message("OBR|1", "OBX|1", "OBX|2", "OBR|2", "OBX|1")
    assert [(s.name, s.sequence) for s in read.segments] == [
        ("MSH", 1), ("OBR", 1), ("OBX", 1), ("OBX", 2), ("OBR", 2), ("OBX", 3),
    ]  # fmt: skip
    assert [s.sequence for s in read.all("OBX")] == [1, 2, 3]
    assert [s.value("1") for s in read.all("OBR")] == ["1", "2"]
    assert read.all("MSH") == [read.header]
    assert read.all("NTE") == []


def test_delimiters_of_the_sender_are_used() -> None:
    read = Message.parse(b"MSH!*%$@!APP!FAC\rPID!1!!42*A@B%43!!A$S$B$F$C$E$\r")
    assert read.value("PID-3[2]") == "43"
    assert read.value("PID-3.2.2") == "B"
    assert read.value("PID-5") == "A*B!C$"
    assert read.sender == ("APP", "FAC")


def test_a_delimiter_that_is_not_stated_separates_nothing() -> None:
    read = Message.parse(b"MSH|^|A&B^C\rPID|a~b|c\\F\\d&e^f\r")
    assert read.value("PID-1") == "a~b"
    assert read.value("PID-2") == "c\\F\\d&e"
    assert read.value("MSH-3.2") == "C"
    assert read.value("MSH-2") == "^"


def test_the_truncation_sign_of_version_2_7_is_read_and_unescaped() -> None:
    read = Message.parse(b"MSH|^~\\&#|A\rPID|1 \\P\\ 2|Montgom#\r")
    assert read.delimiters.truncation == "#"
    assert read.value("PID-1") == "1 # 2"
    assert read.value("PID-2") == "Montgom#"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("one\\.br\\two\\.sp2\\three", "one\ntwo\n\nthree"),
        ("a\\.sk3\\b\\.in+4\\c\\.ti-2\\\\.fi\\\\.nf\\\\.ce\\d", "a   bc\nd"),
        ("\\H\\bold\\N\\ plain", "bold plain"),
        ("\\XEAB080\\\\X0D0A\\", "가\r\n"),
        ("\\Z7a\\ local", "\\Z7a\\ local"),
        ("C:\\temp and \\.br\\ after", "C:\\temp and \n after"),
        ("\\Xff\\", "\\Xff\\"),
        ("\\X0\\", "\\X0\\"),
        ("\\E\\F\\E\\", "\\F\\"),
        ("\\P\\", ""),
        ("\\.sk9999\\", " " * 100),
    ],
)
def test_escape_sequences_become_what_they_stand_for(raw: str, text: str) -> None:
    assert message(f"NTE|1||{raw}").value("NTE-3") == text


def test_character_set_switches_inside_a_value_are_followed() -> None:
    latin = Message.parse(
        "MSH|^~\\&|A|||||||||||||||8859/1\rNTE|1||\\C2D4C\\¼ØàÝëÙ\\C2842\\ ok\r".encode("latin-1")
    )
    assert latin.value("NTE-3") == "Мирный ok"
    kanji = Message.parse(b"MSH|^~\\&|A\rPID|1||1||\\M2442\\;3ED\\C2842\\^x\r")
    assert kanji.value("PID-5.1") == "山田"
    assert kanji.value("PID-5.2") == "x"
    broken = Message.parse(b"MSH|^~\\&|A\rPID|1||\\M2442\\;\\CFFFF\\a\r")
    assert broken.value("PID-3") == ";a"


@pytest.mark.parametrize(
    ("stated", "codec", "name"),
    [
        ("UNICODE UTF-8", "utf-8", "김철수"),
        ("KS X 1001", "euc_kr", "김철수"),
        ("~KS X 1001", "cp949", "똠방"),
        ("GB 18030-2000", "gb18030", "王小明㐀"),
        ("BIG-5", "big5", "許功蓋"),  # second bytes are \ and |
        ("8859/1", "latin-1", "Müller"),
        ("8859/15", "iso8859_15", "Šœ€"),
        ("8859/5", "iso8859_5", "Иванов"),
        ("~ISO IR87", "iso2022_jp", "山田太郎"),
        ("ASCII~ISO IR87~ISO IR159", "iso2022_jp_ext", "丂田"),
        ("ISO IR14", "cp932", "ﾔﾏﾀﾞ"),
        ("shift_jis", "cp932", "表ソ"),
    ],
)
def test_a_message_is_read_in_the_character_set_it_states(stated: str, codec: str, name: str) -> None:
    data = f"MSH|^~\\&|A||||||ADT^A04|1|P|2.5||||||{stated}\rPID|1||7||{name}^{name}\r".encode(codec)
    read = Message.parse(data)
    assert (read.value("PID-5.1"), read.value("PID-5.2")) == (name, name)
    assert bool(read.tolerated) == (stated == "shift_jis")


def test_an_unstated_character_set_is_tried_as_utf_8_and_then_as_the_fallback() -> None:
    text = f"{MSH}\rPID|1||7||김\r"
    assert Message.parse(text.encode()).value("PID-5") == "김"
    assert Message.parse(text.encode()).tolerated == Counter({"character set not stated": 1})
    korean = Message.parse(text.encode("cp949"), fallback="cp949")
    assert korean.value("PID-5") == "김"
    assert korean.tolerated == Counter({"character set not stated": 1, "fallback character set": 1})
    assert refusal(text.encode("cp949"), fallback="ascii").field == 5


def test_more_than_ascii_is_tolerated_where_ascii_is_stated() -> None:
    read = Message.parse(f"{MSH}||||||ASCII\rPID|1||7||Zoë\r".encode())
    assert read.value("PID-5") == "Zoë"
    assert read.tolerated == Counter({"other characters than the stated ASCII": 1})


@pytest.mark.parametrize("stated", ["KS X 9999", "CNS 11643-1992", "UNICODE UTF-16", "ASCII~nonsense"])
def test_a_character_set_that_cannot_be_read_is_refused_by_name(stated: str) -> None:
    error = refusal(f"{MSH}||||||{stated}\rPID|1\r".encode())
    assert (error.segment, error.field, error.code) == ("MSH", 18, ErrorCode.TABLE_VALUE_NOT_FOUND)
    assert stated.rsplit("~", maxsplit=1)[-1].upper() in str(error)


def test_bytes_outside_the_stated_character_set_are_refused_with_their_place() -> None:
    data = f"{MSH}||||||UNICODE UTF-8\rOBX|1\rOBX|2|ST|Größe\r".encode("latin-1")
    error = refusal(data)
    assert (error.segment, error.sequence, error.field) == ("OBX", 2, 3)
    assert "0xF6" in str(error)


@pytest.mark.parametrize(
    ("data", "departures"),
    [
        (b"MSH|^~\\&|A\nPID|1\n", {"LF between segments"}),
        (b"MSH|^~\\&|A\r\nPID|1\r\n", {"CR LF between segments"}),
        (b"MSH|^~\\&|A\rPID|1", {"last segment without CR"}),
        (b"\xef\xbb\xbfMSH|^~\\&|A\rPID|1\r", {"byte order mark"}),
        (b"\r\n  MSH|^~\\&|A\rPID|1\r", {"blanks before MSH"}),
        (b"MSH|^~\\\\&|A\rPID|1\r", {"escape sign doubled in MSH-2"}),
        (b"MSH|^~\\&|A\r\r \rPID|1\r", {"blank line"}),
        (b"MSH|^~\\&|A\rPID|1\r\r\r", set()),
    ],
)
def test_departures_from_the_standard_are_tolerated_and_counted(data: bytes, departures: set[str]) -> None:
    read = Message.parse(data)
    assert set(read.tolerated) == departures
    assert read.value("PID-1") == "1"
    assert read.value("MSH-3") == "A"
    assert read.raw == data


def test_a_line_that_starts_no_segment_continues_the_field_before_it() -> None:
    read = Message.parse(b"MSH|^~\\&|A\rNTE|1||first\nsecond line\nthird\rNTE|2||x\r")
    assert [note.value("3") for note in read.all("NTE")] == ["first\nsecond line\nthird", "x"]
    assert read.tolerated["line break inside a field"] == 2


def test_a_bare_segment_name_is_a_segment() -> None:
    read = Message.parse(b"MSH|^~\\&|A\rPID\rNTE|1\r")
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "NTE"]
    assert read.value("PID-1") is None


@pytest.mark.parametrize(
    ("data", "field", "reason"),
    [
        (b"", None, "must start with MSH"),
        (b"PID|1\r", None, "must start with MSH"),
        (b"\x00\x01\x02", None, "must start with MSH"),
        (b"MSH", 1, "MSH-1"),
        (b"MSHA^~\\&|", 1, "MSH-1"),
        (b"MSH|", 2, "MSH-2"),
        (b"MSH||A\r", 2, "1 to 5 signs"),
        (b"MSH|^~\\&", 2, "1 to 5 signs"),
        (b"MSH|^~\\&#%|A\r", 2, "1 to 5 signs"),
        (b"MSH|^^^^|A\r", 2, "distinct"),
        (b"MSH|^~\\a|A\r", 2, "punctuation"),
        (b"MSH|^~\\\r|A\r", 2, "punctuation"),
        (b"MSH|^~\\&|A\rMSH|^~\\&|B\r", None, "one MSH"),
        (b"MSH|^~\\&|A\nMSH|^~\\&|B\n", None, "one MSH"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(data: bytes, field: int | None, reason: str) -> None:
    error = refusal(data)
    assert (error.segment, error.field) == ("MSH", field)
    assert reason in str(error)


def test_a_message_over_a_limit_is_refused() -> None:
    data = f"{MSH}\r".encode() + b"OBX|1\r" * 50
    assert "at most 49 segments (has 51)" in str(refusal(data, limits=Limits(segments=49)))
    assert "at most 100 bytes" in str(refusal(data, limits=Limits(size=100)))
    wide = Message.parse(b"MSH|^~\\&|A\rPID" + b"|" * 1001 + b"\r")
    with pytest.raises(Malformed, match="PID: holds more than 1000 fields"):
        wide.value("PID-3")
    assert Message.parse(b"MSH|^~\\&|A\rPID" + b"|" * 1000 + b"\r").value("PID-3") is None


def test_a_time_that_is_none_is_refused_with_its_place() -> None:
    read = message("PID|1", "PID|2||||||x")
    second = read.all("PID")[1]
    with pytest.raises(Malformed, match=r"PID\[2\]-7: a time must look like") as caught:
        second.time("7", UTC)
    assert caught.value.code is ErrorCode.DATA_TYPE
    assert second.time("6", UTC) is None
    sent = read.time(UTC)
    assert sent is not None
    assert sent.fhir == "2026-11-20T10:30:00+09:00"


@pytest.mark.parametrize(
    "path", ["PID", "PID-", "PID-0", "PID-1.0", "PID-x", "PID-1[0]", "PID-1.1.1.1", "PIDX-1"]
)
def test_a_path_that_is_none_is_a_mistake_of_the_caller(path: str) -> None:
    with pytest.raises(ValueError, match="a path in a"):
        message().value(path)


def test_a_refusal_crosses_process_borders() -> None:
    error = Malformed("PID", 2, 5, "why", ErrorCode.DATA_TYPE)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problem) == ("PID[2]-5: why", error.problem)
