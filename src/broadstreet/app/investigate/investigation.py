"""Investigate: from the files to what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from broadstreet.analysis.exposure import SiteRanking, VisitRanking, rank_sites, rank_visits
from broadstreet.analysis.transmission import Transmission, infer
from broadstreet.analysis.transmission.settings import IMPORTATION, REPORTED, Share
from broadstreet.app.investigate import roles, tables
from broadstreet.app.investigate.aside import Aside, from_analysis
from broadstreet.app.investigate.belief import Belief
from broadstreet.app.investigate.counts import Counts, read_counts
from broadstreet.app.investigate.future import after_today
from broadstreet.app.investigate.linelist import LineList, read_line_list
from broadstreet.app.investigate.sentences import counted
from broadstreet.app.investigate.tables import Beside
from broadstreet.app.reading.dates import Order
from broadstreet.app.reading.table import Unusable, read_table

MOST_FOR_SOURCE = 1_000
"""So many first cases are compared with controls."""
_WINDOW_SDS = 3.0  # an exposure window ends this many standard deviations after the mean incubation period
_UNKNOWN_WINDOW = (1, 14)


@dataclass(frozen=True)
class Files:
    """What there is beside the line list; None where it is not."""

    contacts: Path | None = None
    visits: Path | None = None
    controls: Path | None = None
    sites: Path | None = None
    streets: Path | None = None
    population: Path | None = None
    counts: Path | None = None


@dataclass(frozen=True)
class Wishes:
    """How files are read and what is asked, and the day on which that is."""

    belief: Belief
    columns: Mapping[str, str] = field(default_factory=dict)
    order: Order | None = None
    encoding: str = "utf-8-sig"
    window: tuple[int, int] | None = None
    reported: Share = REPORTED
    importation: Share = IMPORTATION
    seed: int = 1854
    today: date | None = None


@dataclass
class Investigation:
    """Hold cases and what was found about them.

    Attributes
    ----------
    cases : LineList
    belief : Belief
    links : Transmission or None
        None where no serial interval is known, or no case has a day.
    places : VisitRanking or None
    sites : SiteRanking or None
    counts : Counts or None
        Cases by day from a table of their own.
    layers : dict of Beside
        Of the map: sites, streets, population.
    contacts : Beside or None
    aside : list of Aside
    notes : list of str
        How the files were read and what was left out, in sentences.
    window : (int, int) or None
        Days before onset in which exposures were looked for.
    reported, importation : float or (float, float)
        Share of the cases that is in the list, and that was infected from outside, as believed.
    """

    cases: LineList
    belief: Belief
    links: Transmission | None = None
    places: VisitRanking | None = None
    sites: SiteRanking | None = None
    layers: dict[str, Beside] = field(default_factory=dict)
    counts: Counts | None = None
    contacts: Beside | None = None
    aside: list[Aside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    window: tuple[int, int] | None = None
    reported: Share = REPORTED
    importation: Share = IMPORTATION


def investigate(path: Path, files: Files, wishes: Wishes) -> Investigation:
    """Return what the files say.

    Raises
    ------
    Unusable
        If a file cannot be read, or nothing in it can be used.
    """
    try:
        table = read_table(path, wishes.encoding, tolerant=True)
        if not (table.rows or table.ragged):
            raise Unusable("expected rows below the names, found none")
        cases = read_line_list(table, path.name, wishes.columns, wishes.order)
    except Unusable as error:
        raise Unusable(f"{path.name}: {error}") from error
    found = Investigation(
        cases, wishes.belief, aside=list(cases.aside), notes=list(cases.notes), reported=wishes.reported,
        importation=wishes.importation,
    )  # fmt: skip
    found.notes += after_today(cases, wishes.today)
    found.contacts = _read_contacts(files, wishes, found)
    visits = _read_visits(files, wishes, found)
    _link(found, wishes, visits)
    if visits and files.controls:
        controls = _noticed(tables.controls(files.controls, wishes.encoding), found)
        _rank_places(found, wishes, visits, controls)
    elif files.controls:
        found.notes.append(
            f"{files.controls.name} was not used: controls are compared with cases by --visits of both."
        )
    elif visits:
        found.notes.append(
            "Places were not ranked as a source: that needs people without the disease to compare with "
            "(--controls)."
        )
    if wishes.window and found.window is None:
        found.notes.append("--window was not used: places are ranked only with --visits and --controls.")
    _rank_sites(found, wishes, files)
    if files.counts:
        found.counts = read_counts(files.counts, wishes.encoding, wishes.order)
        found.aside += found.counts.aside
    return found


def _read_contacts(files: Files, wishes: Wishes, found: Investigation) -> Beside | None:
    if not files.contacts:
        return None
    read = tables.contacts(files.contacts, wishes.encoding)
    return _noticed(read, found)


def _noticed(read: Beside, found: Investigation) -> Beside:
    """Take note of what was set aside or not used, and of a table without any row."""
    found.aside += read.aside
    found.notes += read.notes
    if not read.rows:
        found.notes.append(f"{read.file} has no row that can be used.")
    return read


def _read_visits(files: Files, wishes: Wishes, found: Investigation) -> Beside | None:
    if not files.visits:
        return None
    read = _noticed(tables.visits(files.visits, wishes.encoding, wishes.order), found)
    if found.cases.has_days and read.dated is not None and read.dated != found.cases.dated:
        kinds = ("dates", "numbers of days") if read.dated else ("numbers of days", "dates")
        found.notes.append(
            f"{read.file} holds {kinds[0]}, {found.cases.file} {kinds[1]}: its visits were not used."
        )
        return None
    return read


def _link(found: Investigation, wishes: Wishes, visits: Beside | None) -> None:
    """Infer who infected whom, where that can be done."""
    cases, belief, contacts = found.cases, found.belief, found.contacts
    if not cases.has_days:
        what = "No case has a day" if cases.days else "No column of days was recognised by its name"
        found.notes.append(f"{what}: who infected whom is not estimated.")
        return
    if belief.serial is None:
        found.notes.append(
            "Who infected whom is not estimated: that needs the interval from onset to onset. Say "
            "--disease NAME, or "
            "--serial-interval MEAN,SD and --incubation MEAN,SD in days."
        )
        return
    links = infer(
        cases.table(),
        serial_interval=belief.serial,
        incubation=belief.incubation,
        same=tuple(cases.groups),
        near=("x", "y") if cases.points else (),
        contacts=contacts.columns if contacts else None,
        visits=visits.columns if visits else None,
        importation=wishes.importation,
        reported=wishes.reported,
        disease=belief.name,
        unit="km" if cases.axes == ("lon", "lat") else "",
        seed=wishes.seed,
    )
    found.links = links
    for name, beside in (("contacts", contacts), ("visits", visits)):
        if beside:
            wrong = [one for one in _rows(links.set_aside) if one.table == name]
            found.aside += from_analysis(wrong, beside.file, beside.rows)


@dataclass(frozen=True)
class _SetAside:
    table: str
    row: int
    id: str
    why: str


def _rows(frame: Any) -> list[_SetAside]:
    return [_SetAside(*row) for row in zip(*(frame[n] for n in ("table", "row", "id", "why")), strict=True)]


def impossible(found: Investigation) -> dict[str, list[Any]]:
    """Return the declared links that cannot be, with the rows of the file of contacts."""
    if found.links is None:
        return {}
    table = {name: list(cells) for name, cells in found.links.impossible.items()}
    if found.contacts is not None:
        table["row"] = [found.contacts.rows[row] for row in table["row"]]
    return table


def best_times(found: Investigation) -> dict[str, tuple[int, float]]:
    """Return how many cases report each place at its best time, and how many are expected to."""
    if found.places is None:
        return {}
    times = found.places.times
    rows = zip(*(times[name] for name in ("place", "cases", "expected")), strict=True)
    best: dict[str, tuple[int, float]] = {}
    for place, cases, expected in rows:  # the best time of each comes first
        best.setdefault(place, (cases, expected))
    return best


def _rank_places(found: Investigation, wishes: Wishes, visits: Beside, controls: Beside) -> None:
    cases, belief = found.cases, found.belief
    known = [at for at, day in enumerate(cases.days.get("onset", [])) if day is not None]
    if not known:
        found.notes.append("Places were not ranked as a source: no case has a day of onset.")
        return
    known.sort(key=lambda at: (cases.days["onset"][at] or 0, at))
    if len(known) > MOST_FOR_SOURCE:
        found.notes.append(
            f"Places were ranked by the first {MOST_FOR_SOURCE:,} cases of {len(known):,}: later ones say "
            "more about "
            "spread than about the source."
        )
        known = known[:MOST_FOR_SOURCE]
    everything = cases.table() | cases.traits
    found.window = wishes.window or _window(belief)
    try:
        found.places = rank_visits(
            visits.columns,
            {name: [cells[at] for at in known] for name, cells in everything.items()},
            controls.columns,
            found.window,
            incubation=belief.incubation,
            serial_interval=belief.serial,
        )
    except ValueError as error:
        found.notes.append(f"Places were not ranked as a source: {error}.")
        return
    wrong = [one for one in found.places.set_aside if one.table == "controls"]
    found.aside += from_analysis(wrong, controls.file, controls.rows)
    if found.links is None:
        wrong = [one for one in found.places.set_aside if one.table == "visits"]
        found.aside += from_analysis(wrong, visits.file, visits.rows)


def _window(belief: Belief) -> tuple[int, int]:
    if belief.incubation is None:
        return _UNKNOWN_WINDOW
    mean, sd = belief.incubation
    return 0 if mean < 2.0 else 1, max(1, round(mean + _WINDOW_SDS * sd))


def _rank_sites(found: Investigation, wishes: Wishes, files: Files) -> None:
    """Rank sites on the map by the cases that have a point; read its streets in any case."""
    cases = found.cases
    wanted = {
        "sites": (files.sites, roles.SITES),
        "streets": (files.streets, roles.STREETS),
        "population": (files.population, roles.POPULATION),
    }
    if not any(path for path, _ in wanted.values()):
        return
    if cases.axes is None:
        raise Unusable(
            f"{cases.file}: expected columns of coordinates (x and y, or lon and lat) for the map, found none"
        )
    if cases.points is None:
        found.notes.append("Sites were not ranked: no case has coordinates.")
        return
    for name, (path, patterns) in wanted.items():
        if path:
            read = _noticed(tables.layer(path, wishes.encoding, patterns, cases.axes), found)
            if read.rows:
                found.layers[name] = read
    placed = [point for point in cases.points if point]
    if missing := len(cases.points) - len(placed):
        found.notes.append(f"{counted(missing, 'case has', 'cases have')} no coordinates: not on the map.")
    if "sites" not in found.layers or not placed:
        return
    layer = {name: one.columns for name, one in found.layers.items()}
    at = dict(zip(cases.axes, zip(*placed, strict=True), strict=True))
    try:
        found.sites = rank_sites(
            {axis: list(values) for axis, values in at.items()},
            layer["sites"],
            layer.get("streets"),
            layer.get("population"),
        )
    except ValueError as error:
        found.notes.append(f"Sites were not ranked: {error}.")
