"""The sample messages of microsoft/FHIR-Converter, and python-hl7 as the second opinion."""

from __future__ import annotations

from pathlib import Path

import hl7

from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.paths import message_path
from broadstreet.connectors.hl7v2.writer import build

HARMLESS = {
    "LF between segments",
    "CR LF between segments",
    "last segment without CR",
    "byte order mark",
    "escape sign doubled in MSH-2",
}


def test_all_sample_messages_are_read(shared: Path) -> None:
    files = sorted((shared / "data" / "hl7v2").glob("*.hl7"))
    assert len(files) == 97
    for file in files:
        message = Message.parse(file.read_bytes())
        assert all(message.kind), file.name
        assert message.version.startswith("2."), file.name
        assert set(message.tolerated) <= HARMLESS, file.name


def repetitions_that_both_parsers_split_alike(message: Message) -> int:
    compared = 0
    for mine, theirs in zip(message.segments, hl7.parse(message.text), strict=True):
        for number in range(3 if mine.name == "MSH" else 1, mine.size + 1):
            raw = [repetition.raw.rstrip() for repetition in mine.repetitions(number)]
            # python-hl7 drops the blanks at the end of a message
            assert raw == [str(repetition).rstrip() for repetition in theirs(number) if str(theirs(number))]
            compared += len(raw)
    return compared


def test_python_hl7_splits_the_sample_messages_alike(shared: Path) -> None:
    compared = 0
    for file in sorted((shared / "data" / "hl7v2").glob("*.hl7")):
        message = Message.parse(file.read_bytes())
        if "escape sign doubled in MSH-2" not in message.tolerated:  # which they read otherwise
            compared += repetitions_that_both_parsers_split_alike(message)
    assert compared > 5_000


PLACES = (
    "MSH-3.1.1", "MSH-9.2.1", "MSH-10.1.1", "PID-3.1.1", "PID-3.4.1", "PID-3[2].1.1", "PID-5.1.1",
    "PID-5.2.1", "PID-7.1.1", "PID-8.1.1", "PID-11.1.1", "PID-11.5.1", "PV1-2.1.1",
    "PV1-3.1.1", "PV1-3.4.2", "PV1-44.1.1", "DG1-3.1.1", "OBX-3.1.1", "OBX-5.1.1", "NTE-3.1.1",
)  # fmt: skip


def their_value(message: hl7.Message, place: str) -> str:
    name, field, repetition, component, subcomponent = message_path(place)
    try:
        found = message.extract_field(name, 1, field, repetition + 1, component + 1, subcomponent + 1)
    except (KeyError, IndexError):  # their word for a part that is not there
        return ""
    return "" if found in {None, '""'} else str(found)


def test_python_hl7_reads_the_values_that_we_read(shared: Path) -> None:
    present = 0
    for file in sorted((shared / "data" / "hl7v2").glob("*.hl7")):
        message = Message.parse(file.read_bytes())
        if "escape sign doubled in MSH-2" not in message.tolerated:
            theirs = hl7.parse(message.text)
            for place in PLACES:
                value = message.value(place) or ""
                assert value == their_value(theirs, place), (file.name, place)
                present += bool(value)
    assert present > 700


def test_python_hl7_reads_what_we_write() -> None:
    hostile = "a|b^c&d~e\\f"
    header = {"3": "HUB", "9.1": "ADT", "9.2": "A04", "10": "1"}
    theirs = hl7.parse(build(header, [("PID", {"3.4.2": hostile, "5[2].1": "가나"})]).decode())
    assert their_value(theirs, "PID-3.4.2") == hostile
    assert their_value(theirs, "PID-5[2].1") == "가나"
