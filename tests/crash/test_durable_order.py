"""A killed process does not lose what it gave to the system; only the order of its calls shows durability."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.harness import ROOT

COMMITS = 200
CALL = re.compile(r"(?P<name>\w+)\((?P<fd>\d+)<(?P<file>[^>]*)>(?P<rest>.*)")


def traced(log: Path) -> Iterator[tuple[str, str, str]]:
    """Give `(call, file, text)` of each call in the order in which they returned, successful or not."""
    begun: dict[str, str] = {}
    for line in log.read_text(errors="replace").splitlines():
        pid, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[pid] = text.removesuffix("<unfinished ...>")
            continue
        if text.startswith("<... "):
            text = begun.pop(pid, "") + text.partition("resumed>")[2]
        if found := CALL.match(text):
            yield found["name"], found["file"], found["rest"]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "trace"
    strace = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o", str(log)]
    program = [sys.executable, "-m", "tests.crash.writer", str(tmp_path / "log.db"), str(COMMITS)]
    result = subprocess.run([*strace, *program], cwd=ROOT, capture_output=True, text=True, check=False)
    if "PTRACE" in result.stderr:
        pytest.skip("strace may not trace here")
    assert result.returncode == 0, result.stderr
    return log


def test_an_acknowledgement_is_written_only_after_the_disk_has_the_wal(trace: Path) -> None:
    acknowledged, written, synced = 0, False, False
    for call, file, text in traced(trace):
        if file.endswith("log.db-wal"):
            if call == "pwrite64":
                written, synced = True, False
            elif text.endswith("= 0"):  # fsync or fdatasync
                synced = True
        elif call == "write" and '"one-' in text:
            assert written, f"nothing was written before acknowledgement {acknowledged}"
            assert synced, f"acknowledgement {acknowledged} was written before the disk had its entry"
            acknowledged, written, synced = acknowledged + 1, False, False
    assert acknowledged == COMMITS
