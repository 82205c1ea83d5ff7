"""`send` (or `replay`): messages in files go through the real door."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.progress import Progress

from broadstreet.app import requests
from broadstreet.app.control import ControlClient
from broadstreet.app.process import HubProcess
from broadstreet.app.reach import hub_of, is_fresh
from broadstreet.app.replay import files, satscan
from broadstreet.app.replay.parcel import NothingToSend, Parcel
from broadstreet.app.replay.sending import Calendar, Tally, first_day, send_all
from broadstreet.app.settings import PLACES, Settings
from broadstreet.app.status import Status
from broadstreet.cli.marked import visible
from broadstreet.cli.program import REFUSED, Config, Data, Mistake, app, console, settings_of
from broadstreet.cli.told import tell_signals
from broadstreet.connectors.hl7v2.client import BlockingMllpClient, Unanswered

MOST_REASONS = 20


@app.command("replay", hidden=True)
@app.command()
def send(
    path: Annotated[
        Path,
        typer.Argument(
            help="HL7 v2 messages (a .hl7 or .txt file, or a folder of them), or a folder with SaTScan's"
            " *.cas and *.geo files.",
            show_default=False,
        ),
    ],
    config: Config = None,
    data: Data = None,
    host: Annotated[
        str | None, typer.Option(help="Send to the MLLP door at this address instead.", show_default=False)
    ] = None,
    port: Annotated[int | None, typer.Option(help="Its port.", show_default=False)] = None,
    zone: Annotated[
        str | None, typer.Option(help="The city's time zone (setting: zone).", show_default=False)
    ] = None,
) -> None:
    """Send messages from files through the MLLP door (also: replay).

    A hub that runs on the data folder is used. Otherwise one is started for the occasion: its clock
    follows the messages, so that months pass in seconds, and each day is tested as it ends.
    """
    if not path.exists():
        raise Mistake(f"expected a file or folder with messages, found nothing at {path}")
    settings = settings_of(config, data, zone=zone)
    with ExitStack() as stack:
        door = stack.enter_context(_door(settings, path, data is not None, host, port))
        tally = _sent(door)
        _tell_tally(tally, door.kind)
        if door.control is not None:
            door.control.ask(requests.Settle())
            tell_signals(_status(door.control), settings.folder)
    raise typer.Exit(REFUSED if tally.refused else 0)


class _Door(msgspec.Struct):
    host: str
    port: int
    zone: ZoneInfo
    parcels: Sequence[Parcel]
    kind: str
    control: ControlClient | None = None
    calendar: Calendar | None = None


@contextmanager
def _door(settings: Settings, path: Path, named: bool, host: str | None, port: int | None) -> Iterator[_Door]:
    """Yield the door to send to: the one that is named, the running hub's, or that of a hub made for it."""
    if host or port:
        zone = ZoneInfo(settings.zone)
        target = (host or settings.mllp.host, port or settings.mllp.port)
        yield _Door(*target, zone, *_parcels(path, zone))
        return
    control = hub_of(settings)
    if control is not None:
        with control:
            console.print("Sending to the hub that runs on this data folder.")
            yield _with_control(control, path)
        return
    with ExitStack() as stack:
        folder = settings.folder if named else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = msgspec.structs.replace(settings, data=str(folder.absolute()))
        fresh = is_fresh(own)
        _require_driven(settings, fresh)
        parcels, _ = _parcels(path, ZoneInfo(settings.zone))
        own = _driven(own, parcels, fresh)
        kept = str(folder) if named else "a temporary folder"
        console.print(f"No hub runs here: starting one in {kept}; its clock follows the messages.")
        hub = stack.enter_context(_hub_made(own, path))
        yield _with_control(hub.control, path)


def _require_driven(settings: Settings, fresh: bool) -> None:
    """Refuse to drive the clock of a hub that keeps the time of the world."""
    if not fresh and settings.clock != "driven":
        raise Mistake(
            f"expected a running hub: start it with `broadstreet serve --data {settings.folder}`,"
            " or name a new folder for a hub whose clock follows the messages"
        )


@contextmanager
def _hub_made(own: Settings, path: Path) -> Iterator[HubProcess]:
    """Yield a hub that knows the places of what is sent; if it does not start, they are not left behind."""
    with ExitStack() as stack, ExitStack() as undone:
        if _tell_places(own.folder, path):
            undone.callback((own.folder / PLACES).unlink, missing_ok=True)
        hub = stack.enter_context(HubProcess(own))
        undone.pop_all()
        yield hub


def _with_control(control: ControlClient, path: Path) -> _Door:
    status = _status(control)
    hub = status.hub
    assert hub is not None
    zone = ZoneInfo(status.zone)
    calendar = Calendar(control, hub.now, zone) if hub.clock == "driven" else None
    return _Door(hub.host, hub.port, zone, *_parcels(path, zone), control, calendar)


def _parcels(path: Path, zone: ZoneInfo) -> tuple[list[Parcel], str]:
    try:
        if satscan.is_satscan(path):
            return satscan.parcels(path, zone), "visits"
        return files.parcels(path, zone), "messages"
    except NothingToSend as error:
        raise Mistake(str(error)) from error


def _driven(settings: Settings, parcels: Sequence[Parcel], fresh: bool) -> Settings:
    """Return the settings of a hub for what is sent; one that was there goes on as it was."""
    began = None if fresh else settings.clock_start
    return msgspec.structs.replace(
        settings,
        clock="driven",
        clock_start=began or _start(parcels, ZoneInfo(settings.zone)),
        socket="" if fresh else settings.socket,
        mllp=msgspec.structs.replace(settings.mllp, port=0),
    )


def _start(parcels: Sequence[Parcel], zone: ZoneInfo) -> datetime:
    day = first_day(parcels)
    return datetime.combine(day, time(), zone) if day else datetime(2000, 1, 1, tzinfo=UTC)


def _tell_places(folder: Path, path: Path) -> bool:
    """Let the hub know the coordinates of what is sent, where its files tell them and nothing else has;
    return whether that was done."""
    table = satscan.places(path) if satscan.is_satscan(path) else ""
    file = folder / PLACES
    if not table or file.exists():
        return False
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    file.write_text(table, encoding="utf-8")
    return True


def _sent(door: _Door) -> Tally:
    with BlockingMllpClient(door.host, door.port) as client, Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"{len(door.parcels):,} {door.kind}", total=len(door.parcels))
        try:
            return send_all(
                door.parcels, client, door.calendar, lambda tally: bar.update(task, completed=tally.sent)
            )
        except Unanswered as error:
            raise Mistake(f"{error}; what was acknowledged is kept, the rest can be sent again") from error


def _tell_tally(tally: Tally, kind: str) -> None:
    console.print(f"{tally.sent:,} {kind} sent: {tally.accepted:,} accepted, {tally.refused:,} refused.")
    reasons = Counter((refusal.code, refusal.reason) for refusal in tally.refusals)
    example = {(refusal.code, refusal.reason): refusal.origin for refusal in reversed(tally.refusals)}
    for (code, reason), n in reasons.most_common(MOST_REASONS):
        told = f"{reason} (first: {example[code, reason]})"
        console.print(f"  {n:,} x {code}: {visible(told)}", markup=False, soft_wrap=True)
    if len(reasons) > MOST_REASONS:
        console.print(f"  and {len(reasons) - MOST_REASONS:,} further reasons; see `quarantine list`")


def _status(control: ControlClient) -> Status:
    return msgspec.convert(control.ask(requests.Status()), Status)
