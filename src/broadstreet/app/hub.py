"""The hub: the committer, the doors, the clock and the control socket; followers and index run beside it."""

from __future__ import annotations

import asyncio
import errno
import faulthandler
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from broadstreet.app.binding import require_trust
from broadstreet.app.chores import keep_indexing, keep_time
from broadstreet.app.collector import spare_the_collector
from broadstreet.app.control import ControlServer
from broadstreet.app.core import Core
from broadstreet.app.desk import Desk
from broadstreet.app.doors import door_of, tls_of
from broadstreet.app.indexing import IndexProcess
from broadstreet.app.logs import tell_failure
from broadstreet.app.monitoring.endpoint import Endpoint
from broadstreet.app.monitoring.health import readiness_of
from broadstreet.app.monitoring.metrics import HubMetrics
from broadstreet.app.monitoring.pages import Pages
from broadstreet.app.receiving.beside import DoorBeside
from broadstreet.app.settings import Mllp, Settings
from broadstreet.app.status import Running
from broadstreet.app.stores import place_of
from broadstreet.connectors.hl7v2.server import listening
from broadstreet.model import fhir
from broadstreet.store.protocol import StoreError

LONGEST_FINISH = 15.0
"""In seconds; a full disk or a rebuild must not keep a hub from stopping, and nothing is lost by it."""
FOLLOWERS_BEGIN_WITHIN = 10.0
"""In seconds; so long a hub that starts waits for its followers, which it looks for so often:"""
FOLLOWERS_LOOKED_FOR = 0.01
PORT_FREE_WITHIN = 3.0
"""In seconds; so long a port that is taken is tried again."""
OFTEN = (b"Patient", b"Organization", b"Practitioner", b"Location")
"""What messages become, where its type alone makes one."""

_log = logging.getLogger(__name__)


def run(
    settings: Settings, ready: Callable[[str, int], None] = lambda *_: None, *, attached: bool = False
) -> Ended:
    """Run a hub until it is told to stop (SIGTERM or SIGINT); return what it left.

    Parameters
    ----------
    settings
        What the deployment decides.
    ready
        Called with host and port once the door is open.
    attached
        Stop as well when standard input ends: whoever started this hub has died.

    Raises
    ------
    StoreError, OSError
        If the store cannot be opened, or an address not be listened on.
    ValueError
        If trust must be configured before it is.
    """
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    return uvloop.run(Hub(settings, attached=attached).run(ready))


@dataclass(frozen=True)
class Ended:
    """How a hub ended: entries in the log, those since its start, and how far followers lag."""

    head: int
    added: int
    behind: int


