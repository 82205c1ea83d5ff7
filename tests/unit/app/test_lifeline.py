"""A process that ends with its hub, however busy it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.processes import is_running, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone sees to it")

BUSY = """
import os, signal
from broadstreet.app.lifeline import end_with
signal.signal(signal.SIGHUP, signal.SIG_IGN)
end_with(os.getppid())
print(os.getpid(), flush=True)
while True:
    pass
"""
HUB = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BUSY!r}])
"""


def test_a_process_that_is_busy_ends_with_a_hub_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", HUB], stdout=subprocess.PIPE) as hub:
        assert hub.stdout is not None
        busy = int(hub.stdout.readline())
        hub.kill()
        until(lambda: not is_running(busy))


def test_a_process_whose_hub_has_ended_before_it_began_ends() -> None:
    code = f"from broadstreet.app.lifeline import end_with; end_with({os.getpid()}); end_with(1)"
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
