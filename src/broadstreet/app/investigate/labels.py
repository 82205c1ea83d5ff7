"""Names of cases as the charts have room for them, cut where most of them stay different."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from unicodedata import east_asian_width

_ROOM = 7.0
"""Of a name beside a chart, in heights of the font (em)."""
_ELLIPSIS = "…"
# Of signs, in em, as the wider of common fonts have them: full width, of capitals, thin ones, others.
_FULL, _CAPITAL, _THIN, _USUAL = 1.0, 0.78, 0.4, 0.64
_WIDE_SIGNS, _THIN_SIGNS = "mw%@&", "-.,:;'|/()[] ijlt"
_WIDEST = "W" + _ELLIPSIS


def labels(names: Sequence[str]) -> list[str]:
    """Return names as they are shown: what is too wide keeps its beginning, its end, both, or what is between
    that which all have in common, by which of these tells most names apart.
    """
    long = [name for name in names if _width(name) > _ROOM]
    if not long:
        return list(names)
    inner = _between(_shared(long), _shared([name[::-1] for name in long]))
    ways: tuple[Callable[[str], str], ...] = (_head, _tail, _ends, inner)
    cut = max(([_fitting(name, way) for name in names] for way in ways), key=lambda some: len(set(some)))
    return cut


def _shared(names: Sequence[str]) -> int:
    """Return with how many signs all begin alike."""
    first, last = min(names), max(names)
    return next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))


def _fitting(name: str, way: Callable[[str], str]) -> str:
    return name if _width(name) <= _ROOM else way(name)


def _width(text: str) -> float:
    return sum(map(_width_of, text))


def _width_of(sign: str) -> float:
    if sign in _WIDEST or east_asian_width(sign) in "WF":
        return _FULL
    if sign.isupper() or sign in _WIDE_SIGNS:
        return _CAPITAL
    return _THIN if sign in _THIN_SIGNS else _USUAL


def _taken(signs: Iterable[str], room: float) -> str:
    """Return the first signs that have room."""
    taken = ""
    for sign in signs:
        room -= _width_of(sign)
        if room < 0.0:
            break
        taken += sign
    return taken


def _head(name: str) -> str:
    return _taken(name, _ROOM - _FULL).rstrip() + _ELLIPSIS


def _tail(name: str) -> str:
    return _ELLIPSIS + _taken(reversed(name), _ROOM - _FULL)[::-1].lstrip()


def _ends(name: str) -> str:
    half = (_ROOM - _FULL) / 2.0
    return _taken(name, half) + _ELLIPSIS + _taken(reversed(name), half)[::-1]


def _between(before: int, after: int) -> Callable[[str], str]:
    """Return how to cut what all have in common away, and then what is too much."""

    def cut(name: str) -> str:
        return _ELLIPSIS + _taken(name[before : len(name) - after], _ROOM - 2.0 * _FULL) + _ELLIPSIS

    return cut
