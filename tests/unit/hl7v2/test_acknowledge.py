from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement, Code, acknowledge
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.problems import ErrorCode, Location, Malformed, Problem

NOW = datetime(2026, 11, 20, 10, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=9)))
HEADER = b"MSH|^~\\&|EHR^1.2^ISO|CLI\\T\\NIC|HUB|CITY|20261120||ADT^A04^ADT_A01|42|P^T|2.5.1\rPID|1\r"
WRONG_DATE = Problem(
    "PID-7 must be a date (is 'x|y')",
    ErrorCode.DATA_TYPE,
    Location("PID", 1, 7, 1, 1),
    diagnostic="a & b",
)


def answer(received: bytes | Message, code: Code = Code.ACCEPT, *problems: Problem) -> Message:
    return Message.parse(acknowledge(received, code, now=NOW, control_id="ACK1", problems=problems))


def test_the_header_mirrors_that_of_the_message() -> None:
    written = acknowledge(Message.parse(HEADER), Code.ACCEPT, now=NOW, control_id="ACK1")
    assert written == (
        b"MSH|^~\\&|HUB|CITY|EHR^1.2^ISO|CLI\\T\\NIC|20261120103015+0900||ACK^A04^ACK|ACK1|P^T|2.5.1\r"
        b"MSA|AA|42\r"
    )
    assert acknowledge(HEADER, Code.ACCEPT, now=NOW, control_id="ACK1") == written


def test_each_problem_has_an_err_segment_with_place_code_severity_and_text() -> None:
    warning = Problem("unknown ward", ErrorCode.TABLE_VALUE_NOT_FOUND, severity="W")
    read = answer(HEADER, Code.ERROR, WRONG_DATE, warning)
    first, second = read.all("ERR")
    assert [first.value(f"2.{n}") for n in range(1, 7)] == ["PID", "1", "7", "1", "1", None]
    assert [first.value(f"3.{n}") for n in (1, 2, 3)] == ["102", "Data type error", "HL70357"]
    assert (first.value("4"), first.value("7"), first.value("8")) == (
        "E",
        "a & b",
        "PID-7 must be a date (is 'x|y')",
    )
    assert (second.value("2"), second.value("3"), second.value("4")) == (None, "103", "W")
    assert first.value("1") is None


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4"])
def test_before_version_2_5_err_1_lists_the_problems_and_msa_3_holds_the_text(version: str) -> None:
    read = answer(HEADER.replace(b"2.5.1", version.encode()), Code.REJECT, WRONG_DATE, Problem("b"))
    assert [read.value(f"MSA-{n}") for n in (1, 2, 3)] == ["AR", "42", "PID-7 must be a date (is 'x|y')"]
    (error,) = read.all("ERR")
    assert error.values("1.1") == ["PID", None]
    assert error.values("1.3") == ["7", None]
    assert error.values("1.4.1") == ["102", "199"]
    assert error.value("1.4.2") == "Data type error"
    assert read.value("MSH-9.2") == ("A04" if version == "2.4" else None)


def test_delimiters_and_character_set_are_those_of_the_message() -> None:
    received = "MSH!*%$@!병원!B!C!D!!!ADT*A04!7!P!2.5!!!!!!KS X 1001\r".encode("cp949")
    written = acknowledge(received, Code.ERROR, now=NOW, control_id="1", problems=[Problem("a*b!가")])
    read = Message.parse(written)
    assert read.delimiters.component == "*"
    assert read.value("MSH-5") == "병원"
    assert read.value("MSH-18") == "KS X 1001"
    assert read.value("ERR-8") == "a*b!가"
    assert "가".encode("cp949") in written


def test_a_character_that_the_sender_cannot_read_becomes_a_question_mark() -> None:
    received = b"MSH|^~\\&|A||||||ADT^A04|7|P|2.5||||||8859/1\r"
    assert answer(received, Code.ERROR, Problem("가 ü")).value("ERR-8") == "? ü"


