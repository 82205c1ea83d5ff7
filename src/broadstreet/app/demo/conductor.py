"""The conductor: starts hub and clinics, lets day follow day, and keeps the hub from knowing the seed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as moment
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from broadstreet.app import requests
from broadstreet.app.demo.orders import Address, Orders, Report
from broadstreet.app.process import HubProcess
from broadstreet.app.replay.sending import Calendar
from broadstreet.app.settings import PLACES, Mllp, Settings
from broadstreet.simulation.population.defaults import DISTRICTS, District
from broadstreet.store.protocol import StoreError

STOP_SECONDS = 10.0
ENDED = "the clinics' processes ended before their time; nothing more can be shown"


@dataclass(frozen=True)
class Plan:
    """A demonstration: which city, how long, and where the hub's data lie."""

    seed: int
    start: date
    days: int
    clinics: int
    zone: str
    folder: Path


@dataclass(frozen=True)
class DayDone:
    """What became of one day; `seconds` from the release of the clinics to the last acknowledgement."""

    number: int
    day: date
    report: Report
    seconds: float


class Conductor:
    """A hub and its clinics, running.

    The hub's process is given its settings and nothing else: the seed goes to the clinics alone.
    """

    def __init__(self, plan: Plan, hub: HubProcess, clinics: subprocess.Popen[bytes]) -> None:
        self.plan, self.hub, self._clinics = plan, hub, clinics
        zone = ZoneInfo(plan.zone)
        self._calendar = Calendar(hub.control, datetime.combine(plan.start, moment(), zone), zone)

    def days(self) -> Iterator[DayDone]:
        """Let each day be sent and closed; yield what became of it.

        Raises
        ------
        StoreError
            If a clinic got no answer.
        """
        for number in range(self.plan.days):
            day = self.plan.start + timedelta(days=number)
            self._calendar.reach(day)
            began = time.monotonic()
            report = self._release(number)
            yield DayDone(number, day, report, time.monotonic() - began)
        self._calendar.close(day)

    def settle(self) -> None:
        """Wait until the hub's followers have seen everything."""
        self.hub.control.ask(requests.Settle())

    def _release(self, number: int) -> Report:
        orders, reports = self._clinics.stdin, self._clinics.stdout
        assert orders is not None
        assert reports is not None
        orders.write(b"%d\n" % number)
        orders.flush()
        line = reports.readline()
        if not line:
            raise StoreError(ENDED)
        report = msgspec.json.decode(line, type=Report)
        if report.fault:
            raise StoreError(f"a clinic got no answer from the hub: {report.fault}")
        return report


@contextmanager
def conducted(plan: Plan) -> Iterator[Conductor]:
    """Start the hub on an empty store, then the clinics; end both at last.

    Raises
    ------
    StoreError
        If one of them does not start.
    """
    plan.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    (plan.folder / PLACES).write_text(places_of(DISTRICTS), encoding="utf-8")
    settings = Settings(
        data=str(plan.folder.absolute()),
        zone=plan.zone,
        clock="driven",
        clock_start=datetime.combine(plan.start, moment(), ZoneInfo(plan.zone)),
        log_level="warning",
        mllp=Mllp(port=0),
    )
    clinics = _start_clinics()
    # They build the city while the hub starts.
    _tell(clinics, Orders(plan.seed, plan.start, plan.days, plan.clinics, plan.zone))
    try:
        with HubProcess(settings) as hub:
            _tell(clinics, Address(*hub.address()))
            yield Conductor(plan, hub, clinics)
            _end(clinics)
    finally:
        _end(clinics)


def places_of(districts: Sequence[District]) -> str:
    """Return the districts as the table that a hub takes: what a city knows of itself."""
    rows = (f"{each.code},{each.name},{each.x},{each.y}" for each in districts)
    return "\n".join(["code,name,x,y", *rows]) + "\n"


def _start_clinics() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "broadstreet.app.demo.clinics"]
    # One thread each is enough for a clinic, and twenty processes share the machine.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )


def _tell(clinics: subprocess.Popen[bytes], what: Orders | Address) -> None:
    assert clinics.stdin is not None
    try:
        clinics.stdin.write(msgspec.json.encode(what) + b"\n")
        clinics.stdin.flush()
    except BrokenPipeError as error:
        raise StoreError(ENDED) from error


def _end(clinics: subprocess.Popen[bytes]) -> None:
    if clinics.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            clinics.stdin.close()
    try:
        clinics.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        clinics.terminate()
        clinics.wait()
    if clinics.stdout is not None:
        clinics.stdout.close()
