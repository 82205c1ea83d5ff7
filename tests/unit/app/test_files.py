from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadstreet.app.replay import files
from broadstreet.app.replay.parcel import NothingToSend, Parcel
from broadstreet.app.replay.sending import _monotone, first_day

SEOUL = ZoneInfo("Asia/Seoul")


def message(number: int, made: str = "20260105120000+0900") -> bytes:
    return rf"MSH|^~\&|A|B|C|D|{made}||ADT^A04|{number}|P|2.5.1".encode() + b"\rPID|1||42\r"


def test_messages_come_one_or_many_a_file_and_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "3.HL7").write_bytes(message(3))
    (tmp_path / "a.txt").write_bytes(message(1) + b"\n" + message(2))
    (tmp_path / "readme.md").write_bytes(message(9))
    found = files.parcels(tmp_path, SEOUL)
    assert [parcel.message for parcel in found] == [message(1), message(2), message(3)]
    assert [parcel.origin for parcel in found] == ["a.txt (1)", "a.txt (2)", "3.HL7 (1)"]


@pytest.mark.parametrize(
    "around",
    [
        lambda m: b"\x0b" + m + b"\x1c\r",
        lambda m: m.replace(b"\r", b"\n"),
        lambda m: m.replace(b"\r", b"\r\n"),
        lambda m: b"\xef\xbb\xbf" + m,
        lambda m: rb"FHS|^~\&|A" + b"\r" + rb"BHS|^~\&|A" + b"\r" + m + b"BTS|2\rFTS|1\r",
    ],
    ids=["framed", "lines", "windows", "marked", "batch"],
)
def test_messages_are_found_however_they_were_stored(tmp_path: Path, around: object) -> None:
    (tmp_path / "m.hl7").write_bytes(around(message(1) + message(2)))  # type: ignore[operator]
    found = files.parcels(tmp_path / "m.hl7", SEOUL)
    assert [b"PID|1||42" in parcel.message for parcel in found] == [True, True]


def test_the_day_is_the_citys(tmp_path: Path) -> None:
    (tmp_path / "m.hl7").write_bytes(
        message(1, "20260105233000+0000") + message(2, "20260105") + message(3, "soon") + message(4, "")
    )
    days = [parcel.day for parcel in files.parcels(tmp_path, SEOUL)]
    assert days == [date(2026, 1, 6), date(2026, 1, 5), None, None]


def test_a_folder_without_messages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.hl7").write_bytes(b"hello")
    with pytest.raises(NothingToSend, match=r"expected HL7 v2 messages \(each begins with MSH\)"):
        files.parcels(tmp_path, SEOUL)


def test_time_never_goes_back_in_a_replay() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC).date()
    days = [None, start + timedelta(2), start, None, start + timedelta(3)]
    sent = [Parcel(b"", day, "") for day in days]
    assert first_day(sent) == start
    reached = [day for day, _ in _monotone(sent)]
    assert reached == [start, *[start + timedelta(2)] * 3, start + timedelta(3)]
