"""The work of `demo`: hub and clinics run, what they do is shown, and the outcome is told."""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import ExitStack, nullcontext
from datetime import date
from pathlib import Path

from rich.live import Live

from broadstreet.app.demo.conductor import Conductor, Plan, conducted
from broadstreet.app.demo.outcome import Outcome, concluded
from broadstreet.app.demo.report import PictureMissing, write_report
from broadstreet.app.demo.story import Numbers, story_of, summary
from broadstreet.cli.live import Board, plain_line
from broadstreet.cli.program import Mistake, console

FIRST_DAY = date(2026, 1, 5)
CITY_ZONE = "Asia/Seoul"
SEEDS = 2**31
EVERY = 10
"""Without a screen one line tells of so many days."""


def show(seed: int | None, days: int, clinics: int, out: Path, keep: Path | None, headless: bool) -> None:
    """Let the city send, shown live or in lines, and tell what came out."""
    _made(out)
    with ExitStack() as stack:
        folder = (
            _empty(keep) if keep else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bs-")))
        )
        plan = Plan(
            seed=secrets.randbelow(SEEDS) if seed is None else seed,
            start=FIRST_DAY,
            days=days,
            clinics=clinics,
            zone=CITY_ZONE,
            folder=folder,
        )
        began = time.monotonic()
        conductor = stack.enter_context(conducted(plan))
        live = not headless and console.is_terminal
        sent, accepted, sending = _watched(conductor, live)
        conductor.settle()
        outcome = concluded(plan, conductor.hub.settings)
        seconds = time.monotonic() - began
        numbers = Numbers(sent, accepted, sent - accepted, sent / max(sending, 1e-9), seconds)
        _tell(plan, outcome, numbers, out)
    if keep:
        console.print(f"The store is kept: broadstreet status --data {keep}")


def _watched(conductor: Conductor, live: bool) -> tuple[int, int, float]:
    """Let the days pass, shown live or in lines; return messages sent, accepted, and seconds of sending."""
    plan = conductor.plan
    console.print(
        f"{plan.clinics} clinics send for {plan.days} days from {plan.start}; an outbreak is hidden in it."
    )
    board = Board(plan)
    with Live(board, console=console, refresh_per_second=4) if live else nullcontext():
        for done in conductor.days():
            due = (done.number + 1) % EVERY == 0 or done.number + 1 == plan.days
            board.add(done, conductor.hub.status() if due or board.is_stale() else None)
            if due and not live:
                console.print(plain_line(board))
    return board.sent, board.accepted, board.sending


def _tell(plan: Plan, outcome: Outcome, numbers: Numbers, out: Path) -> None:
    story = story_of(plan, outcome.verdict, numbers, outcome.names)
    console.print()
    for heading, rows in (("Injected", story.injected), ("Found", story.found), ("Run", story.run)):
        console.print(heading, style="bold")
        for name, value in rows:
            console.print(f"  {name + ':':<16} {value}", markup=False, soft_wrap=True)
    console.print("Other signals", style="bold")
    console.print(f"  {summary(outcome.verdict)}")
    console.print()
    console.print(story.lead, style="bold", soft_wrap=True)
    try:
        picture, page = write_report(out, story, outcome.panels, outcome.verdict)
    except PictureMissing as error:
        raise Mistake(str(error)) from error
    console.print(f"Picture: {picture}", soft_wrap=True)
    console.print(f"Page:    {page}", soft_wrap=True)


def _made(folder: Path) -> None:
    """Make the folder of the report before the minutes that it reports on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(
            f"expected a folder for the picture and the page, cannot make {folder} ({error.strerror}):"
            " name another with --out"
        ) from error


def _empty(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()):
        raise Mistake(f"expected an empty folder to keep the store in, {folder} holds something")
    return folder
