from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["acknowledge", "message", "mllp", "writer"])
def test_the_examples_of_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"broadstreet.connectors.hl7v2.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
