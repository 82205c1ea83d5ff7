from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from broadstreet.connectors.hl7v2.timestamps import Precision, timestamp

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("text", "precision", "fhir"),
    [
        ("2026", Precision.YEAR, "2026"),
        ("202611", Precision.MONTH, "2026-11"),
        ("20261120", Precision.DAY, "2026-11-20"),
        ("2026112010", Precision.HOUR, "2026-11-20T10:00:00+09:00"),
        ("202611201030", Precision.MINUTE, "2026-11-20T10:30:00+09:00"),
        ("20261120103015", Precision.SECOND, "2026-11-20T10:30:15+09:00"),
        ("20261120103015.25", Precision.FRACTION, "2026-11-20T10:30:15.250+09:00"),
        ("20261120103015.1234", Precision.FRACTION, "2026-11-20T10:30:15.123+09:00"),
        ("202611201030-0530", Precision.MINUTE, "2026-11-20T10:30:00-05:30"),
        ("202611201030+0000", Precision.MINUTE, "2026-11-20T10:30:00+00:00"),
        ("20261120+0100", Precision.DAY, "2026-11-20"),
    ],
)
def test_a_time_keeps_the_precision_and_offset_that_were_stated(
    text: str, precision: Precision, fhir: str
) -> None:
    read = timestamp(text, SEOUL)
    assert (read.precision, read.fhir) == (precision, fhir)
    assert read.start.tzinfo is not None


def test_a_stated_offset_stands_before_the_zone_of_the_source() -> None:
    east = timezone(timedelta(hours=9))
    assert timestamp("202601010000", SEOUL).start == datetime(2026, 1, 1, tzinfo=east)
    assert timestamp("202601010000+0000", SEOUL).start == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "26", "20261", "20261320", "20260230", "2026112024", "202611201060", "20261120103060", "0000",
        "2026112010301.5", "2026112010.5", "20261120103015.", "20261120 1030", "2026-11-20", "２０２６",
        "20261120+1401", "20261120+0960", "20261120+9", "00010101+1400", "99991231235959-1400", "9" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(ValueError, match="time") as caught:
        timestamp(text, UTC)
    assert len(str(caught.value)) < 200
