"""Write tables in parts, as CSV or Parquet by the ending of the file's name."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.city.whole import whole_file

Columns = Mapping[str, NDArray[Any]]
ENDINGS = (".csv", ".parquet")
_ROW_GROUP = 1 << 20
# Times and numbers of people rise from row to row, so that their differences are small; the bytes of places
# that are alike are beside each other in a split stream. Source: Parquet format, Encodings.md.
_RISING, _SPLIT = "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"


class LibraryMissing(Exception):
    """A file of this kind needs a library that is not installed."""


class _Writer(Protocol):
    def write(self, columns: Columns) -> None: ...
    def close(self) -> None: ...


def write_table(path: Path, parts: Iterable[Columns]) -> int:
    """Write the parts of a table one below the other as one whole file; return the number of rows.

    The next part is made while the last is written, so that what streams needs the memory of two parts.

    Parameters
    ----------
    path
        Where to; its name ends in `.csv` or `.parquet`.
    parts
        Columns of equal length by name, the same names and types in all parts; at least one part.

    Raises
    ------
    ValueError
        If the name has another ending.
    LibraryMissing
        For `.parquet`, if pyarrow is not installed.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"a table's file ends in {' or '.join(ENDINGS)} (it is {path.name})")
    writer_of = _ParquetWriter if path.suffix == ".parquet" else _CsvWriter
    rows = 0
    with ExitStack() as stack:
        part = stack.enter_context(whole_file(path))
        writer: _Writer = writer_of(part)
        stack.callback(writer.close)
        pool = stack.enter_context(ThreadPoolExecutor(1))
        pending: Future[None] | None = None
        for columns in parts:
            rows += len(next(iter(columns.values())))
            if pending is not None:
                pending.result()
            pending = pool.submit(writer.write, columns)
        if pending is not None:
            pending.result()
        writer.close()
    return rows


class _CsvWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._headed = False

    def write(self, columns: Columns) -> None:
        if not self._headed:
            self._rows.writerow(columns)
            self._headed = True
        self._rows.writerows(zip(*(_cells(column) for column in columns.values()), strict=True))

    def close(self) -> None:
        self._file.close()


def _cells(column: NDArray[Any]) -> Iterable[Any]:
    if column.dtype.kind != "M":
        return column.tolist()  # type: ignore[no-any-return]
    text = np.datetime_as_string(column)
    return np.where(np.isnat(column), "", text).tolist()  # type: ignore[no-any-return]


class _ParquetWriter:
    def __init__(self, path: Path) -> None:
        self._arrow, self._parquet = _pyarrow()
        self._path = path
        self._writer: Any = None
        self._file = path.open("wb")

    def write(self, columns: Columns) -> None:
        table = self._arrow.table({name: self._array(column) for name, column in columns.items()})
        if self._writer is None:
            encodings = {
                name: _RISING if column.dtype.kind in "Mui" else _SPLIT
                for name, column in columns.items()
                if column.dtype.kind in "Muif" and column.dtype.itemsize >= 4
            }
            texts = [name for name, column in columns.items() if column.dtype.kind == "O"]
            self._writer = self._parquet.ParquetWriter(
                self._file, table.schema, compression="zstd", compression_level=1,
                use_dictionary=texts or False, column_encoding=encodings,
            )  # fmt: skip
        self._writer.write_table(table, row_group_size=_ROW_GROUP)

    def _array(self, column: NDArray[Any]) -> Any:
        if column.dtype == np.dtype("datetime64[D]"):
            return self._arrow.array(column, self._arrow.date32())
        if column.dtype.kind == "M":
            return self._arrow.array(column.astype("datetime64[s]"))
        if column.dtype.kind == "O":
            return self._arrow.array(column, self._arrow.string())
        return self._arrow.array(column)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._file.close()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415 - an optional, heavy library
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise LibraryMissing(
            "Parquet needs pyarrow: install it with `pip install 'broadstreet[parquet]'`, or write .csv"
        ) from error
    return pyarrow, parquet


def in_parts(columns: Columns, rows: int = 200_000) -> Iterator[Columns]:
    """Yield a table in parts of so many rows; one empty part if it has none."""
    total = len(next(iter(columns.values())))
    for first in range(0, max(total, 1), rows):
        yield {name: column[first : first + rows] for name, column in columns.items()}
