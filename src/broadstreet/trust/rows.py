"""The tables of trust, read once: tab-separated files in the folder `tables`, which people can read and
change."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files


def rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `tables/<name>.tsv` by their column names; lines that begin with `#` are remarks."""
    text = (files("broadstreet.trust") / "tables" / f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    yield from csv.DictReader(lines, dialect="excel-tab", quoting=csv.QUOTE_NONE)