@pytest.mark.parametrize(
    ("received", "control_id"),
    [
        (b"", None),
        (b"\x00\xff garbage", None),
        (b"MSH", None),
        (b"MSH|", None),
        (b"MSH|^~\\&|A|B|C|D|||ADT^A04|77|P|2.5.1||||||NONSENSE\rPID|\xff\r", "77"),
        (b"MSH|^^^^|A|B|C|D|||ADT^A04|77|P|2.5.1\r", "77"),
        (b"noise MSH|^~\\&|A|B|C|D|||ADT^A04|77|P|2.5.1", "77"),
        (b"MSH|^~\\&|A|B|C|D|||ADT^A04|77|P|2.5.1||||||UNICODE UTF-8|\xff\r", "77"),
        (b"MSH|^~\\&|A|B|C|D|||ADT^A04|77|P|2.5.1\rPID|\xff\x00\nMSH|x\r", "77"),
        (b"MSH|^~\\&|A|B|C|D|||ADT^A04|77", "77"),
        (b"MSH|^~\\&|A\x00\x0b|B|C|D|||ADT^A04|7\x1c7|P|2.5.1\r", "7 7"),
        (b"MSH*^~\\&*A*B*C*D***ADT^A04*77*P*2.5.1\r", "77"),
        (b"MSHA^~\\&AxA", None),
    ],
)
def test_a_header_that_is_only_partly_readable_is_answered(received: bytes, control_id: str | None) -> None:
    written = acknowledge(received, Code.REJECT, now=NOW, control_id="1", problems=[WRONG_DATE])
    read = Message.parse(written)
    assert (read.kind[0], read.value("MSA-1"), read.value("MSA-2")) == ("ACK", "AR", control_id)
    assert not {0x0B, 0x1C, 0x00} & set(written)
    assert Acknowledgement.parse(written).problems[0].code is ErrorCode.DATA_TYPE


def test_an_endless_header_is_cut() -> None:
    received = b"MSH|^~\\&|" + b"A" * 1_000_000 + b"|B\r"
    assert (
        len(acknowledge(received, Code.REJECT, now=NOW, control_id="1", problems=[WRONG_DATE] * 1_000))
        < 20_000
    )


def test_a_sender_with_few_delimiters_gets_no_others() -> None:
    read = answer(b"MSH|^|A|B|C|D|||ADT^A04|7|P|2.3\r", Code.ERROR, Problem("a|b"), Problem("c"))
    assert read.value("MSH-2") == "^"
    assert read.value("MSA-3") == "a?b"
    assert read.value("ERR-1.4") == "199"


def test_an_acknowledgement_is_read_back() -> None:
    for version in (b"2.5.1", b"2.3"):
        written = acknowledge(
            HEADER.replace(b"2.5.1", version), Code.ERROR, now=NOW, control_id="1", problems=[WRONG_DATE]
        )
        read = Acknowledgement.parse(written)
        assert (read.code, read.control_id, read.accepted) == (Code.ERROR, "42", False)
        assert read.problems[0].code is ErrorCode.DATA_TYPE
        location = read.problems[0].location
        assert location is not None
        assert (location.segment, location.sequence, location.field) == ("PID", 1, 7)
    old = Acknowledgement.parse(b"MSH|^~\\&|A\rMSA|AR|9|no such patient\r")
    assert old.problems == (Problem("no such patient"),)
    strange = Acknowledgement.parse(b"MSH|^~\\&|A\rMSA|CA|9\rERR||PID^x^y|nonsense|\r")
    assert strange.accepted
    assert strange.problems[0].location == Location("PID")


@pytest.mark.parametrize("data", [b"", b"MSH|^~\\&|A\r", b"MSH|^~\\&|A\rMSA|XX|1\r", b"MSH|^~\\&|A\rMSA\r"])
def test_what_is_no_acknowledgement_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        Acknowledgement.parse(data)


def test_a_time_without_a_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="must be aware"):
        acknowledge(HEADER, Code.ACCEPT, now=NOW.replace(tzinfo=None), control_id="1")
    assert b"|20261120000000+0000|" in acknowledge(
        HEADER, Code.ACCEPT, now=datetime(2026, 11, 20, tzinfo=UTC), control_id="1"
    )
