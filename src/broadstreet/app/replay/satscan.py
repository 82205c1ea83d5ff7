"""SaTScan's case and coordinate files, told as the visits that they count: one ADT^A04 each.

Source of the formats: SaTScan User Guide, "Case File" (location, number of cases, date) and
"Coordinates File" (location, latitude, longitude).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from broadstreet.app.replay.parcel import MOST_MESSAGES, NothingToSend, Parcel
from broadstreet.connectors.hl7v2.writer import build

COMPLAINT = "fever"
NOON = time(12)
APPLICATION = "SATSCAN REPLAY"
_DATE = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})")
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Cases:
    """A line of a case file: so many cases at a location on a day."""

    location: str
    count: int
    day: date


def is_satscan(folder: Path) -> bool:
    """Say whether a folder holds a case file."""
    return folder.is_dir() and any(folder.glob("*.cas"))


def parcels(folder: Path, zone: ZoneInfo) -> list[Parcel]:
    """Return a message for each visit that the folder's case files count, day by day.

    Parameters
    ----------
    folder
        With `*.cas` files, and `*.geo` files that know each location.
    zone
        The city's: each visit is told for noon.

    Raises
    ------
    NothingToSend
        If a line cannot be read, or a location has no coordinates; the text names file and line.
    """
    known = _locations(folder)
    cases = [(path, one) for path in sorted(folder.glob("*.cas")) for one in _cases(path, known)]
    if not cases:
        raise NothingToSend(f"expected cases in the *.cas files of {folder}, found none")
    if sum(one.count for _, one in cases) > MOST_MESSAGES:
        raise NothingToSend(f"expected at most {MOST_MESSAGES:,} cases in {folder}")
    cases.sort(key=lambda case: (case[1].day, case[1].location))
    visits = ((path, one) for path, one in cases for _ in range(one.count))
    return [
        Parcel(_message(path.stem, f"{number:07d}", one, zone), one.day, path.name)
        for number, (path, one) in enumerate(visits, start=1)
    ]


def _message(study: str, number: str, case: Cases, zone: ZoneInfo) -> bytes:
    noon = datetime.combine(case.day, NOON, zone).strftime("%Y%m%d%H%M%S%z")
    header = {
        "3": APPLICATION, "4": f"REPLAY OF {study}", "5": "BROADSTREET", "6": "CITY", "7": noon,
        "9.1": "ADT", "9.2": "A04", "9.3": "ADT_A01", "10": f"{study}-{number}", "11": "P", "12": "2.5.1",
    }  # fmt: skip
    return build(header, [
        ("EVN", {"1": "A04", "2": noon}),
        ("PID", {
            "1": "1", "3.1": f"{study}-{number}", "3.4": "REPLAY", "3.5": "MR",
            "5.1": "REPLAYED", "5.2": f"VISIT {int(number)}", "8": "U", "11.5": case.location,
        }),
        ("PV1", {
            "1": "1", "2": "E", "3.1": "ED", "3.4": f"REPLAY OF {study}",
            "19.1": f"{study}-{number}", "44": noon,
        }),
        ("PV2", {"3.2": COMPLAINT}),
    ])  # fmt: skip


def _cases(path: Path, known: frozenset[str]) -> Iterator[Cases]:
    for number, words in _lines(path):
        where = f"{path.name}, line {number}"
        if len(words) < 3:
            raise NothingToSend(
                f"{where}: expected location, number of cases and date, got {' '.join(words)!r}"
            )
        location, count, day = words[:3]
        if known and location not in known:
            raise NothingToSend(f"{where}: expected a location of the coordinate files, got {location!r}")
        if not count.isdecimal():
            raise NothingToSend(f"{where}: expected a number of cases, got {count!r}")
        yield Cases(location, int(count), _day(day, where))


def _day(text: str, where: str) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match:
            return date(*map(int, match.groups()))
    except ValueError:
        pass
    raise NothingToSend(f"{where}: expected a date such as 2001/11/22, got {text!r}")


def places(folder: Path) -> str:
    """Return the coordinates files as a table of places; empty where there is none."""
    rows = {
        words[0]: f"{words[0]},{words[1]},{words[2]}"
        for path in sorted(folder.glob("*.geo"))
        for _, words in _lines(path)
        if len(words) > 2
    }
    return "\n".join(["code,lat,lon", *rows.values()]) + "\n" if rows else ""


def _locations(folder: Path) -> frozenset[str]:
    return frozenset(words[0] for path in folder.glob("*.geo") for _, words in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    if path.stat().st_size > _MOST_BYTES:
        raise NothingToSend(f"expected a file of at most {_MOST_BYTES:,} bytes, {path.name} is larger")
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.replace(",", " ").split():
            yield number, words
