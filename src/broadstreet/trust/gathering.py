"""Accesses of requests that are answered at the same time become durable together.

Whoever comes first leads: they wait until those before are durable, then commit their own access with those
of all who came meanwhile. So 64 connections leave their accesses in one work, and wait one commit longer at
most.
"""

from __future__ import annotations

import threading

from broadstreet.model.records import Access
from broadstreet.store.committer import Committer
from broadstreet.trust.access import Leave


class _Together:
    """Accesses that are committed at once, and what came of it."""

    __slots__ = ("accesses", "done", "error")

    def __init__(self) -> None:
        self.accesses: list[Access] = []
        self.done = threading.Event()
        self.error: BaseException | None = None


class Gathered:
    """Makes accesses durable; called from any thread."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._lock = threading.Lock()
        self._next = _Together()
        self._before = _Together()
        self._before.done.set()

    def __call__(self, access: Access) -> None:
        """Return once the access is durable.

        Raises
        ------
        StoreError
            If it cannot be made so; nothing may be answered then.
        """
        with self._lock:
            together = self._next
            together.accesses.append(access)
            leads = len(together.accesses) == 1
        if leads:
            self._commit(together)
        else:
            together.done.wait()
        if together.error is not None:
            raise together.error

    def _commit(self, together: _Together) -> None:
        self._before.done.wait()
        with self._lock:
            self._next, self._before = _Together(), together
        try:
            self._committer.commit(Leave(*together.accesses))
        except BaseException as error:
            together.error = error
            raise
        finally:
            together.done.set()
