"""Tables that go out: columns that any library with the Arrow PyCapsule interface reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import nanoarrow
import numpy as np


class Frame(Mapping[str, list[Any]]):
    """Columns of equal length, in order; `pyarrow.table(frame)`, `polars.DataFrame(frame)` and others take
    it.

    Parameters
    ----------
    columns : mapping of str to sequence
        Text, whole numbers, numbers, yes and no, or `datetime64`; None where a value is missing.

    Raises
    ------
    ValueError
        If the columns are not equally long.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns: dict[str, list[Any]] = {
            name: values.tolist() if isinstance(values, np.ndarray) else list(values)
            for name, values in columns.items()
        }
        lengths = {name: len(values) for name, values in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns must be equally long (are {lengths})")

    def __getitem__(self, name: str) -> list[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Frame({', '.join(self._columns)}: {self.height:,} rows)"

    @property
    def height(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self._columns.values()), []))

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping a row."""
        names = list(self._columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*self._columns.values(), strict=True)]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        types = {name: _arrow_type(values) for name, values in self._columns.items()}
        children = [
            nanoarrow.c_array(_plain(values, types[name]), types[name])
            for name, values in self._columns.items()
        ]
        table = nanoarrow.c_array_from_buffers(
            nanoarrow.struct(types), length=self.height, buffers=[None], children=children
        )
        return nanoarrow.c_array_stream(table).__arrow_c_stream__(requested_schema)


def _arrow_type(values: list[Any]) -> Any:
    held = [value for value in values if value is not None]
    if held and all(isinstance(value, bool) for value in held):
        return nanoarrow.bool_()
    if held and all(isinstance(value, int) and not isinstance(value, bool) for value in held):
        return nanoarrow.int64()
    if held and all(isinstance(value, int | float) and not isinstance(value, bool) for value in held):
        return nanoarrow.float64()
    return nanoarrow.string()


def _plain(values: list[Any], kind: Any) -> list[Any]:
    if kind != nanoarrow.string():
        return values
    return [value if value is None else str(value) for value in values]
