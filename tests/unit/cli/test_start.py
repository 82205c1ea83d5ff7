"""How a command starts: at once, with nothing loaded that it does not need."""

from __future__ import annotations

import subprocess
import sys

from broadstreet.app.detect import methods
from broadstreet.app.evaluate import contest
from broadstreet.cli import detect_options, evaluate

HEAVY = ("numba", "scipy", "matplotlib", "pyarrow")


def test_the_help_of_every_command_loads_no_heavy_library() -> None:
    asked = f"import sys, broadstreet.cli; print([name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_help_names_the_methods_that_there_are() -> None:
    assert tuple(methods.METHODS) == detect_options.METHODS
    assert tuple(contest.METHODS) == evaluate.METHODS
