"""`movements` and `investigation`: ask to see where residents were, and decide about it."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from broadstreet.app import requests
from broadstreet.app.errands import reached
from broadstreet.app.settings import Settings
from broadstreet.app.words import counted
from broadstreet.cli.program import AsJson, Config, Data, app, console, settings_of, show_table
from broadstreet.cli.signing_in import token_of

group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="movements", help="Ask to see where residents were, and decide about it.")
investigations = typer.Typer(no_args_is_help=True)
app.add_typer(investigations, name="investigation", help="Open, close and list investigations.")

Id = Annotated[
    str, typer.Argument(help="Id of a request, as `list` shows it; its end is enough.", show_default=False)
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with your name.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Those that are over as well.")]


@investigations.command("open")
def open_investigation(
    title: Annotated[str, typer.Argument(help="What it is about.", show_default=False)],
    cases: Annotated[
        list[str] | None, typer.Option("--case", help="Id of a resident; again for more.", show_default=False)
    ] = None,
    signals: Annotated[
        list[str] | None, typer.Option("--signal", help="Id of a signal; again for more.", show_default=False)
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Open an investigation, as an investigator: its cases may be read for it from now on."""
    settings = settings_of(config, data)
    asked = requests.InvestigationOpen(
        token=token_of(settings), title=title, cases=cases or [], signals=signals or []
    )
    with reached(settings) as ask:
        opened = ask(asked)
    console.print(f"Opened the investigation {opened['id']}.", markup=False)


@investigations.command("close")
def close_investigation(
    id: Annotated[str, typer.Argument(help="Id of the investigation; its end is enough.")],
    finding: Annotated[str, typer.Option(help="What it turned out to be.", show_default=False)],
    config: Config = None,
    data: Data = None,
) -> None:
    """Close an investigation: nobody is read for it any more, and what was approved for it is over."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        closed = ask(requests.InvestigationClose(token=token_of(settings), id=id, finding=finding))
    console.print(f"Closed the investigation {closed['id']}.", markup=False)


@investigations.command("list")
def list_investigations(
    config: Config = None, data: Data = None, everything: All = False, as_json: AsJson = False
) -> None:
    """List the open investigations, the newest first."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        asked = requests.InvestigationList(token=token_of(settings), everything=everything)
        found = ask(asked)["investigations"]
    if as_json:
        console.print_json(json.dumps(found))
        return
    if not found:
        console.print("No investigation is open.")
        return
    table = Table("id", "title", "state", "cases", "lead", "opened", box=SIMPLE_HEAD)
    for one in found:
        opened = str(one["opened"])[:10]
        table.add_row(
            one["id"], escape(one["title"]), one["status"], str(one["cases"]), escape(one["lead"]), opened
        )
    show_table(table)


@group.command("request")
def request_movements(
    investigation: Annotated[
        str, typer.Option(help="Id of an open investigation; its end is enough.", show_default=False)
    ],
    resident: Annotated[
        list[str], typer.Option(help="Id of a resident's Patient; again for more.", show_default=False)
    ],
    basis: Annotated[
        str,
        typer.Option(
            help="By which right, such as `Infectious Disease Control Act, article 76-2`.", show_default=False
        ),
    ],
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.", show_default=False)
    ],
    last: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, at most 60 in all.", show_default=False),
    ],
    until: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Last day on which they may be looked at, within 90.",
            show_default=False,
        ),
    ],
    config: Config = None,
    data: Data = None,
) -> None:
    """Ask to see where residents were on some days, for an investigation; another person decides."""
    settings = settings_of(config, data)
    asked = requests.MovementsAsk(
        token=token_of(settings),
        investigation=investigation,
        residents=resident,
        basis=basis,
        start=_begin(settings, first.date()),
        end=_begin(settings, last.date() + timedelta(days=1)),
        expires=_begin(settings, until.date() + timedelta(days=1)),
    )
    with reached(settings) as ask:
        made = ask(asked)
    console.print(
        f"Asked for {made['id']}: a privacy officer decides (`broadstreet movements approve` or `refuse`).",
        markup=False,
        soft_wrap=True,
    )


@group.command("list")
def list_requests(
    config: Config = None, data: Data = None, everything: All = False, as_json: AsJson = False
) -> None:
    """List the requests that wait for a decision or are good, the newest first."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        asked = requests.MovementsList(token=token_of(settings), everything=everything)
        found = ask(asked)["requests"]
    if as_json:
        console.print_json(json.dumps(found))
        return
    if not found:
        console.print("No request waits for a decision, and none is good.")
        return
    table = Table("id", "state", "investigation", "residents", "days", "until", "asked by", box=SIMPLE_HEAD)
    for one in found:
        table.add_row(
            one["id"],
            one["state"],
            escape(one["title"]),
            str(one["residents"]),
            _days(settings, one),
            str(_last_day(settings, one["expires"])),
            escape(one["asked_by"]),
        )
    show_table(table)


@group.command()
def show(id: Id, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show a request with its residents; that is a reading, and leaves its trace."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        found = ask(requests.MovementsShow(token=token_of(settings), id=id))
    if as_json:
        console.print_json(json.dumps(found))
        return
    one = found["request"]
    lines = {
        "request": one["id"],
        "state": one["state"],
        "for": f"{one['title']} ({one['investigation']})",
        "basis": one["basis"],
        "days": _days(settings, one),
        "until": str(_last_day(settings, one["expires"])),
        "asked by": one["asked_by"],
        "decided by": one["decided_by"] or "nobody yet",
        "reason": one["reason"],
        "residents": ", ".join(found["residents"]),
    }
    for name, value in lines.items():
        if value:
            console.print(f"{name:<11} {value}", markup=False, soft_wrap=True)


@group.command()
def approve(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """Approve a request, as a privacy officer who did not ask; a notice is made for each resident."""
    _decide(settings_of(config, data), id, "approved", reason)


@group.command()
def refuse(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """Refuse a request, as a privacy officer who did not ask."""
    _decide(settings_of(config, data), id, "refused", reason)


@group.command()
def withdraw(id: Id, reason: Reason, config: Config = None, data: Data = None) -> None:
    """End a request before its time, as who asked or as a privacy officer."""
    settings = settings_of(config, data)
    with reached(settings) as ask:
        ended = ask(requests.MovementsWithdraw(token=token_of(settings), id=id, reason=reason))
    console.print(f"Withdrew {ended['id']}: nothing is shown for it any more.", markup=False)


def _decide(settings: Settings, id: str, status: Literal["approved", "refused"], reason: str) -> None:
    with reached(settings) as ask:
        token = token_of(settings)
        decided = ask(requests.MovementsDecide(token=token, id=id, status=status, reason=reason))
    if status == "refused":
        console.print(f"Refused {decided['id']}.", markup=False)
        return
    notices = counted(decided["notices"], "notice")
    console.print(
        f"Approved {decided['id']}; {notices} made, for the residents to be told.",
        markup=False,
        soft_wrap=True,
    )


def _begin(settings: Settings, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.zone))


def _last_day(settings: Settings, end: str) -> date:
    """Return the last day before an end that is not included."""
    moment = datetime.fromisoformat(end.replace("Z", "+00:00")).astimezone(ZoneInfo(settings.zone))
    return (moment - timedelta(microseconds=1)).date()


def _days(settings: Settings, one: dict[str, Any]) -> str:
    first = datetime.fromisoformat(one["start"].replace("Z", "+00:00")).astimezone(ZoneInfo(settings.zone))
    return f"{first.date()} to {_last_day(settings, one['end'])}"
