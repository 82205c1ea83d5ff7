"""The order in which cases are drawn: each tree from its root, whom a case infected below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from broadstreet.app.investigate.investigation import Investigation

MOST_DRAWN = 300


@dataclass(frozen=True)
class Drawn:
    """A case in its row: its position in the list, the row of its infector, and the link's probability."""

    at: int
    parent: int | None
    probability: float


def arranged(found: Investigation) -> tuple[list[Drawn], int]:
    """Return the cases to draw, the largest trees first, and how many there are in all.

    Without links cases come by their first day.
    """
    cases = found.cases
    day = {at: dated[1] for at in range(len(cases.ids)) if (dated := cases.first_day(at))}
    ordered = sorted(day, key=lambda at: (day[at], at))
    if found.links is None:
        return [Drawn(at, None, 0.0) for at in ordered[:MOST_DRAWN]], len(ordered)
    position = {name: at for at, name in enumerate(cases.ids)}
    tree = found.links.tree
    infector: dict[int, int | None] = {}
    chance: dict[int, float] = {}
    for name, by, probability in zip(tree["case"], tree["infector"], tree["probability"], strict=True):
        at = position[name]
        infector[at], chance[at] = (None if by is None else position[by]), probability
    children: dict[int, list[int]] = {}
    for at in ordered:
        if (by := infector.get(at)) is not None:
            children.setdefault(by, []).append(at)
    roots = [at for at in ordered if infector.get(at) is None]
    sizes = _sizes(roots, children)
    roots.sort(key=lambda at: (-sizes[at], day[at], at))
    rows: dict[int, int] = {}
    drawn: list[Drawn] = []
    for at in _walk(roots, children):
        by = infector.get(at)
        drawn.append(Drawn(at, None if by is None else rows[by], chance.get(at, 0.0)))
        rows[at] = len(rows)
        if len(drawn) == MOST_DRAWN:
            break
    return drawn, len(ordered)


def _walk(roots: list[int], children: dict[int, list[int]]) -> Iterator[int]:
    waiting = roots[::-1]
    while waiting:
        at = waiting.pop()
        yield at
        waiting.extend(children.get(at, [])[::-1])


def _sizes(roots: list[int], children: dict[int, list[int]]) -> dict[int, int]:
    """Return how many cases the tree of each root has."""
    return {root: sum(1 for _ in _walk([root], children)) for root in roots}
