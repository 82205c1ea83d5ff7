"""Share work among threads: compiled code that lets go of Python's lock, on parts with fixed places."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_MOST = 64
_count = min(_MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def threads() -> int:
    """Return how many threads the city uses."""
    return _count


def use_threads(count: int) -> None:
    """Use so many threads from now on; results are the same for any number.

    Raises
    ------
    ValueError
        If it is not from 1 to 64.
    """
    global _count  # noqa: PLW0603
    if not 1 <= count <= _MOST:
        raise ValueError(f"count must be from 1 to {_MOST} (it is {count})")
    _count = count


def share(parts: int, work: Callable[[int], None]) -> None:
    """Do `work` for each part from 0; errors come through."""
    if parts <= 1 or _count == 1:
        for part in range(parts):
            work(part)
        return
    with ThreadPoolExecutor(min(_count, parts)) as pool:
        for _ in pool.map(work, range(parts)):
            pass
