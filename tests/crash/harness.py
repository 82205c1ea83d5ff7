"""Run a program, kill it with SIGKILL, and keep every whole line that it said before."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE, Popen
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
READY = "ready"


class Program:
    """A program in a process of its own, started as `python -m module arguments`.

    It says `ready` on a line of its own once it takes load. What it prints is an acknowledgement:
    each line is either there with its end or it was never said.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        self._ready = threading.Event()
        self._lines: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait for `ready`, or for the program's end."""
        if not self._ready.wait(timeout):
            raise TimeoutError("the program is not ready")

    def kill(self) -> list[str]:
        """Kill it with SIGKILL; return what it had said."""
        self._process.send_signal(signal.SIGKILL)
        return self._end()

    def finish(self, timeout: float = 120.0) -> list[str]:
        """Wait until it ends by itself, without an error; return what it had said."""
        status = self._process.wait(timeout)
        if status != 0:
            raise RuntimeError(f"the program ended with status {status}")
        return self._end()

    def _end(self) -> list[str]:
        self._process.wait()
        self._listener.join()
        return self._lines

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off by the kill: it was never said
            if line.decode().rstrip("\n") == READY:
                self._ready.set()
            else:
                self._lines.append(line.decode().rstrip("\n"))
        self._ready.set()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._end()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def acknowledged(lines: Sequence[str]) -> dict[str, int]:
    """Return what lines of `key seq` acknowledge."""
    pairs = (line.split() for line in lines)
    return {key: int(seq) for key, seq in pairs}
