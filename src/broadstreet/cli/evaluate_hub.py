"""What `evaluate hub` does: the signals of a hub's own history, with what officers said of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from broadstreet.app.evaluate.own import Account, accounts
from broadstreet.app.lag import require_seen
from broadstreet.app.reach import read
from broadstreet.app.settings import Settings
from broadstreet.app.words import counted
from broadstreet.cli.program import console, show_table

_HEADINGS = ("signals", "a month", "verified", "dismissed", "not judged", "days until told")


def show(settings: Settings, *, as_json: bool) -> None:
    """Show the signals told then beside those of today's settings."""
    with read(settings) as store:
        require_seen(settings, store)
        first, last, found = accounts(store, settings)
    if as_json:
        console.print_json(json.dumps([_plain(each) for each in found]))
        return
    console.print(f"Rises from {first} to {last}, without those that corrections took back.")
    show_table(_table(found))
    console.print(_of_verified(found[-1]), soft_wrap=True)


def _table(found: Sequence[Account]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for each in found:
        told = "-" if each.days_to_tell is None else f"{each.days_to_tell:g}"
        numbers = (len(each.told), f"{each.a_month:.1f}", *map(each.of, ("verified", "dismissed", "")), told)
        table.add_row(each.way, *map(str, numbers))
    return table


def _of_verified(now: Account) -> str:
    if not now.verified:
        return "No signal is verified yet: `broadstreet signals verify` and `dismiss` say what signals were."
    found = f"{len(now.leads)} of {counted(now.verified, 'verified signal')} found by the settings of today"
    if now.lead is None:
        return f"{found}."
    days = counted(abs(round(now.lead)), "day")
    return f"{found}, in the median {days} {'later' if now.lead < 0 else 'earlier'} than then."


def _plain(account: Account) -> dict[str, Any]:
    return {
        "way": account.way, "signals": len(account.told), "a_month": account.a_month,
        "verified": account.of("verified"), "dismissed": account.of("dismissed"),
        "not_judged": account.of(""), "days_until_told": account.days_to_tell,
        "verified_in_all": account.verified, "verified_found": len(account.leads), "lead_days": account.lead,
    }  # fmt: skip
