"""The process that runs the followers: `python -m broadstreet.app.following HUB LINE`.

HUB is the id of the hub's process, LINE an open socket. The hub starts it, and it ends with the hub.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any

from broadstreet.app import logs
from broadstreet.app.collector import spare_the_collector
from broadstreet.app.followers import followers_of, rule_of
from broadstreet.app.following.line import Answer, Asked, Done, Order, Wait
from broadstreet.app.lifeline import end_with
from broadstreet.app.settings import Settings
from broadstreet.app.stores import place_of
from broadstreet.model import fhir
from broadstreet.model.syndromes import classify
from broadstreet.store.advance import Advance
from broadstreet.store.followers import Followers
from broadstreet.store.protocol import StoreError
from broadstreet.workflows.surveillance.rule import warm

LONGEST_WAIT = 0.5
"""In seconds; so soon an order reaches a process that waits, should nobody nudge it."""
NICENESS = 10
"""Doors and committer go before: they have someone waiting. Only to get ready is as urgent."""


class _Hub:
    """The hub's committer, as the process sees it."""

    closed = False

    def __init__(self, line: Connection, head: int) -> None:
        self._line, self.head = line, head
        self._followers: Followers | None = None

    def tell_of(self, followers: Followers) -> None:
        """Tell the hub how these are, and let them do what it orders."""
        self._followers = followers

    def commit(self, work: Advance) -> None:
        """Return once a work is durable."""
        self._ask(work)

    def wait(self, beyond: int, timeout: float | None = None) -> int:
        """Wait until the log is beyond a seq, the hub wants something, or time is up; return the head."""
        assert self._followers is not None
        waits = LONGEST_WAIT if timeout is None else timeout
        answer = self._ask(Wait(beyond, waits, self._followers.positions(), self._followers.faults))
        for order in answer.orders:
            outcome = _outcome(order, self._followers)
            self._ask(Done(order.number, outcome, self._followers.faults))
            if order.what == "end":
                sys.exit()
        return self.head

    def nudge(self) -> None:
        """Nobody waits on another thread of this process."""

    def _ask(self, asked: Asked) -> Answer:
        try:
            self._line.send(asked)
            answer: Answer = self._line.recv()
        except (EOFError, OSError):
            sys.exit()
        self.head = answer.head
        if self._followers is not None:
            self._followers.waited_for = answer.waited_for
        if answer.error is not None:
            raise answer.error
        return answer


def run(line: Connection) -> None:
    """Run the followers of the store that the hub names, until it orders an end or has gone.

    Raises
    ------
    StoreError
        If the store cannot be opened.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the hub, which sees to an end in order
        signal.signal(number, signal.SIG_IGN)
    settings: Settings = line.recv()
    logs.begin(settings.log_level, settings.log_form)
    with closing(place_of(settings)()) as store:
        hub = _Hub(line, store.head())
        followers = Followers(store, hub, followers_of(settings), store.cursors())
        hub.tell_of(followers)
        _warm_up(settings)
        spare_the_collector()
        os.nice(NICENESS)
        followers.run()


def _warm_up(settings: Settings) -> None:
    """Make ready what is made at its first use before the first visit has to wait for it: about a second."""
    fhir.decode(b'{"resourceType":"Basic","code":{"text":"warm"}}')
    classify("warm")
    warm(rule_of(settings))


def _outcome(order: Order, followers: Followers) -> Any:
    try:
        match order.what:
            case "resume":
                return followers.resume(order.name)
            case "promote":
                return followers.promote(order.name)
            case "end":
                return None
    except StoreError as error:  # handed to whoever ordered it
        return error


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    try:
        run(Connection(int(sys.argv[2])))
    except EOFError:  # the hub has gone before it said anything
        sys.exit()
    except StoreError as error:  # the hub starts it again
        sys.exit(str(error))
