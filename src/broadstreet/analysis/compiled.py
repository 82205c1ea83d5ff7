"""Compile loops over arrays to machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function at its first call; keep the machine code for later runs where a folder allows it.

    Division by zero gives infinity or NaN, as in NumPy.
    """
    try:
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))
