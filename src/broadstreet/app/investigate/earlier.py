"""Tables that an earlier run left in the folder: they tell of another list, or of another moment."""

from __future__ import annotations

from pathlib import Path

from broadstreet.app.investigate.kinds import TABLES, wrote

_MOST_SIGNS = 1_000


def remove_earlier(folder: Path) -> list[str]:
    """Remove the tables of an earlier run, told by name and columns; return their names."""
    removed = []
    for name in TABLES:
        table = folder / f"{name}.csv"
        if table.is_file() and wrote(name, _names(table)):
            table.unlink()
            table.with_suffix(".parquet").unlink(missing_ok=True)
            removed.append(name)
    return removed


def _names(table: Path) -> list[str]:
    """Return the names of the columns, as an investigation writes them: without quotation marks."""
    with table.open(encoding="utf-8", errors="replace") as file:
        return file.readline(_MOST_SIGNS).rstrip("\n").split(",")
