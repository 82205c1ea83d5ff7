"""The tables of the counts, and their rows.

A day is a number: days since 1970-01-01 (as in NumPy's `datetime64[D]` and Arrow's `date32`).
"""

from __future__ import annotations

from typing import NamedTuple

from broadstreet.store.tables import Table

VISITS = "visits"
"""The stream of all visits, whatever their syndromes."""
CITY = "city"
DISTRICT = "district:"
FACILITY_PLACE = "facility:"
ALL = "all"
"""The stratum that everybody is in."""

AHEAD = 2
"""Days after the last closed one that are looked at: what is dated later is a mistake until its day comes."""

Cell = tuple[str, str, str, int]
"""`(stream, place, stratum, day)`: the key of a count."""


class Resident(NamedTuple):
    """A patient record: where home is, the record it was merged into, the date of birth as it is known."""

    id: str
    home: str | None
    merged_into: str | None
    born: str | None


class Visit(NamedTuple):
    """An encounter: what it says itself, and under which day, district, age and syndromes it counts.

    `band` is the stratum of its age, empty where that is unknown. A visit without a day counts nowhere. Lists
    are words with spaces between.
    """

    id: str
    patient: str | None
    facility: str | None
    day: int | None
    complaint: str
    codes: str
    district: str | None
    band: str
    syndromes: str


class Finding(NamedTuple):
    """What a condition or an observation adds to a visit: `id` is such as `Condition/0199...`."""

    id: str
    encounter: str
    codes: str
    text: str


class Facility(NamedTuple):
    """An organization that reports visits, and what it is called."""

    id: str
    name: str


class Closed(NamedTuple):
    """A day that is over, and the seq of the timer that said so."""

    day: int
    seq: int


class Changed(NamedTuple):
    """A watched count that changed since days are closed, and the seq of the entry that changed it last."""

    stream: str
    place: str
    stratum: str
    day: int
    seq: int


class Late(NamedTuple):
    """How many visits of a day that was over came until the end of a later day, less those taken away."""

    stream: str
    place: str
    day: int
    known: int
    n: int


class Held(NamedTuple):
    """A signal as its newest version has it.

    `finding` and, as JSON, `verdict` are an officer's, empty where there is none; `origin` is who made it
    first. `judged` is the version that the officer judged, empty where nobody has.
    """

    id: str
    stream: str
    place: str
    stratum: str
    since: int
    until: int
    status: str
    finding: str
    verdict: str
    origin: str
    body: bytes
    judged: bytes


RESIDENT = Table(
    "surveillance_resident",
    {"id": "text", "home": "text", "merged_into": "text", "born": "text"},
    key=("id",),
    indexes=(("merged_into",),),
)
VISIT = Table(
    "surveillance_visit",
    {
        "id": "text",
        "patient": "text",
        "facility": "text",
        "day": "integer",
        "complaint": "text",
        "codes": "text",
        "district": "text",
        "band": "text",
        "syndromes": "text",
    },
    key=("id",),
    indexes=(("patient",), ("day",)),
)
FINDING = Table(
    "surveillance_finding",
    {"id": "text", "encounter": "text", "codes": "text", "text": "text"},
    key=("id",),
    indexes=(("encounter",),),
)
FACILITY = Table("surveillance_facility", {"id": "text", "name": "text"}, key=("id",))
COUNT = Table(
    "surveillance_count",
    {"stream": "text", "place": "text", "stratum": "text", "day": "integer", "n": "integer"},
    key=("stream", "place", "stratum", "day"),
    indexes=(("day",),),
)
CLOSED = Table("surveillance_closed", {"day": "integer", "seq": "integer"}, key=("day",), indexes=(("seq",),))
CHANGED = Table(
    "surveillance_changed",
    {"stream": "text", "place": "text", "stratum": "text", "day": "integer", "seq": "integer"},
    key=("stream", "place", "stratum", "day"),
    indexes=(("seq",),),
    remembers=True,
)
LATE = Table(
    "surveillance_late",
    {"stream": "text", "place": "text", "day": "integer", "known": "integer", "n": "integer"},
    key=("stream", "place", "day", "known"),
    indexes=(("day",),),
    remembers=True,
)
SIGNAL = Table(
    "surveillance_signal",
    {
        "id": "text",
        "stream": "text",
        "place": "text",
        "stratum": "text",
        "since": "integer",
        "until": "integer",
        "status": "text",
        "finding": "text",
        "verdict": "text",
        "origin": "text",
        "body": "blob",
        "judged": "blob",
    },
    key=("id",),
    indexes=(("stream", "place"), ("status",), ("finding",), ("until",)),
)
TABLES: tuple[Table, ...] = (RESIDENT, VISIT, FINDING, FACILITY, COUNT, CLOSED, CHANGED, LATE, SIGNAL)
