"""The picture of a demonstration: what was counted, what was expected, what was injected and what was found.

Drawn with matplotlib, which the extra `plot` brings.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Each has a contrast of at least 3:1 on white (WCAG 2.2, 1.4.11), and differs in form as well as in colour.
COUNTED, EXPECTED, USUAL, ALARM, INJECTED = "#7f97ad", "#12355b", "#12355b", "#b00020", "#e8b04a"
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class Panel:
    """Counts of one place, day by day; `low` to `high` is what 19 of 20 quiet days show.

    These three are None where nothing could be expected.
    """

    title: str
    days: Sequence[date]
    counts: Sequence[int]
    expected: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    alarms: Sequence[date]


@dataclass(frozen=True)
class Look:
    """How large a picture is, in inches, and its letters, in points."""

    width: float
    height: float
    letters: float
    ticks: int


WIDE = Look(11.0, 7.0, 10.5, 9)
NARROW = Look(4.2, 6.4, 9.0, 4)


def draw(panels: Sequence[Panel], injected: tuple[date, date], look: Look) -> Figure:
    """Draw one panel below the other over the same days.

    Parameters
    ----------
    panels
        Of the district and of the city.
    injected
        First and last day of the outbreak.
    look
        Size of the figure and of its letters.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - a heavy, optional library
    from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415

    with rc_context({"font.size": look.letters, "svg.fonttype": "path", "axes.edgecolor": "#555"}):
        figure = NewFigure(figsize=(look.width, look.height), layout="constrained", facecolor="white")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for each, panel in zip(axes, panels, strict=True):
            _draw_panel(each, panel, injected)
        _date_axis(axes[-1], look)
        handles, labels = axes[0].get_legend_handles_labels()
        columns = 5 if look.width > 6 else 2
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
        return figure


def as_png(figure: Figure, dpi: int = 160) -> bytes:
    """Return a figure as a PNG file of so many dots an inch."""
    return _saved(figure, "png", dpi=dpi, metadata={"Software": None})


def as_svg(figure: Figure) -> str:
    """Return a figure as an SVG file; its letters are shapes, so that it needs no font."""
    return _saved(figure, "svg", metadata={"Date": None}).decode("utf-8")


def _draw_panel(axes: Axes, panel: Panel, injected: tuple[date, date]) -> None:
    days: Any = panel.days
    axes.axvspan(
        _moment(injected[0]) - _HALF_DAY,
        _moment(injected[1]) + _HALF_DAY,
        color=INJECTED, alpha=0.38, linewidth=0, label="injected outbreak",
    )  # fmt: skip
    alarms = set(panel.alarms)
    colours = [ALARM if day in alarms else COUNTED for day in panel.days]
    axes.bar(days, panel.counts, width=0.8, color=colours, label="visits counted")
    axes.fill_between(
        days, _gaps(panel.low), _gaps(panel.high), step="mid",
        color=USUAL, alpha=0.2, linewidth=0, label="19 of 20 quiet days",
    )  # fmt: skip
    axes.plot(days, _gaps(panel.expected), color=EXPECTED, linewidth=1.6, label="expected")
    heights = dict(zip(panel.days, panel.counts, strict=True))
    tops = [heights.get(day, 0) for day in panel.alarms]
    room = max(max(panel.counts, default=1), 1) * 0.06
    axes.plot(
        panel.alarms, [top + room for top in tops],  # type: ignore[arg-type]
        linestyle="none", marker="v", markersize=8, color=ALARM, label="signal that day",
    )  # fmt: skip
    axes.set_title(panel.title, loc="left", fontweight="bold")
    axes.set_ylabel("visits a day")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    axes.locator_params(axis="y", integer=True, nbins=6)


def _date_axis(axes: Axes, look: Look) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator: Any = AutoDateLocator(minticks=3, maxticks=look.ticks)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _moment(day: date) -> Any:
    return datetime.combine(day, time())


def _gaps(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _saved(figure: Figure, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=kind, **options)
    return file.getvalue()