class Hub:
    """Opens the store, lets everything run, and closes it in order."""

    def __init__(self, settings: Settings, *, attached: bool = False) -> None:
        self._settings, self._attached = settings, attached
        self._stop = asyncio.Event()
        self._listening = False

    async def run(self, ready: Callable[[str, int], None]) -> Ended:
        """Run until SIGTERM, SIGINT or `stop`; return what is left."""
        _make_private(self._settings.folder)
        require_trust(self._settings)
        tls_of(self._settings.mllp)  # said now, where whoever starts a hub reads it
        core = Core(self._settings, beside=True)
        began = core.committer.head
        try:
            await self._open(core, ready)
        finally:
            await asyncio.to_thread(_finish, core)
        head = core.committer.head
        behind = head - min((cursor.seq for cursor in core.followers.positions().values()), default=head)
        return Ended(head, head - began, behind)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stop.set()

    async def _open(self, core: Core, ready: Callable[[str, int], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(tell_failure)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        if self._attached:
            loop.add_reader(sys.stdin.fileno(), self.stop)
        mllp = self._settings.mllp
        door = door_of(self._settings, core.committer, core.store.indexer, core.clock)
        beside = DoorBeside(core, door, await _listening(mllp))
        pages = Pages(core, HubMetrics(core, beside.told), lambda: self._listening and beside.running)
        endpoint = _endpoint_of(self._settings, pages)
        running = _Told(core, beside, mllp.host, endpoint, lambda: self._listening and beside.running)
        control = ControlServer(self._settings.socket_path, Desk(core, door, running).answer)
        try:
            await beside.start()
            core.start()
            if core.store.index_is_beside:
                core.indexing = IndexProcess(place_of(self._settings))
            _warm_up(core)
            await beside.ready(self._stop)
            await self._let_followers_begin(core)
            if endpoint is not None:
                await _watch(endpoint, self._settings.monitoring.listen)
            await control.start()
            keeping = asyncio.gather(keep_time(core), keep_indexing(core))
            spare_the_collector()
            self._listening = True
            ready(mllp.host, beside.port)
            await self._stop.wait()
            self._listening = False
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await beside.stop()
        finally:
            self._listening = False
            if core.indexing is not None:
                await asyncio.to_thread(core.indexing.stop)
            await control.stop()
            await beside.stop(0.0)
            if endpoint is not None:
                await endpoint.stop()

    async def _let_followers_begin(self, core: Core) -> None:
        """Wait until followers follow, lest the first senders share the processors with what they load.

        Not for long: where they cannot begin the hub takes messages nevertheless, and its status tells.
        """
        ends = time.monotonic() + FOLLOWERS_BEGIN_WITHIN
        while not (core.followers.ready or self._stop.is_set() or time.monotonic() > ends):
            await asyncio.sleep(FOLLOWERS_LOOKED_FOR)


class _Told:
    """Tells what only the running hub knows."""

    def __init__(
        self,
        core: Core,
        door: DoorBeside,
        host: str,
        endpoint: Endpoint | None,
        listening: Callable[[], bool],
    ) -> None:
        self._core, self._door, self._host = core, door, host
        self._endpoint, self._listening = endpoint, listening
        self._started = core.clock.now()

    def __call__(self) -> Running:
        return Running(
            pid=os.getpid(),
            started=self._started,
            host=self._host,
            port=self._door.port,
            clock=self._core.settings.clock,
            now=self._core.clock.now(),
            connections=self._door.told().connections,
            waiting=self._core.committer.waiting,
            unready=readiness_of(self._core, listening=self._listening()).reasons,
            monitoring=self._endpoint.address if self._endpoint else "",
        )


def _warm_up(core: Core) -> None:
    """Make ready what is made at its first use, before the first message has to wait for it."""
    fhir.decode(b'{"resourceType":"Basic","code":{"text":"warm"}}')
    for name in OFTEN:
        core.store.indexer.rows(fhir.decode(b'{"resourceType":"%s"}' % name))


def _finish(core: Core) -> None:
    """Let the followers see what was acknowledged, then close the store."""
    try:
        core.settle(LONGEST_FINISH)
    except StoreError as error:
        _log.warning("%s; they go on with the next start", error)
    core.close()


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"expected a folder for the store, cannot make {folder} ({error.strerror}):"
            " name another with --data"
        ) from error


def _endpoint_of(settings: Settings, pages: Pages) -> Endpoint | None:
    address = settings.monitoring.address
    return Endpoint(*address, pages.by_path()) if address else None


async def _watch(endpoint: Endpoint, listen: str) -> None:
    try:
        await endpoint.start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StoreError(
            f"monitoring.listen: cannot listen on {listen} ({reason}): stop what listens there, or choose"
            " another port (0 takes any free one)"
        ) from error


async def _listening(mllp: Mllp) -> socket.socket:
    """Listen; of a hub that was killed, the process that receives may hold the port for an instant."""
    deadline = time.monotonic() + PORT_FREE_WITHIN
    while True:
        try:
            return listening(mllp.host, mllp.port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
                continue
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise StoreError(
                f"cannot listen on {mllp.host}, port {mllp.port} ({reason}): stop what listens there,"
                " or choose another port with --port (0 takes any free one)"
            ) from error
