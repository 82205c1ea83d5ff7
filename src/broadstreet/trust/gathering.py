"""Accesses of requests that are answered at the same time become durable together.

Whoever leaves an access while others are being committed is committed with all who came meanwhile. Whoever
knows that more are about to come holds it for them. So 64 connections leave their accesses in few works: most
of what a commit costs does not depend on how much is in it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from broadstreet.model.records import Access
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import StoreError
from broadstreet.trust.access import Leave


class Together:
    """What several have left that is committed at once, and the errors of those whose was not kept."""

    __slots__ = ("done", "errors", "held", "parts")

    def __init__(self) -> None:
        self.held = True
        """Whether all of them hold for others who are about to come."""
        self.parts: list[Sequence[Access]] = []
        self.errors: dict[int, BaseException] = {}
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # who waits may go: it is kept all the same


@dataclass(frozen=True)
class Left:
    """What one has left: its number among those that are committed together."""

    together: Together
    number: int

    def require_durable(self) -> None:
        """Raise the error if it was not kept; to be asked once `together.done`."""
        error = self.together.errors.get(self.number)
        if error is not None:
            raise error


class Gathered:
    """Makes accesses durable; called from any thread."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._lock = threading.Lock()
        self._next = Together()
        self._at_work: Together | None = None

    def __call__(self, access: Access) -> None:
        """Return once the access is durable.

        Raises
        ------
        StoreError
            If it cannot be made so; nothing may be answered then.
        """
        left = self.leave([access])
        left.together.done.result()
        left.require_durable()

    def leave(self, accesses: Sequence[Access], *, hold: bool = False) -> Left:
        """Leave accesses, without waiting until they are durable.

        Parameters
        ----------
        accesses
            What one leaves.
        hold
            Others are about to come: the commit begins with one who does not hold, with `begin` or `release`.
        """
        with self._lock:
            together, number = self._next, len(self._next.parts)
            together.parts.append(accesses)
            together.held &= hold
        self._begin()
        return Left(together, number)

    def begin(self, together: Together) -> None:
        """Hold no longer for others."""
        with self._lock:
            together.held = False
        self._begin()

    def release(self) -> None:
        """Hold what was left no longer: nobody else is about to come."""
        if self._next.parts:
            self.begin(self._next)

    def finish(self) -> None:
        """Wait until all that was left is durable, or cannot be made so."""
        self.release()
        while (together := self._at_work) is not None:
            together.done.result()

    def _begin(self) -> None:
        """Commit what was left, unless a commit is on its way or all of it is held."""
        with self._lock:
            together = self._next
            if self._at_work is not None or together.held or not together.parts:
                return
            self._at_work, self._next = together, Together()
        self._commit(together)

    def _commit(self, together: Together) -> None:
        accesses = [access for part in together.parts for access in part]
        committed = self._submitted(accesses)
        committed.add_done_callback(lambda done: self._ended(together, done.exception()))

    def _submitted(self, accesses: Sequence[Access]) -> Future[object]:
        try:
            return self._committer.submit(Leave(*accesses))
        except StoreError as error:  # it is closed
            refused: Future[object] = Future()
            refused.set_exception(error)
            return refused

    def _ended(self, together: Together, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, StoreError) and len(together.parts) > 1:
            self._commit_each(together)  # one of them is at fault: the others must not pay for it
            return
        if error is not None:
            # One for each: what somebody else was doing when it was raised is nobody's business.
            together.errors = {number: copy.copy(error) for number in range(len(together.parts))}
        self._go_on(together)

    def _commit_each(self, together: Together) -> None:
        left = set(range(len(together.parts)))

        def ended(number: int, done: Future[object]) -> None:
            error = done.exception()
            with self._lock:
                if error is not None:
                    together.errors[number] = error
                left.discard(number)
                is_last = not left
            if is_last:
                self._go_on(together)

        for number, part in enumerate(together.parts):
            self._submitted(part).add_done_callback(lambda done, number=number: ended(number, done))  # type: ignore[misc]

    def _go_on(self, together: Together) -> None:
        """Commit what has come meanwhile, and wake who waited."""
        with self._lock:
            self._at_work = None
        self._begin()
        together.done.set_result(None)
