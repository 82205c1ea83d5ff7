"""The screen of a demonstration while it runs."""

from __future__ import annotations

import time
from collections import deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from broadstreet.app.demo.conductor import DayDone, Plan
from broadstreet.app.status import Alarm, Status
from broadstreet.app.words import counted, in_words
from broadstreet.simulation.population.defaults import DISTRICTS

NAMES = {district.code: district.name for district in DISTRICTS}
BLOCKS = "▁▂▃▄▅▆▇█"
STALE_SECONDS = 1.0
NEWEST = 5
_RECENT = 20


class Board:
    """What is known of a demonstration so far; renders itself."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sent = self.accepted = 0
        self.sending = 0.0
        self.day: DayDone | None = None
        self.status: Status | None = None
        self._daily: list[int] = []
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)
        self._looked = 0.0

    def add(self, done: DayDone, status: Status | None) -> None:
        """Take in a day that is over, and a newer status where there is one."""
        self.day = done
        self.sent += done.report.sent
        self.accepted += done.report.accepted
        self.sending += done.seconds
        self._daily.append(done.report.sent)
        self._recent.append((done.report.sent, done.seconds))
        if status is not None:
            self.status, self._looked = status, time.monotonic()

    def is_stale(self) -> bool:
        """Say whether the status is old enough to ask for a new one."""
        return time.monotonic() - self._looked > STALE_SECONDS

    @property
    def rate(self) -> float:
        """Messages a second over the last days."""
        return sum(n for n, _ in self._recent) / max(sum(s for _, s in self._recent), 1e-9)

    def __rich__(self) -> RenderableType:
        done = len(self._daily)
        head = Table.grid(padding=(0, 2))
        head.add_row("day", f"{self.day.day if self.day else self.plan.start} ({done} of {self.plan.days})")
        head.add_row("messages", f"{self.sent:,} sent, {self.rate:,.0f} a second")
        if self.status is not None:
            held = self.status.quarantine["held"]
            head.add_row(
                "feeds",
                f"{counted(len(self.status.feeds), 'sender')}, {counted(held, 'message')} in quarantine",
            )
        head.add_row("a day", Text(sparkline(self._daily[-60:]), style="cyan"))
        return Panel(
            Group(head, ProgressBar(total=self.plan.days, completed=done), self._signals()),
            title="Broad Street", title_align="left",
        )  # fmt: skip

    def _signals(self) -> RenderableType:
        signals = [s for s in self.status.signals if s.status != "withdrawn"] if self.status else []
        newest = sorted(signals, key=lambda signal: signal.until, reverse=True)[:NEWEST]
        lines = [Text(f"▼ {_told(signal)}", style="red") for signal in newest]
        return Group(Text("newest signals" if lines else "no signal yet", style="bold"), *lines)


def _told(alarm: Alarm) -> str:
    return in_words(alarm, NAMES)


def plain_line(board: Board) -> str:
    """Return the state of a demonstration as one line."""
    day, status = board.day, board.status
    assert day is not None
    signals = [s for s in status.signals if s.status != "withdrawn"] if status else []
    held = status.quarantine["held"] if status else 0
    return (
        f"{day.day}  day {day.number + 1:>3} of {board.plan.days}  {board.sent:>7,} messages"
        f"  {board.rate:>6,.0f}/s  {held} in quarantine  {counted(len(signals), 'signal')}"
    )


def sparkline(values: list[int]) -> str:
    """Return values as a line of blocks, the highest as a full one."""
    top = max(values, default=0) or 1
    return "".join(BLOCKS[value * (len(BLOCKS) - 1) // top] for value in values)
