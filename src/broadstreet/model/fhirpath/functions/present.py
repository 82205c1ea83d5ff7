"""The present: now, today, timeOfDay; the same throughout one evaluation.

Source: https://hl7.org/fhirpath/N1/#current-date-and-time-functions
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from broadstreet.model.fhirpath.evaluation import Frame, Items
from broadstreet.model.fhirpath.functions.function import Function
from broadstreet.model.fhirpath.values import Date, DateTime, Time


def _moment(frame: Frame) -> datetime:
    clock = frame.world.clock
    if clock is None:
        raise AssertionError("the compiler asks for a clock")
    return clock.now()


def _now(frame: Frame, _items: Items) -> Items:
    now = _moment(frame)
    return [DateTime((now.year, now.month, now.day, now.hour, now.minute, _seconds(now)), 0)]


def _today(frame: Frame, _items: Items) -> Items:
    now = _moment(frame)
    return [Date((now.year, now.month, now.day))]


def _time_of_day(frame: Frame, _items: Items) -> Items:
    now = _moment(frame)
    return [Time((now.hour, now.minute, _seconds(now)))]


def _seconds(now: datetime) -> Decimal:
    return Decimal(now.second) + Decimal(now.microsecond // 1000).scaleb(-3)


FUNCTIONS = {
    "now": Function(_now, style="framed", result="System.DateTime"),
    "today": Function(_today, style="framed", result="System.Date"),
    "timeOfDay": Function(_time_of_day, style="framed", result="System.Time"),
}
