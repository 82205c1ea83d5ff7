"""`signals`: see what stands out, and say what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.app.followers import districts_of
from broadstreet.app.hindsight import as_of, told_by
from broadstreet.app.lag import require_seen
from broadstreet.app.reach import read
from broadstreet.app.settings import Settings
from broadstreet.app.words import counted, place_in_words, stratum_in_words, stream_in_words
from broadstreet.cli.marked import visible
from broadstreet.cli.program import AsJson, Config, Data, Mistake, app, console, said, settings_of, show_table
from broadstreet.cli.signing_in import token_of
from broadstreet.model.records import Evidence, Signal
from broadstreet.workflows import surveillance

group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="signals", help="See what stands out, and say what it is.")

SHORT = 12
"""So much of an id's end is shown: enough to tell one from another."""

Id = Annotated[
    str, typer.Argument(help="Id of a signal, as `list` shows it; its end is enough.", show_default=False)
]
Reason = Annotated[
    str, typer.Option(help="Why; it is kept with your name.", callback=said, show_default=False)
]


@group.command("list")
def list_signals(
    config: Config = None,
    data: Data = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those over, dismissed and withdrawn as well.")
    ] = False,
    as_of_day: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DAY",
            help="What would have been seen once this day was over, with what had arrived by then.",
            show_default=False,
        ),
    ] = None,
    told: Annotated[
        bool, typer.Option("--told", help="With --as-of: what was told then, instead of testing anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the signals that are open, the newest first.

    One that is over and that nobody has judged is listed for a week after it was first known.
    """
    settings = settings_of(config, data)
    if told and as_of_day is None:
        raise Mistake("--told needs the day: --as-of YYYY-MM-DD")
    found, closed = _found(settings, _day(as_of_day), told)
    shown = [s for s in found if everything or surveillance.is_open(s, closed)]
    if as_json:
        console.print_json(json.dumps(msgspec.to_builtins(shown)))
        return
    if not shown:
        verb = "is" if len(found) == 1 else "are"
        more = f" {len(found)} {verb} over, dismissed or withdrawn: --all." if found else ""
        console.print(f"No signal is open.{more}", soft_wrap=True)
        return
    show_table(_table(shown, settings, closed))


@group.command()
def show(id: Id, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show one signal with every test that speaks for it; `broadstreet card` explains it."""
    settings = settings_of(config, data)
    signal = one_signal(settings, id)
    if as_json:
        console.print_json(json.dumps(msgspec.to_builtins(signal)))
        return
    names = _names(settings)
    for name, value in _lines(signal, names, ZoneInfo(settings.zone)):
        console.print(f"{name:<10} {visible(value)}", markup=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD)
    for heading in ("day", "what", "where", "who", "seen", "expected", "bound", "by chance", "method"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for each in signal.evidence:
        table.add_row(*(escape(visible(cell)) for cell in _cells(each, names)))
    show_table(table)


@group.command()
def verify(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """Say that a signal is real: it is an alert from now on."""
    _judge(settings_of(config, data), id, "verified", reason)


@group.command()
def dismiss(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """Say that a signal is a false alarm: the tests of its syndrome become stricter.

    Of a silent source: say that so little is usual from now on, because it has closed or sends less.
    """
    _judge(settings_of(config, data), id, "dismissed", reason)


@group.command()
def reopen(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """Take back what was said of a signal."""
    _judge(settings_of(config, data), id, None, reason)


def one_signal(settings: Settings, id: str) -> Signal:
    """Return the signal whose id ends so.

    Raises
    ------
    Mistake
        If there is none, or several.
    StoreError
        If the tables lag behind the log, and no hub runs.
    """
    with read(settings) as store:
        require_seen(settings, store)
        found = [signal for signal in surveillance.signals(store) if signal.id.endswith(id)]
    if len(found) != 1:
        came = "none" if not found else f"{len(found)} of them"
        raise Mistake(f"expected the id of one signal, got {id!r} ({came}); see `signals list --all`")
    return found[0]


def _found(settings: Settings, day: date | None, told: bool) -> tuple[list[Signal], date]:
    """Return the signals, and the last day that was over."""
    with read(settings) as store:
        require_seen(settings, store)
        if day is None:
            days = surveillance.closed_days(store)
            return surveillance.signals(store), days[1] if days else date.min
        return told_by(store, day) if told else as_of(store, settings, day), day


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Mistake(f"--as-of: expected a day such as 2026-03-02, got {text!r}") from None


def _judge(
    settings: Settings, id: str, finding: Literal["verified", "dismissed"] | None, reason: str
) -> None:
    signal = one_signal(settings, id)
    with reached(settings) as ask:
        ask(requests.SignalJudge(token=token_of(settings), id=signal.id, finding=finding, reason=reason))
    console.print(f"{signal.id[-SHORT:]} is {finding or 'open again'}.")


def _table(signals: Sequence[Signal], settings: Settings, closed: date) -> Table:
    names = _names(settings)
    table = Table(box=SIMPLE_HEAD)
    for heading in ("id", "state", "what", "where", "since", "until", "days", "seen", "expected", "tests"):
        table.add_column(heading, no_wrap=True, justify="right" if heading in _NUMBERS else "left")
    for s in sorted(signals, key=lambda each: (each.until, each.since), reverse=True):
        cells = (
            s.id[-SHORT:], _state(s, closed), _what(s), place_in_words(s.where.place, names), str(s.since),
            str(s.until), str(surveillance.days_told(s)), f"{s.observed:,}", f"{s.expected:.1f}",
            str(len(s.evidence)),
        )  # fmt: skip
        table.add_row(*(escape(visible(cell)) for cell in cells))
    return table


def _state(signal: Signal, closed: date) -> str:
    return "over, new" if surveillance.is_new(signal, closed) else signal.state


_NUMBERS = frozenset({"days", "seen", "expected", "bound", "by chance", "tests"})


def _what(signal: Signal) -> str:
    if signal.kind == "silence":
        return "silent source"
    who = stratum_in_words(signal.where.stratum)
    return stream_in_words(signal.where.stream) + (f", {who}" if who else "")


def _lines(signal: Signal, names: dict[str, str], zone: ZoneInfo) -> list[tuple[str, str]]:
    verdict, days = signal.verdict, surveillance.days_told(signal)
    said = (
        f"{verdict.finding} by {verdict.by} on {verdict.at.astimezone(zone):%Y-%m-%d %H:%M}: {verdict.reason}"
        if verdict
        else "nothing yet"
    )
    return [
        ("id", signal.id),
        ("what", _what(signal)),
        ("where", place_in_words(signal.where.place, names)),
        ("when", f"{signal.since} to {signal.until} ({signal.status})"),
        ("seen", f"{signal.observed:,} on {counted(days, 'day')} ({signal.expected:.1f} expected)"),
        ("officers", said),
        *([("known", f"since {signal.known}")] if signal.known else []),
        *([("joined", signal.joined)] if signal.joined else []),
    ]


def _cells(evidence: Evidence, names: dict[str, str]) -> tuple[str, ...]:
    day = f"{evidence.since} to {evidence.day}" if evidence.since else str(evidence.day)
    return (
        day, stream_in_words(evidence.where.stream), place_in_words(evidence.where.place, names),
        stratum_in_words(evidence.where.stratum), f"{evidence.observed:,}", f"{evidence.expected:.1f}",
        f"{evidence.upper:.1f}", "" if evidence.chance is None else f"{evidence.chance:.1g}", evidence.method,
    )  # fmt: skip


def _names(settings: Settings) -> dict[str, str]:
    """Return what districts and facilities are called, by code."""
    with read(settings) as store:
        facilities = surveillance.facilities(store)
    return facilities | districts_of(settings)
