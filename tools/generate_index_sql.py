"""Write the migrations of the search index, for each back end, from the table of its kinds.

Usage: python tools/generate_index_sql.py
"""

from __future__ import annotations

from pathlib import Path

from broadstreet.store.postgres import ddl as postgres
from broadstreet.store.sqlite import ddl as sqlite

STORE = Path(__file__).resolve().parents[1] / "src/broadstreet/store"


def main() -> None:
    """Write the files."""
    for name, ddl in (("postgres", postgres), ("sqlite", sqlite)):
        path = STORE / name / "migrations/0002_index.sql"
        path.write_text(ddl.index_tables(), encoding="utf-8")


if __name__ == "__main__":
    main()
