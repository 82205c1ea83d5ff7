"""The most probable tree on a time axis. Drawn with matplotlib, which the extra `plot` brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from broadstreet.analysis.transmission.result import Transmission

# Okabe and Ito's blue and orange, and a grey: told apart by the colour-blind and on paper.
_LINK, _SOURCE, _CASE = "#0072B2", "#D55E00", "#333333"
_MOST_NAMES = 80


def draw(found: Transmission) -> Figure:
    """Return a figure: a case a row, its links to the left; the surer the link, the darker the line."""
    try:
        from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415  a heavy, optional library
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "plot() needs matplotlib: install it with `pip install 'broadstreet[plot]'`"
        ) from None
    tree = found.tree
    parent, day = _parents(tree["case"], tree["infector"]), found.study.evidence.timing.onset
    row = _rows(parent, day)
    size = len(row)
    figure = NewFigure(figsize=(10, float(np.clip(0.18 * size + 1.5, 3.0, 40.0))), layout="constrained")
    axes = figure.add_subplot()
    when = day.astype("datetime64[D]") if found.study.cases.dated else day
    for case, infector in enumerate(parent.tolist()):
        if infector >= 0:
            _link(axes, when, row, infector, case, tree["probability"][case])
    chance = np.array(tree["probability"])
    axes.scatter(when, row, s=18, color=[_SOURCE if p < 0 else _CASE for p in parent], zorder=3)
    if size <= _MOST_NAMES:
        for case, name in enumerate(tree["case"]):
            label = f" {name}" if parent[case] < 0 else f" {name} ({chance[case]:.0%})"
            axes.annotate(
                label,
                (when[case], row[case]),
                va="center",
                fontsize=7,
                xytext=(3, 0),
                textcoords="offset points",
            )
    axes.set_title(
        "Most probable tree: darker lines are surer; orange has no infector in the list",
        loc="left",
        fontsize=10,
    )
    axes.set_xlabel("Onset" if found.study.cases.dated else "Onset (day)")
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.spines[["left", "right", "top"]].set_visible(False)
    if found.study.cases.dated and size:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return figure


def _link(
    axes: Axes, when: NDArray[np.generic], row: NDArray[np.int64], infector: int, case: int, chance: float
) -> None:
    axes.plot(
        [when[infector], when[infector], when[case]], [row[infector], row[case], row[case]],
        color=_LINK, alpha=0.15 + 0.85 * chance, linewidth=1.2, zorder=1,
    )  # fmt: skip


def _parents(cases: list[str], infectors: list[str | None]) -> NDArray[np.int64]:
    position = {name: at for at, name in enumerate(cases)}
    return np.array([-1 if name is None else position[name] for name in infectors], np.int64)


def _rows(parent: NDArray[np.int64], day: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return rows in which each case stands right below its infector's earlier branches."""
    children: dict[int, list[int]] = {}
    for case in np.argsort(day, kind="stable").tolist():
        children.setdefault(int(parent[case]), []).append(case)
    row = np.zeros(len(parent), np.int64)
    stack, place = children.get(-1, [])[::-1], 0
    while stack:
        case = stack.pop()
        row[case] = place
        place += 1
        stack.extend(children.get(case, [])[::-1])
    return row
