"""A hub as a process of its own, for replays and demonstrations."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from broadstreet.app import requests
from broadstreet.app.control import ControlClient, ControlError, NoHub
from broadstreet.app.load import FILE
from broadstreet.app.settings import PREFIX, Settings
from broadstreet.app.status import Status
from broadstreet.app.toml import as_toml
from broadstreet.store.protocol import StoreError

LOG = "hub.log"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.02
_ENDED_WITHIN = 1.0
"""In seconds; so long a hub may take to end that has hung up."""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class HubProcess:
    """A hub that runs while this object is entered.

    Once it has the store, its settings lie as `broadstreet.toml` in its data folder, so that every command
    finds them there later; a file that lies there already stays as it is. What it logs lies beside as
    `hub.log`. It is given nothing else. If this process dies, the hub stops: its standard input ends.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.config = settings.folder / FILE
        self._process: subprocess.Popen[bytes] | None = None
        self._control: ControlClient | None = None

    @property
    def control(self) -> ControlClient:
        """The connection to its control socket."""
        assert self._control is not None, "the hub is not entered"
        return self._control

    def status(self) -> Status:
        """Return what it says about itself."""
        return msgspec.convert(self.control.ask(requests.Status()), Status)

    def address(self) -> tuple[str, int]:
        """Return host and port of its MLLP door."""
        hub = self.status().hub
        assert hub is not None
        return hub.host, hub.port

    def __enter__(self) -> Self:
        self.settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = as_toml(msgspec.to_builtins(self.settings))
        with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as given:
            given.write(text)
            given.flush()
            self._process = self._started(given.name)
            try:
                self._control = self._connected(time.monotonic() + START_SECONDS)
                self._keep(text)
            except BaseException:
                self._end()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.control.close()
        ended = self._ended() if isinstance(error, ControlError) else None
        self._end()
        if ended is not None:  # its log may go with its folder
            raise StoreError(f"the hub ended in the middle ({ended}): {self._last_words()}") from error

    def _started(self, config: str) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        command = [sys.executable, "-P", "-m", "broadstreet.cli", "serve", "--attached", "--config", config]
        with open(self.settings.folder / LOG, "ab", opener=_private) as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def _keep(self, text: str) -> None:
        """Let later commands find the settings; whatever lies there was written by somebody else."""
        with suppress(FileExistsError), self.config.open("x", encoding="utf-8") as file:
            file.write(text)

    def _connected(self, deadline: float) -> ControlClient:
        process = self._process
        assert process is not None
        while True:
            control = self._reached(process.pid)
            if control is not None:
                return control
            if process.poll() is not None or time.monotonic() > deadline:
                raise StoreError(f"the hub did not start: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _reached(self, pid: int) -> ControlClient | None:
        """Return a connection to the hub; None as long as nobody listens, or another hub does."""
        try:
            control = ControlClient(self.settings.socket_path)
        except NoHub:
            return None
        with suppress(ControlError):
            hub = msgspec.convert(control.ask(requests.Status()), Status).hub
            if hub is not None and hub.pid == pid:
                return control
        control.close()
        return None

    def _last_words(self) -> str:
        log = self.settings.folder / LOG
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it logged nothing"

    def _ended(self) -> int | None:
        """Return the code that it ended with; None if it still runs."""
        assert self._process is not None
        try:
            return self._process.wait(_ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            return None

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
