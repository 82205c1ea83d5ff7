"""The picture of a run: where people were infected, and when."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from broadstreet.app.city.telling import Course
from broadstreet.app.city.writing import LibraryMissing
from broadstreet.simulation.epidemic import Outcome
from broadstreet.simulation.population import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Each has a contrast of at least 3:1 on white (WCAG 2.2, 1.4.11), and lines differ in form as well as in
# colour.
INFECTED, ILL, REPORTED, LIVING, SOURCE = "#12355b", "#8a4b08", "#b00020", "#c3cbd3", "#b00020"
_MOST_DOTS = 20_000
_MOST_HOMES = 30_000


@dataclass(frozen=True)
class Look:
    """How large a picture is, in inches, whether its parts stand side by side, and its letters in points."""

    width: float
    height: float
    beside: bool
    letters: float


WIDE = Look(12.0, 6.0, True, 10.5)
NARROW = Look(4.4, 9.0, False, 9.0)


def draw(outcome: Outcome, course: Course, number: int, look: Look) -> Figure:
    """Draw the map of infections and the curve of one pathogen.

    Raises
    ------
    LibraryMissing
        If matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - a heavy, optional library
        from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415
    except ImportError as error:
        raise LibraryMissing(
            "the picture needs matplotlib: install it with `pip install 'broadstreet[plot]'`"
        ) from error
    with rc_context({"font.size": look.letters, "svg.fonttype": "path", "axes.edgecolor": "#555"}):
        figure = NewFigure(figsize=(look.width, look.height), layout="constrained", facecolor="white")
        if look.beside:
            city, curve = figure.subplots(1, 2, width_ratios=[1.25, 1])
        else:
            city, curve = figure.subplots(2, 1, height_ratios=[1.2, 1])
        _draw_map(figure, city, outcome, number)
        _draw_curve(curve, course)
        return figure


def as_png(figure: Figure, dpi: int = 150) -> bytes:
    """Return a figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


def _draw_map(figure: Figure, axes: Axes, outcome: Outcome, number: int) -> None:
    city, truth = outcome.city, outcome.truth
    homes = city.places.of(Kind.HOME)
    shown = homes[:: max(1, len(homes) // _MOST_HOMES)]
    axes.scatter(city.places.x[shown], city.places.y[shown], s=1.2, color=LIVING, linewidths=0)
    rows = np.flatnonzero(truth.pathogen == number)
    dots = rows[:: max(1, len(rows) // _MOST_DOTS)]
    home = city.people.home[truth.infected[dots]]
    size = float(np.clip(40_000 / max(len(dots), 1), 3, 26))
    days = truth.time[dots] + 1
    painted = axes.scatter(
        city.places.x[home], city.places.y[home], c=days, s=size, cmap="viridis_r", linewidths=0, alpha=0.9
    )
    _mark_sources(axes, outcome, number)
    for district in city.districts:
        axes.annotate(
            district.name, (district.x, district.y), ha="center", va="center", fontsize="small",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )  # fmt: skip
    if len(dots):
        figure.colorbar(painted, ax=axes, label="day of infection", shrink=0.75, pad=0.01)
    axes.set_title("Homes of the infected", loc="left", fontweight="bold")
    axes.set_aspect("equal")
    axes.set_xlabel("kilometres")
    axes.spines[["top", "right"]].set_visible(False)


def _mark_sources(axes: Axes, outcome: Outcome, number: int) -> None:
    city, name = outcome.city, outcome.scenario.pathogens[number].name
    pumps = {district.code: (district.x, district.y) for district in city.districts}
    where = [
        pumps[source.district or ""] if source.place is None
        else (city.places.x[source.place], city.places.y[source.place])
        for source in outcome.scenario.sources
        if source.pathogen == name and (source.place is not None or source.reach is not None)
    ]  # fmt: skip
    if not where:
        return
    x, y = zip(*where, strict=True)
    axes.scatter(
        x, y, marker="X", s=130, color=SOURCE, edgecolors="white", label="point source",
        zorder=5,
    )  # fmt: skip
    axes.legend(loc="lower left", frameon=True)


def _draw_curve(axes: Axes, course: Course) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    start = np.datetime64(course.first_day, "D")
    days: Any = (start + np.arange(len(course.daily.infected))).astype("datetime64[ms]").astype(datetime)
    axes.fill_between(days, course.daily.infected, color=INFECTED, alpha=0.16, linewidth=0)
    axes.plot(days, course.daily.infected, color=INFECTED, linewidth=2.0, label="infected (the truth)")
    axes.plot(days, course.daily.ill, color=ILL, linewidth=1.5, linestyle="--", label="fell ill")
    axes.plot(days, course.daily.reported, color=REPORTED, linewidth=1.7, linestyle=":", label="reported")
    axes.set_title(f"{course.title}, people a day", loc="left", fontweight="bold")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    axes.legend(loc="best", frameon=False)
    axes.locator_params(axis="y", integer=True, nbins=7)
    locator: Any = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def alt_text(course: Course) -> str:
    """Return in words what the picture shows."""
    if not course.infections:
        return "A map of the city without infections, and an empty curve."
    worst = max(course.districts, key=lambda row: row[3] / max(row[2], 1))
    return (
        f"A map of the city with a dot at the home of each person infected with {course.title}, coloured"
        f" by day; {worst[1]} was hit most. Beside it, curves of people infected, fallen ill and reported a"
        f" day; most were infected on {course.peak}. The tables below hold the numbers."
    )
