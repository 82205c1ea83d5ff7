"""The clinics of a demonstration, each a process of its own that sends through the MLLP door.

`python -m broadstreet.app.demo.clinics` reads its orders from the first line of standard input, builds the
city, and from the second line where the hub is; then it forks one process a clinic: what they share is made
once. Each following line is a day that all clinics may send; once all have, one line says what became of it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from broadstreet.app.demo.orders import Address, Orders, Report
from broadstreet.connectors.hl7v2.client import BlockingMllpClient, Unanswered, send_side_by_side
from broadstreet.simulation import Exercise, Timed

CHANNELS = 16
"""Connections of a clinic, each with one message in flight. An interface engine has fewer, and a day's time:
here a day passes in a third of a second."""


@dataclass(frozen=True)
class _Clinic:
    """A clinic's process, as its parent sees it."""

    process: int
    orders: BinaryIO
    reports: BinaryIO

    def release(self, day: int) -> None:
        self.orders.write(b"%d\n" % day)
        self.orders.flush()

    def report(self) -> Report:
        line = self.reports.readline()
        return msgspec.json.decode(line, type=Report) if line else Report(fault="a clinic's process died")


def main() -> None:
    """Fork the clinics; let them send day by day until standard input ends."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    _step_back()
    orders = msgspec.json.decode(line, type=Orders)
    exercise = _made(orders)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    hub = msgspec.json.decode(line, type=Address)
    gc.collect()
    gc.freeze()
    clinics: list[_Clinic] = []
    for number in range(orders.clinics):
        clinics.append(_forked(exercise, hub, number, clinics))
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(_day(clinics, int(line))) + b"\n")
        sys.stdout.buffer.flush()
    for clinic in clinics:
        clinic.orders.close()
    for clinic in clinics:
        os.waitpid(clinic.process, 0)


def _step_back() -> None:
    """Let no clinic interrupt the hub as soon as it has an answer: in life each has a machine of its own."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _made(orders: Orders) -> Exercise:
    """Build the city and let its epidemic run, so that no clinic has to."""
    exercise = Exercise(orders.seed, orders.start, orders.days, orders.clinics, orders.zone)
    first = exercise.clinic(0)
    exercise.desks.attendance.on(0, first.facility.place)  # compiled before the fork
    return exercise


def _day(clinics: Sequence[_Clinic], day: int) -> Report:
    for clinic in clinics:
        clinic.release(day)
    total = Report()
    for clinic in clinics:
        total.add(clinic.report())
    return total


def _forked(exercise: Exercise, hub: Address, number: int, others: Sequence[_Clinic]) -> _Clinic:
    order_end, orders_in = os.pipe()
    reports_out, report_end = os.pipe()
    process = os.fork()
    if process:
        os.close(order_end)
        os.close(report_end)
        return _Clinic(process, os.fdopen(orders_in, "wb"), os.fdopen(reports_out, "rb"))
    code = 1
    try:
        for descriptor in (orders_in, reports_out):
            os.close(descriptor)
        for other in others:  # else a clinic would hold its neighbours' pipes open
            other.orders.close()
            other.reports.close()
        with os.fdopen(order_end, "rb") as days, os.fdopen(report_end, "wb") as reports:
            _run(exercise, hub, number, days, reports)
        code = 0
    except KeyboardInterrupt:
        code = 0
    finally:
        os._exit(code)


def _run(exercise: Exercise, hub: Address, number: int, days: BinaryIO, reports: BinaryIO) -> None:
    clinic = exercise.clinic(number)
    ready = _by_channel(clinic.messages(0))
    with ExitStack() as stack:
        clients = [stack.enter_context(BlockingMllpClient(hub.host, hub.port)) for _ in range(CHANNELS)]
        for line in days:
            reports.write(msgspec.json.encode(_sent(clients, ready)) + b"\n")
            reports.flush()
            following = int(line) + 1
            if following < exercise.days:  # written while the other clinics still send
                ready = _by_channel(clinic.messages(following))


def _by_channel(messages: Sequence[Timed]) -> list[list[bytes]]:
    """Deal messages out to the channels, equally; those of one patient always to the same, in their order."""
    patients: dict[bytes, list[int]] = {}
    for at, (_, message) in enumerate(messages):
        patients.setdefault(_patient(message), []).append(at)
    channels: list[list[int]] = [[] for _ in range(CHANNELS)]
    for of_one in sorted(patients.values(), key=len, reverse=True):
        min(channels, key=len).extend(of_one)
    return [[messages[at].message for at in sorted(channel)] for channel in channels]


def _patient(message: bytes) -> bytes:
    """Return the record number of a patient; a second record, which is later merged, ends with B."""
    identifiers = message[message.index(b"\rPID|") :].split(b"|", 4)[3]
    return identifiers.split(b"^", 1)[0].rstrip(b"B")


def _sent(clients: Sequence[BlockingMllpClient], messages: Sequence[Sequence[bytes]]) -> Report:
    report = Report()
    try:
        for answer in send_side_by_side(clients, messages):
            report.sent += 1
            report.accepted += answer.accepted
            report.refused += not answer.accepted
    except Unanswered as error:
        report.fault = str(error)
    return report


if __name__ == "__main__":
    main()
