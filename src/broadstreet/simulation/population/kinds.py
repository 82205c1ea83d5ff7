"""Kinds of places, and how people use each."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What a place is."""

    HOME = 0
    CARE_HOME = 1
    CLASS = 2
    SCHOOL = 3
    TEAM = 4
    WORKPLACE = 5
    SHOP = 6
    VENUE = 7
    WORSHIP = 8
    TRANSPORT = 9
    CLINIC = 10
    HOSPITAL = 11


class Role(IntEnum):
    """What a person does by day."""

    NONE = 0
    PUPIL = 1
    TEACHER = 2
    WORKER = 3
    SHIFT = 4
    RESIDENT = 5


class Habit(IntEnum):
    """The gathering places of a person: the columns of `People.habits`."""

    SCHOOL = 0
    SHOP = 1
    SHOP_TOO = 2
    VENUE = 3
    VENUE_NEAR_WORK = 4
    WORSHIP = 5
    TRANSPORT = 6
    CLINIC = 7
    HOSPITAL = 8


class Gathering(NamedTuple):
    """How a kind of gathering place is used.

    Of its regulars a share comes on a day; they are dealt anew each day to cells (tables, carriages, rows, a
    quarter of an hour in a shop), and people are near each other only within a cell.
    """

    kind: Kind
    share: tuple[float, float, float]  # of regulars, on a weekday, a Saturday, a Sunday
    opens: int  # minutes since midnight
    closes: int
    late: float  # 1: even over the day; above: more in the evening
    cell: int  # people
    stay: tuple[int, int]  # minutes


# Trips by purpose a person and day in England, all modes, 2019: shopping 0.50, leisure with eating out and
# visits 0.69, personal business (health, worship) 0.23; Department for Transport, National Travel Survey,
# table NTS0403. A person has two shops and two venues; some planned visits fall away since the person is at
# work, and evening is their time. Consultations in general practice: 5.2 a person and year (Hobbs et al.
# 2016, Lancet 387:2323); visits to outpatients and emergency departments of hospitals: 2.0 (NHS Digital,
# Hospital Outpatient Activity 2019-20, A&E). Sizes of cells are assumptions: a carriage, a table and those
# beside it, a block of pews, an aisle.
GATHERINGS = (
    Gathering(Kind.SCHOOL, (1.0, 0.0, 0.0), 720, 765, 0.0, 8, (45, 45)),
    Gathering(Kind.SHOP, (0.42, 0.42, 0.30), 480, 1290, 1.5, 16, (15, 50)),
    Gathering(Kind.VENUE, (0.36, 0.44, 0.40), 660, 1400, 1.3, 12, (40, 130)),
    Gathering(Kind.WORSHIP, (0.0, 0.04, 0.70), 600, 680, 0.0, 14, (60, 80)),
    Gathering(Kind.TRANSPORT, (1.0, 0.0, 0.0), 435, 525, 1.0, 36, (20, 40)),
    Gathering(Kind.CLINIC, (0.019, 0.004, 0.0), 500, 1080, 1.0, 6, (25, 70)),
    Gathering(Kind.HOSPITAL, (0.0070, 0.0030, 0.0030), 480, 1320, 1.0, 8, (60, 240)),
)
# With how many of those who are there a person is in contact at most (talks at a metre, or touches): with
# everyone at home. Calibrated so that contacts a day agree with POLYMOD; `days.checking` shows the
# agreement.
COMPANY = {
    Kind.HOME: 20.0,
    Kind.CARE_HOME: 10.0,
    Kind.CLASS: 10.5,
    Kind.SCHOOL: 5.0,
    Kind.TEAM: 13.0,
    Kind.SHOP: 2.5,
    Kind.VENUE: 7.5,
    Kind.WORSHIP: 4.0,
    Kind.TRANSPORT: 2.5,
    Kind.CLINIC: 2.0,
    Kind.HOSPITAL: 3.0,
}
