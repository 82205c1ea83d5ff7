"""The store on one SQLite file."""

from broadstreet.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
