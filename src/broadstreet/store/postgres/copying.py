"""Rows into tables by COPY, in binary: about twice the rate of an INSERT from arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from broadstreet.store.postgres.connection import Connection


def copy_in(
    connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Send rows to a table; `columns` are its columns with PostgreSQL's names of their types."""
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN (FORMAT BINARY)') as copy,
    ):
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
