"""Where a store on PostgreSQL is: a server, a database, and a schema in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from broadstreet.store.protocol import StoreError

SCHEMA = "broadstreet"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Address:
    """A store's address, such as `postgresql://hub@db.example/city?schema=broadstreet`.

    Attributes
    ----------
    server
        What libpq connects to, without the schema.
    schema
        The schema that holds all tables of the store, and nothing else.
    """

    server: str
    schema: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises
        ------
        StoreError
            If the schema has a name that would have to be quoted.
        """
        url = urlsplit(text)
        query = parse_qsl(url.query, keep_blank_values=True)
        schema = dict(query).get("schema", SCHEMA)
        if not _SCHEMA.fullmatch(schema):
            raise StoreError(
                f"schema={schema}: expected lower-case letters, digits and _, at most 63, such as {SCHEMA}"
            )
        rest = urlencode([(name, value) for name, value in query if name != "schema"])
        return cls(urlunsplit(url._replace(query=rest)), schema)

    @property
    def name(self) -> str:
        """How messages call the store: its schema and database, without user, host and password."""
        return f"{self.schema} in {urlsplit(self.server).path.lstrip('/') or 'the default database'}"

    @property
    def channel(self) -> str:
        """The channel on which each commit is told."""
        return f"broadstreet_{self.schema}"
