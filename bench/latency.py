"""Time the way from the deciding visit to the signal, through the MLLP door of a running hub.

Four weeks of visits are sent and closed; then, on a day that is not over, visits come one by one. Timed is
from sending the visit because of which a signal appears to the signal being readable.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.results import keep
from broadstreet.app.process import HubProcess
from broadstreet.app.reach import read
from broadstreet.app.replay.satscan import Cases, _message
from broadstreet.app.replay.sending import Calendar
from broadstreet.app.settings import Mllp, Settings
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.workflows.surveillance import signals

ZONE = ZoneInfo("Asia/Seoul")
FIRST = date(2026, 1, 5)
DAYS, ROUNDS, MOST = 28, 5, 60
USUAL = (3, 2, 4, 3, 2, 3, 1)
LONGEST = 10.0


def main() -> None:
    waits = [wait for number in range(ROUNDS) if (wait := one(number)) is not None]
    figures = {
        "rounds": len(waits),
        "visit to signal, median: ms": round(statistics.median(waits) * 1e3),
        "visit to signal, longest: ms": round(max(waits) * 1e3),
    }
    for name, figure in figures.items():
        print(f"{name:<46} {figure}")
    print(f"kept in {keep('latency', figures)}")


def one(number: int) -> float | None:
    """Return the seconds from the deciding visit to the signal; None if none came."""
    with tempfile.TemporaryDirectory() as folder:
        start = datetime.combine(FIRST, datetime.min.time(), ZONE)
        settings = Settings(
            data=str(Path(folder) / "hub"), zone=str(ZONE), clock="driven", clock_start=start,
            log_level="warning", mllp=Mllp(port=0),
        )  # fmt: skip
        with (
            HubProcess(settings) as hub,
            read(settings) as store,
            BlockingMllpClient(*hub.address()) as client,
        ):
            calendar = Calendar(hub.control, start, ZONE)
            for day in range(DAYS):
                calendar.reach(FIRST + timedelta(days=day))
                for visit in range(USUAL[day % 7]):
                    client.send(_message("bench", f"{day:03d}{visit:03d}", _case(day), ZONE))
                calendar.close(FIRST + timedelta(days=day))
            for visit in range(MOST):
                began = time.perf_counter()
                client.send(_message("bench", f"{number}9{visit:03d}", _case(DAYS), ZONE))
                settled = time.perf_counter() + (LONGEST if visit > 3 * max(USUAL) else 1.0)
                while time.perf_counter() < settled:
                    if any(each.kind == "rise" for each in signals(store)):
                        return time.perf_counter() - began
                    time.sleep(0.002)
    return None


def _case(day: int) -> Cases:
    return Cases("04021", 1, FIRST + timedelta(days=day))


if __name__ == "__main__":
    main()
