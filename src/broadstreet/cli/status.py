"""`status`: what arrived, from whom and how late, what is held, what was signalled."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.followers import districts_of
from broadstreet.app.reach import hub_of, read
from broadstreet.app.settings import Settings
from broadstreet.app.status import Feed, Status, status_of
from broadstreet.app.words import counted
from broadstreet.cli.marked import visible
from broadstreet.cli.program import AsJson, Config, Data, app, console, settings_of, show_table
from broadstreet.cli.told import tell_signals


@app.command()
def status(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show what arrived and what became of it, while the hub runs or not; no personal data."""
    settings = settings_of(config, data)
    found = gathered(settings)
    if as_json:
        console.print_json(json.dumps(msgspec.to_builtins(found)))
        return
    zone = ZoneInfo(found.zone)
    _show_hub(found, zone)
    _show_feeds(found, zone)
    _show_rest(found)
    tell_signals(found, settings.folder)


def gathered(settings: Settings) -> Status:
    """Return the status from the hub, or from the store where no hub runs."""
    client = hub_of(settings)
    if client is not None:
        with client:
            return msgspec.convert(client.ask(requests.Status()), Status)
    with read(settings) as store:
        return status_of(store, settings.zone, districts=districts_of(settings))


def _show_hub(found: Status, zone: ZoneInfo) -> None:
    hub = found.hub
    if hub is None:
        console.print("No hub runs on this store.")
    else:
        console.print(
            f"Hub: process {hub.pid}, HL7 v2 on {hub.host}:{hub.port},"
            f" {counted(hub.connections, 'connection')}, {hub.clock} clock at {_told(hub.now, zone)}."
        )
        for reason in hub.unready:
            console.print(f"Not ready: {reason}", style="bold red", markup=False, soft_wrap=True)
        if hub.monitoring:
            console.print(f"Metrics and health: http://{hub.monitoring}")
    newest = f", the newest of {_told(found.newest, zone)}" if found.newest else ""
    console.print(f"Log: {counted(found.head, 'entry', 'entries')}{newest}; {found.bytes / 1e6:,.1f} MB.")
    if found.day_closed:
        console.print(f"The last day closed is {found.day_closed} ({found.zone}).")


def _show_feeds(found: Status, zone: ZoneInfo) -> None:
    if not found.feeds:
        console.print("Nothing has arrived yet.")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("sender", no_wrap=True, max_width=36)
    for heading in ("messages", "accepted", "refused", "twice", "reused", "late"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len(heading))
    table.add_column("last", no_wrap=True, min_width=16)
    for feed in found.feeds:
        numbers = (feed.messages, feed.accepted, feed.refused, feed.duplicates, feed.reused)
        last = _told(feed.last_at, zone)[:16]
        table.add_row(escape(visible(feed.source)), *(f"{n:,}" for n in numbers), _late(feed), last)
    show_table(table)
    tolerated: dict[str, int] = {}
    for feed in found.feeds:
        for what, n in feed.tolerated.items():
            tolerated[what] = tolerated.get(what, 0) + n
    if tolerated:
        console.print(
            "Tolerated: " + "; ".join(f"{visible(what)} ({n:,})" for what, n in sorted(tolerated.items())),
            markup=False,
        )


def _show_rest(found: Status) -> None:
    counts = found.quarantine
    console.print(
        f"Quarantine: {counts['held']:,} held, {counts['released']:,} released,"
        f" {counts['discarded']:,} discarded."
    )
    if any(found.outbox.values()):
        states = (f"{n:,} {state}" for state, n in found.outbox.items() if n)
        console.print(f"Outbox: {', '.join(states)}.")
    behind = [f"{one.name} ({one.behind:,} behind)" for one in found.followers if one.behind]
    console.print(f"Followers: {'; '.join(behind) if behind else 'all have seen everything'}.")
    if found.unindexed:
        console.print(f"Search index: {counted(found.unindexed, 'entry', 'entries')} behind.")
    for one in found.followers:
        if one.fault:
            console.print(f"Follower {one.name} has stopped: {one.fault}", style="bold red", markup=False)


def _told(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _late(feed: Feed) -> str:
    late = feed.late_seconds
    if late is None:
        return ""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(late) >= seconds:
            return f"{late / seconds:.1f} {unit}"
    return f"{late:.1f} s"
