"""Processes that a test waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def until(true: Callable[[], object]) -> None:
    """Wait until something is so; at most half a minute."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "not within 30 seconds"
        time.sleep(0.01)


def is_running(process: int) -> bool:
    """Say whether a process lives; one that nobody has buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def child_of(parent: int, module: str) -> int:
    """Return the process that a process has run a module; 0 if there is none at the moment."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ends meanwhile
            if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return 0
