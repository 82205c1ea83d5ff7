"""One short demonstration, run once for all tests that look at what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from broadstreet.cli import app

SEED = 1_598_642_371
DAYS, CLINICS = 30, 4


@dataclass(frozen=True)
class DemoRun:
    """What was printed, and where the store, the picture and the page are."""

    output: str
    exit_code: int
    store: Path
    picture: Path
    page: Path


def run_demo(folder: Path) -> DemoRun:
    arguments = ["demo", "--headless", "--seed", SEED, "--days", DAYS, "--clinics", CLINICS]
    arguments += ["--out", folder / "out", "--keep", folder / "hub"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    out = folder / "out"
    return DemoRun(
        result.output, result.exit_code, folder / "hub", out / "outbreak.png", out / "outbreak.html"
    )
