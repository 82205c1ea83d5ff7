"""Tell what a column holds by its name and its cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from broadstreet.app.reading.dates import looks_like_a_date
from broadstreet.app.reading.table import Table, is_missing, shown

_LOOKED_AT = 200
"""So many cells tell what a column holds."""
FLAGS = frozenset({"1", "y", "yes", "true", "t", "x", "ja", "si", "sí", "oui", "是", "有", "예"}) | frozenset(
    {"0", "n", "no", "false", "f", "nein", "non", "否", "无", "아니오", "아니요"}
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")


def listed(names: Sequence[str]) -> str:
    """Return names of columns for a sentence, the first dozen of many."""
    some = ", ".join(f'"{shown(name)}"' for name in names[:12])
    return some + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def named(pattern: str, names: Sequence[str]) -> str | None:
    """Return the first name that a pattern fits, whatever its case and its separators."""
    return next((name for name in names if re.fullmatch(pattern, plain(name))), None)


def plain(name: str) -> str:
    """Return a name in lower case, without accents, with underscores for what is no letter or digit."""
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", name)))
    return re.sub(r"\W+", "_", bare.lower()).strip("_")


def holds_dates(table: Table, name: str) -> bool:
    """Tell whether more than half of a column's cells are written like dates."""
    cells = some_of(table, name)
    return bool(cells) and sum(map(looks_like_a_date, cells)) > len(cells) / 2


def holds_numbers(table: Table, name: str) -> bool:
    """Tell whether more than half of a column's cells are numbers."""
    cells = some_of(table, name)
    return bool(cells) and sum(bool(_NUMBER.fullmatch(cell)) for cell in cells) > len(cells) / 2


def holds_flags(table: Table, name: str) -> bool:
    """Tell whether all cells of a column say yes or no."""
    cells = {cell.strip().lower() for cell in table.column(name) if not is_missing(cell)}
    return bool(cells) and cells <= FLAGS


def some_of(table: Table, name: str) -> list[str]:
    """Return the first cells of a column that are not missing."""
    at = table.names.index(name)
    cells = (row[at] for row in table.rows)
    return [cell for cell, _ in zip((c for c in cells if not is_missing(c)), range(_LOOKED_AT), strict=False)]
