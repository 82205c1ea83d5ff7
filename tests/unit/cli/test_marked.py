from __future__ import annotations

from broadstreet.cli.marked import marked
from broadstreet.model.records import Fault

RAW = b"MSH|^~\\&|A|B|C|D|x||ADT^A04|1|P|2.5.1\rPID|1||42||DOE||soon\rNTE|1\rNTE|2||\x07\r"


def plain(*faults: Fault, raw: bytes = RAW) -> list[str]:
    return [line.plain for line in marked(raw, faults)]


def test_a_faulty_field_is_marked_and_its_reason_stands_below() -> None:
    lines = plain(Fault(reason="expected a date, got text", segment="PID", sequence=1, field=7))
    assert lines[1:3] == ["PID|1||42||DOE||»soon«", "    PID-7: expected a date, got text"]


def test_the_fields_of_the_header_count_from_the_separator() -> None:
    assert plain(Fault(reason="r", segment="MSH", field=7))[0] == r"MSH|^~\&|A|B|C|D|»x«||ADT^A04|1|P|2.5.1"


def test_the_segment_meant_is_marked_where_there_are_several() -> None:
    lines = plain(Fault(reason="r", segment="NTE", sequence=2, field=1))
    assert lines[2:] == ["NTE|1", "NTE|»2«||\\x07", "    NTE[2]-1: r"]


def test_a_field_that_is_missing_is_named() -> None:
    assert plain(Fault(reason="r", segment="NTE", field=3))[2] == "NTE|1 »NTE-3 is missing«"


def test_a_fault_without_a_place_stands_at_the_end() -> None:
    assert plain(Fault(reason="no visit"))[-1] == "    message: no visit"


def test_what_is_no_message_is_shown_as_far_as_it_can() -> None:
    assert plain(Fault(reason="no MSH"), raw=b"\xff\x1b[31mred") == [
        "\\xff\\x1b[31mred",
        "    message: no MSH",
    ]
