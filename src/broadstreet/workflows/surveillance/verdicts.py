"""A signal with the verdict that stands: the tests never take an officer's word away."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from broadstreet.model import records
from broadstreet.model.records import Signal, Verdict
from broadstreet.workflows.surveillance.dismissals import Dismissed
from broadstreet.workflows.surveillance.tables import Held


def signal_of(held: Held) -> Signal:
    """Return the newest version of a signal, with the verdict that stands."""
    return _judged(held.body, held.verdict)


def dismissed_of(held: Held) -> Dismissed | None:
    """Return what an officer saw of a signal and dismissed; None where that is not the verdict."""
    return _dismissed(held.judged or held.body) if held.finding == "dismissed" else None


@lru_cache(maxsize=4_096)
def _dismissed(body: bytes) -> Dismissed:
    signal = records.decode(body)
    assert isinstance(signal, Signal)
    return Dismissed(signal.evidence)


@lru_cache(maxsize=4_096)
def _judged(body: bytes, verdict: str) -> Signal:
    signal = records.decode(body)
    assert isinstance(signal, Signal)
    said = msgspec.json.decode(verdict, type=Verdict) if verdict else None
    return signal if signal.verdict == said else msgspec.structs.replace(signal, verdict=said)
