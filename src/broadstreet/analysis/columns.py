"""Columns of the tables that come in: mappings of arrays, or what offers the Arrow PyCapsule interface."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Protocol

import nanoarrow
import numpy as np
from numpy.typing import NDArray


class ArrowTable(Protocol):
    """What pandas, Polars, DuckDB, PyArrow and others offer."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Table = Mapping[str, Any] | ArrowTable
Column = NDArray[Any]

_MOST_ROWS = 10_000_000


def read(table: Table, name: str, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Column]:
    """Return the named columns of a table; those that are optional where they are there."""
    required = tuple(required)
    wanted = (*required, *optional)
    columns = _columns(table, name, wanted)
    missing = [column for column in required if column not in columns]
    if missing:
        raise ValueError(
            f"{name} needs the column(s) {', '.join(missing)}; it has {', '.join(columns) or 'none of them'}"
        )
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of {name} must be equally long (are {lengths})")
    if max(lengths.values(), default=0) > _MOST_ROWS:
        raise ValueError(
            f"{name} has more than {_MOST_ROWS:,} rows; add up rows of the same place and time first"
        )
    return columns


def _columns(table: Table, name: str, wanted: tuple[str, ...]) -> dict[str, Column]:
    if isinstance(table, Mapping):
        return {column: _one_dimension(table[column], name, column) for column in wanted if column in table}
    if hasattr(table, "__arrow_c_stream__"):
        try:
            return _from_arrow(table, wanted)
        except ImportError:  # pandas without PyArrow: its columns can be read all the same
            pass
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):
        held = set(table.columns)
        return {column: _one_dimension(table[column], name, column) for column in wanted if column in held}
    raise TypeError(
        f"{name} must be a mapping of columns or a table with the Arrow PyCapsule interface "
        f"(pandas, Polars, DuckDB, PyArrow); got {type(table).__name__}"
    )


def _from_arrow(table: ArrowTable, wanted: tuple[str, ...]) -> dict[str, Column]:
    stream = nanoarrow.ArrayStream(table)
    names = [field.name for field in stream.schema.fields]
    chunks = list(stream.iter_chunks())
    return {
        column: _objects([value for chunk in chunks for value in chunk.child(names.index(column)).iter_py()])
        for column in wanted
        if column in names
    }


def _one_dimension(values: Any, name: str, column: str) -> Column:
    array = np.asarray(values) if hasattr(values, "__array__") else _objects(list(values))
    if array.ndim != 1:
        raise ValueError(f"column {column} of {name} must have one dimension (has {array.ndim})")
    return array


def _objects(values: list[Any]) -> Column:
    """Return an array that keeps each value as it is, so that the place 7 does not become the text '7'."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def keys(values: Column, name: str, column: str) -> list[Hashable]:
    """Return values to be compared with those of other tables: places, categories."""
    found: list[Hashable] = values.tolist()
    for row, value in enumerate(found):
        if value is None or value != value or value == "":  # noqa: PLR0124  NaN differs from itself
            raise ValueError(f"{name} row {row}: {column} is missing")
        if not isinstance(value, Hashable):
            raise TypeError(
                f"{name} row {row}: {column} must be text or a number; got {type(value).__name__}"
            )
    return found


def finite_numbers(values: Column, name: str, column: str) -> NDArray[np.float64]:
    """Return values as numbers without gaps."""
    try:
        numbers = np.array([np.nan if value is None else value for value in values.tolist()], np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {column} must be numbers; got {values.tolist()[:3]}...") from None
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise ValueError(f"{name} row {wrong[0]}: {column} must be a finite number (is {numbers[wrong[0]]})")
    return numbers


def finite_or_why(column: str, value: Any) -> float | str:
    """Return a cell as a finite number, or why it is none."""
    if value is None or value != value or (isinstance(value, str) and not value.strip()):  # noqa: PLR0124
        return f"{column} is missing"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"{column} must be a number (is {str(value)[:40]!r})"
    return number if np.isfinite(number) else f"{column} must be finite (is {number:g})"


def counts(columns: dict[str, Column], name: str, most: int) -> NDArray[np.int64]:
    """Return the column `count`: whole numbers from 0; one a row where there is no such column."""
    if "count" not in columns:
        return np.ones(len(next(iter(columns.values()))), np.int64)
    numbers = finite_numbers(columns["count"], name, "count")
    wrong = np.flatnonzero((numbers < 0) | (numbers != np.floor(numbers)))
    if wrong.size:
        raise ValueError(
            f"{name} row {wrong[0]}: count must be a whole number from 0 (is {numbers[wrong[0]]})"
        )
    if numbers.sum() > most:
        raise ValueError(f"{name} holds {numbers.sum():,.0f} in all; at most {most:,} can be scanned")
    return numbers.astype(np.int64)
