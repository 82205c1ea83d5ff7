"""The map: cases, sites with their catchment, and streets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from broadstreet.app.investigate.investigation import Investigation
from broadstreet.app.investigate.sentences import counted

_WIDTH = 880.0
_MARGIN = 24.0
_TALLEST = 1.1  # of the width
_MOST_SINGLE = 1_500  # cases that can be looked at one by one
_NAMED = 3
_AGES = 4  # classes of time


class _Projection:
    """Coordinates to the drawing: x to the right and y up, or north up; a step is as long in both."""

    def __init__(self, points: Sequence[tuple[float, float]], degrees: bool) -> None:
        given = np.array(points, np.float64)
        self._shrink = float(np.cos(np.radians(np.median(given[:, 1])))) if degrees else 1.0
        flat = given * (self._shrink, 1.0)
        self._low, high = flat.min(axis=0), flat.max(axis=0)
        extent = np.maximum(high - self._low, 1e-9)
        room = _WIDTH - 2 * _MARGIN
        self._scale = float(min(room / extent[0], (room * _TALLEST) / extent[1]))
        self.height = float(extent[1] * self._scale + 2 * _MARGIN)
        self._left = (_WIDTH - extent[0] * self._scale) / 2

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        x = (point[0] * self._shrink - self._low[0]) * self._scale + self._left
        y = self.height - _MARGIN - (point[1] - self._low[1]) * self._scale
        return round(float(x), 1), round(float(y), 1)


def draw_map(found: Investigation) -> str:
    """Return the map, or nothing where no case has coordinates."""
    cases = found.cases
    if cases.points is None or cases.axes is None:
        return ""
    placed = [(at, point) for at, point in enumerate(cases.points) if point]
    if len({point for _, point in placed}) < 2:
        return ""
    layers = {name: _points(found, name) for name in found.layers}
    everything = [point for _, point in placed]
    for name in ("sites", "streets"):
        everything += [point for _, point in layers.get(name, [])]
    plan = _Projection(everything, cases.axes == ("lon", "lat"))
    inner = [
        _streets(layers.get("streets", []), plan),
        _catchment(found, plan),
        _cases(found, placed, plan),
        _sites(found, layers.get("sites", []), plan),
    ]
    words = _in_words(found, len(placed))
    return (
        f'<figure><svg class="map" role="img" aria-label="{escape(words)}" '
        f'viewBox="0 0 {_WIDTH:g} {plan.height:.0f}">{"".join(inner)}</svg>'
        f"<figcaption>{escape(words)}. {_orientation(cases.axes)}</figcaption></figure>"
    )


def _orientation(axes: tuple[str, str]) -> str:
    if axes == ("lon", "lat"):
        return "North is up."
    return "x goes to the right and y up; the list does not say where north is."


def _points(found: Investigation, name: str) -> list[tuple[str, tuple[float, float]]]:
    axes = found.cases.axes
    assert axes is not None
    columns = found.layers[name].columns
    label = next(key for key in columns if key not in axes)
    return [
        (str(text), (x, y))
        for text, x, y in zip(columns[label], columns[axes[0]], columns[axes[1]], strict=True)
    ]


def _streets(points: list[tuple[str, tuple[float, float]]], plan: _Projection) -> str:
    path, before = [], None
    for street, point in points:
        x, y = plan.at(point)
        path.append(f"{'L' if street == before else 'M'}{x:g} {y:g}")
        before = street
    return f'<path class="street" d="{"".join(path)}"/>' if path else ""


def _dots(points: Iterable[tuple[float, float]]) -> str:
    """Return points as lines of no length, whose round ends stay as large on a small screen."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)


def _catchment(found: Investigation, plan: _Projection) -> str:
    """Return the ground that is nearest to the first site."""
    ranking = found.sites
    if ranking is None or found.cases.axes != ("x", "y"):
        return ""
    first, spots = ranking.sites["site"][0], ranking.catchment
    held = [
        plan.at((x, y))
        for x, y, nearest in zip(spots["x"], spots["y"], spots["nearest"], strict=True)
        if nearest == first
    ]
    return f'<path class="catchment" d="{_dots(held)}"/>'


def _cases(found: Investigation, placed: list[tuple[int, tuple[float, float]]], plan: _Projection) -> str:
    kind = _kinds(found, [at for at, _ in placed])
    if len(placed) > _MOST_SINGLE:
        groups: dict[str, list[tuple[float, float]]] = {}
        for (_, point), name in zip(placed, kind, strict=True):
            groups.setdefault(name, []).append(plan.at(point))
        return "".join(
            f'<path class="dot {name}" d="{_dots(some)}"/>' for name, some in sorted(groups.items())
        )
    return "".join(
        f'<path class="dot {name}" data-case="{at}" d="{_dots([plan.at(point)])}">'
        f"<title>{escape(_case_in_words(found, at))}</title></path>"
        for (at, point), name in zip(placed, kind, strict=True)
    )


def _kinds(found: Investigation, placed: list[int]) -> list[str]:
    """Return how each case is drawn: in or out of the first site's catchment, else early to late."""
    if found.sites is not None:
        first = found.sites.sites["site"][0]
        return ["inside" if near == first else "outside" for near in found.sites.cases["nearest"]]
    days = [dated[1] if (dated := found.cases.first_day(at)) else None for at in placed]
    known = [day for day in days if day is not None]
    if not known or min(known) == max(known):
        return ["inside"] * len(placed)
    edges = np.quantile(known, np.arange(1, _AGES) / _AGES)
    return [
        "outside" if day is None else f"age{int(np.searchsorted(edges, day, side='left'))}" for day in days
    ]


def _case_in_words(found: Investigation, at: int) -> str:
    known = found.cases.first_day(at)
    return found.cases.ids[at] + (f", {found.cases.label(known[1])}" if known else "")


def _sites(found: Investigation, points: list[tuple[str, tuple[float, float]]], plan: _Projection) -> str:
    ranking = found.sites
    rank = {str(name): at for at, name in enumerate(ranking.sites["site"])} if ranking else {}
    parts = []
    for name, point in sorted(points, key=lambda one: -rank.get(one[0], 0)):
        x, y = plan.at(point)
        place = rank.get(name, len(rank))
        kind = "first" if place == 0 else "other"
        spare = "" if place < _NAMED else " spare"
        anchor, shift = ("end", -12) if x > _WIDTH * 0.8 else ("start", 12)
        parts.append(
            f'<g class="site {kind}"><path d="M{x:g} {y:g}h0"/>'
            f'<text class="{kind}{spare}" x="{x + shift:g}" y="{y + 5:g}" text-anchor="{anchor}">'
            f"{escape(name)}</text></g>"
        )
    return "".join(parts)


def _in_words(found: Investigation, number: int) -> str:
    if found.sites is None:
        return f"{counted(number, 'case')} on the map, the earliest lightest"
    first = found.sites.sites
    return (
        f"{counted(number, 'case')} and {counted(len(first['site']), 'site')}; "
        f"{counted(first['nearest'][0], 'case has', 'cases have')} no nearer site than "
        f"{first['site'][0]}, whose catchment is shaded"
    )
