"""Wait in a page until something is true, on pages whose security policy forbids to evaluate a text."""

from __future__ import annotations

from typing import Any

_EVERY = 25  # milliseconds
_MOST = 400


def until(page: Any, expression: str, arg: object = None) -> None:
    """Return once `expression` is true; Playwright's own waiting evaluates it inside the page, which a page
    with a strict policy refuses as soon as it is not true at once."""
    for _ in range(_MOST):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(_EVERY)
    raise AssertionError(f"not within {_EVERY * _MOST / 1000:.0f} s: {expression}")
