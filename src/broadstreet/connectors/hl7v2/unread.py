"""Messages that are not to be read, since reading them ended a process: kept and answered all the same."""

from __future__ import annotations

from broadstreet.connectors.hl7v2.interpreting import Refusal
from broadstreet.connectors.hl7v2.problems import ErrorCode, Problem
from broadstreet.model.records import Fault
from broadstreet.store.inbox import Arrival, Receive

UNREAD = "(unread)"
"""The kind of such a message in quarantine: MSH-9 is not known."""

REASON = "reading this message ended the hub's process twice: it is kept unread, do not send it again"
PROBLEM = Problem(REASON, ErrorCode.OTHER_HL7_ERROR)


def unread(arrival: Arrival) -> Receive:
    """Return the work of keeping in quarantine a message of which it is known only where it came from."""
    return Receive(arrival, Refusal("AE", Fault(code=PROBLEM.code.value, reason=REASON)), weight=2)
