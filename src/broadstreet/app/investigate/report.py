"""Write the page and the tables of an investigation."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broadstreet.analysis.frame import Frame
from broadstreet.app.investigate.earlier import remove_earlier
from broadstreet.app.investigate.investigation import Investigation, impossible
from broadstreet.app.investigate.kinds import TABLES, Kind
from broadstreet.app.investigate.page import page
from broadstreet.app.paper.spreadsheet import harmless

PAGE = "investigation.html"
NO_PARQUET = "Parquet tables need the extra: pip install 'broadstreet[parquet]' (only CSV was written)."


def write_report(folder: Path, found: Investigation) -> tuple[list[Path], list[str]]:
    """Write the page, and each table as CSV and Parquet, in place of those of an earlier run.

    Returns
    -------
    list of Path
        The page first.
    list of str
        Sentences: which tables are gone, and where Parquet could not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held, said = tables(found), page(found)
    gone = [name for name in remove_earlier(folder) if name not in held]
    notes = [f"Tables of an earlier run were removed: {', '.join(gone)}."] if gone else []
    (folder / PAGE).write_text(said, encoding="utf-8")
    written = [folder / PAGE]
    for name, table in held.items():
        (folder / f"{name}.csv").write_text(_csv(table), encoding="utf-8", newline="")
        written.append(folder / f"{name}.csv")
    try:
        import pyarrow  # noqa: PLC0415  an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ModuleNotFoundError:
        return written, [*notes, NO_PARQUET]
    types = {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64()}
    for name, table in held.items():
        columns = {
            column: pyarrow.array(_of_kind(cells, kind), types[kind])
            for column, cells in Frame(table).items()
            for kind in [TABLES[name].get(column, "text")]
        }
        parquet.write_table(pyarrow.table(columns), folder / f"{name}.parquet")
        written.append(folder / f"{name}.parquet")
    return written, notes


def _of_kind(cells: list[Any], kind: Kind) -> list[Any]:
    return [None if cell is None else str(cell) for cell in cells] if kind == "text" else cells


def tables(found: Investigation) -> dict[str, Mapping[str, Any]]:
    """Return the tables by the name of their file."""
    cases = found.cases
    held: dict[str, Mapping[str, Any]] = {"cases": _cases(found)}
    if found.links is not None:
        links = found.links
        held |= {
            "links": links.infectors,
            "tree": links.tree,
            "sources": links.sources,
            "impossible": impossible(found),
            "reproduction": links.reproduction.over_time,
            "reproduction_by_case": links.reproduction.cases,
        }
    if found.places is not None:
        held |= {"places": found.places.places, "place_times": found.places.times}
    if found.sites is not None:
        placed = [name for name, point in zip(cases.ids, cases.points or [], strict=True) if point]
        held |= {"sites": found.sites.sites, "case_sites": {"case": placed, **found.sites.cases}}
    held["set_aside"] = {
        name: [getattr(one, name) for one in found.aside] for name in ("file", "row", "id", "why")
    }
    return held


def _cases(found: Investigation) -> dict[str, list[Any]]:
    cases = found.cases
    columns: dict[str, list[Any]] = {"case": cases.ids, "row": cases.rows}
    columns |= {role: [cases.label(day) for day in values] for role, values in cases.days.items()}
    columns |= cases.groups
    if cases.points and cases.axes:
        for at, axis in enumerate(cases.axes):
            columns[axis] = [None if point is None else point[at] for point in cases.points]
    return columns


def _csv(table: Mapping[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table)
    for cells in zip(*table.values(), strict=True):
        writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.12g}"
    return harmless(str(value))
