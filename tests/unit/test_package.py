from __future__ import annotations

import re

import broadstreet


def test_the_package_states_its_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", broadstreet.__version__)
