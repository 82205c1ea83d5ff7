from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
from pathlib import Path

import pytest

TARGET = Path(__file__).with_name("fuzz_hl7v2.py")
SEEDS = (
    b"MSH|^~\\&|EHR|CLINIC|HUB|CITY|20261120||ADT^A04^ADT_A01|7|P|2.5.1||||||UNICODE UTF-8\r"
    b'PID|1||42^^^A&1.2&ISO^MR~77||DOE^JO^""||19800101|F\rPV1|1|E|ED^1^2\rNTE|1||a\\.br\\b\\X41\\\\T\\\r',
    b"MSH!*%$@!A!B!C!D!20261120!!ORU*R01!7!P!2.3!!!!!!KS X 1001\rOBX!1!NM!1**L!!5$C2D41$x\r",
    b"\x0bMSH|a\x1c\r\x0bMSH|b\x0bMSH|c\x1c\x1c\r",
    b"20261120103015.25+0900",
    b"MSH|^~\\&|A\rMSA|AE|7|no\rERR||PID^1^7|102^x|E|||d|t\r",
)


def fuzz(corpus: Path, *options: str) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris cannot be imported (it is for Linux only)")
    for kind in range(6):
        for n, seed in enumerate(SEEDS):
            (corpus / f"{kind}-{n}").write_bytes(bytes([kind]) + seed)
    # What a process used at most is handed on to what it starts: the limit is 1 GiB more than this one's.
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 + 1024
    command = [
        sys.executable,
        str(TARGET),
        str(corpus),
        "-timeout=10",
        f"-rss_limit_mb={limit}",
        "-max_len=2000",
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, cwd=corpus, check=False)


def test_twenty_thousand_mutations_find_no_crash(tmp_path: Path) -> None:
    result = fuzz(tmp_path, "-runs=20000", "-seed=1854")
    assert result.returncode == 0, result.stderr[-5_000:]
    assert "Done 20000" in result.stderr


@pytest.mark.soak
@pytest.mark.timeout(1_200)
def test_ten_minutes_of_mutations_find_no_crash(tmp_path: Path) -> None:
    result = fuzz(tmp_path, "-max_total_time=600")
    assert result.returncode == 0, result.stderr[-5_000:]
