"""Keep a result beside the machine that it was measured on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from bench.machine import describe_machine

FOLDER = Path(__file__).parent / "results"


def keep(name: str, figures: dict[str, Any], folder: Path | None = None) -> Path:
    """Write `figures` and the machine to `bench/results/<name>.json`; return the file.

    `folder` is where the measured data lay: its disk's fdatasync time is part of the machine.
    """
    record = {
        "name": name,
        "measured": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(folder),
        "figures": figures,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    return path


def kept(name: str) -> dict[str, Any]:
    """Return the figures that are kept under a name; none if there are none."""
    path = FOLDER / f"{name}.json"
    figures: dict[str, Any] = msgspec.json.decode(path.read_bytes())["figures"] if path.exists() else {}
    return figures
