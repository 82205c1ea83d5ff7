"""Put a card together for somebody: what is counted, and the visits that they may see."""

from __future__ import annotations

from typing import Any

import msgspec

from broadstreet.app.core import Core
from broadstreet.app.followers import surveillance_of
from broadstreet.model import records
from broadstreet.model.records import Signal
from broadstreet.trust.reading import Forbidden, PurposeReader, Shown
from broadstreet.workflows.surveillance import facilities, signals
from broadstreet.workflows.surveillance.card import Card, Making, Visit, card_of
from broadstreet.workflows.surveillance.card.dates import when
from broadstreet.workflows.surveillance.card.focus import through

MOST_VISITS = 200


def card_for(core: Core, reader: PurposeReader, id: str) -> Card:
    """Return the card of a signal with the visits that its reader may see; an access is left behind.

    Raises
    ------
    ValueError
        If there is no such signal, or the reader may not see signals.
    """
    signal = next((each for each in signals(core.store) if each.id == id), None)
    if signal is None or reader.record("Signal", id) is None:
        raise ValueError(
            f"expected the id of a signal that you may see, got {id!r}; see `signals list --all`"
        )
    counts, tests = surveillance_of(core.settings)
    versions = core.store.history(records.entry_type(Signal), id)
    card = card_of(Making(counts, tests, core.store), signal, versions)
    lag = _lag(core, max(version.seq for version in versions))
    visits, note = _visits(core, reader, signal)
    note += lag if visits else ""
    return msgspec.structs.replace(card, visits=visits, visits_note=note)


def _lag(core: Core, seq: int) -> str:
    """Return what the search index has still to see of what was there when the signal was told."""
    reached = core.store.searchable()
    if reached >= seq:
        return ""
    return (
        f" The search index stands at entry {reached:,} and the signal at {seq:,}: visits may be missing here"
        " until it has come so far."
    )


def _visits(core: Core, reader: PurposeReader, signal: Signal) -> tuple[tuple[Visit, ...] | None, str]:
    if signal.kind == "silence":
        return (), "A silent source has no visits to show."
    try:
        shown = reader.evidence(signal.id, MOST_VISITS)
    except Forbidden as error:
        return None, f"Not shown: {error}."
    counted = len({id for each in signal.evidence for id in each.visits})
    ends = signal.since, signal.until
    names = facilities(core.store)
    visits = sorted((_visit(each, names) for each in shown), key=lambda each: (each.day, each.seq))
    note = (
        f"{len(visits)} of the {counted} visits that all its tests name, {when(through(*ends))}, each visit"
        " once; as your role may see them. That you looked is in the log. An entry's number leads to it; ids"
        " may be pseudonyms."
    )
    return tuple(visits), note


def _visit(shown: Shown, names: dict[str, str]) -> Visit:
    body: dict[str, Any] = msgspec.json.decode(shown.body)
    source = str(body.get("serviceProvider", {}).get("reference", "")).removeprefix("Organization/")
    codings = (coding for reason in body.get("reasonCode", ()) for coding in reason.get("coding", ()))
    codes = sorted({str(coding.get("code", "")) for coding in codings})
    day = str(body.get("period", {}).get("start", ""))[:16].replace("T", " ")
    return Visit(seq=shown.seq, id=shown.id, day=day, source=names.get(source, source), codes=" ".join(codes))
