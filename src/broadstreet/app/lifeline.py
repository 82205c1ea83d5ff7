"""What ties the life of a process to that of the hub that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""Source: prctl(2), Linux."""


def end_with(hub: int) -> None:
    """Let the kernel kill this process when its hub ends, however busy it is then.

    Elsewhere than on Linux a process sees only by its line that the hub has gone. The kernel goes by the
    thread that started the process: it must live as long as the process is to.

    Parameters
    ----------
    hub
        The process that started this one. It may have ended already, which no signal tells.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != hub:
        os.kill(os.getpid(), signal.SIGKILL)
