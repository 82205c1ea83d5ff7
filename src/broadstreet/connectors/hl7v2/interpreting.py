"""What is to be done inside the commit with a message that was read, be it in this process or in another."""

from __future__ import annotations

import logging

from broadstreet.connectors.hl7v2.mapping.planning import Plan
from broadstreet.connectors.hl7v2.mapping.recorder import Directory
from broadstreet.connectors.hl7v2.mapping.work import carry_out
from broadstreet.connectors.hl7v2.problems import ErrorCode
from broadstreet.model.failures import traced
from broadstreet.model.records import Fault
from broadstreet.store.errors import StoreError
from broadstreet.store.inbox import Arrival, Refused
from broadstreet.store.transaction import Transaction

_log = logging.getLogger(__name__)


class Mapper:
    """Maps a message: carries out its plan.

    Parameters
    ----------
    plan
        What the message says.
    directory
        Of the process that commits; does not pass to another process, see `Door.adopt`.
    """

    __slots__ = ("directory", "plan")

    def __init__(self, plan: Plan, directory: Directory | None = None) -> None:
        self.plan, self.directory = plan, directory

    def __reduce__(self) -> tuple[type[Mapper], tuple[Plan]]:
        """Leave the directory behind."""
        return Mapper, (self.plan,)

    def __call__(self, tx: Transaction, arrival: Arrival, cause: int) -> None:
        """Put what the message is about; note what was tolerated.

        Raises
        ------
        Refused
            If it cannot be mapped.
        """
        assert self.directory is not None, "the message is of another process: let a door adopt it"
        try:
            recorder = carry_out(tx, arrival, cause, self.plan, self.directory)
        except (Refused, StoreError):
            raise
        except Exception as error:
            _log.error("entry %d could not be mapped: %s", cause, traced(error))
            reason = "the message could not be mapped: it is kept, and looked into"
            raise Refused("AE", (Fault(code=ErrorCode.INTERNAL.value, reason=reason),)) from error
        if isinstance(arrival.tolerated, dict):
            arrival.tolerated.update(recorder.tolerated)


class Refusal:
    """Refuses a message, so that it goes into quarantine."""

    __slots__ = ("faults", "verdict")

    def __init__(self, verdict: str, *faults: Fault) -> None:
        self.verdict, self.faults = verdict, faults

    def __reduce__(self) -> tuple[type[Refusal], tuple[str | Fault, ...]]:
        """Pass to another process as it was made."""
        return Refusal, (self.verdict, *self.faults)

    def __call__(self, tx: Transaction, arrival: Arrival, cause: int) -> None:  # noqa: ARG002
        """Raise `Refused`."""
        raise Refused(self.verdict, self.faults)
