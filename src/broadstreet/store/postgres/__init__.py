"""The store on a PostgreSQL server, 14 or newer; needs the extra `broadstreet[postgres]`."""

from broadstreet.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
