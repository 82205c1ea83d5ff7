"""Who may say what a signal is, and how it gets into the log."""

from __future__ import annotations

from typing import Final

from broadstreet.app import requests
from broadstreet.app.core import Core
from broadstreet.model import records
from broadstreet.model.records import Signal
from broadstreet.trust.principals import Principal
from broadstreet.workflows.surveillance import Judge

CITY_WIDE: Final = frozenset({"epidemiologist", "investigator"})


def judged(core: Core, principal: Principal, request: requests.SignalJudge) -> Signal:
    """Give a signal its verdict; return it.

    Raises
    ------
    ValueError
        If there is no such signal, or the principal may not judge it: epidemiologists and investigators judge
        all, district officers those of their district.
    """
    entry = core.store.current(records.entry_type(Signal), request.id)
    signal = records.decode(entry.body) if entry is not None and entry.body else None
    if isinstance(signal, Signal) and not _may_judge(principal, signal):
        raise ValueError(
            f"{principal.name} may not judge {request.id}: that is for epidemiologists, investigators and the"
            " officer of its district"
        )
    work = Judge(request.id, request.finding, principal.name, request.reason)
    result: Signal = core.committer.commit(work)
    core.settle()
    return result


def _may_judge(principal: Principal, signal: Signal) -> bool:
    if principal.kind != "person":
        return False
    own = principal.district and signal.where.place == f"district:{principal.district}"
    return bool(principal.roles & CITY_WIDE or ("district-officer" in principal.roles and own))
