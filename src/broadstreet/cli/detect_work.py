"""What `detect` does: a file read and counted, each count tested, and all of it written and told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec
import typer
from rich.table import Table as Grid
from rich.text import Text

from broadstreet.app.detect import columns, counts, methods, report
from broadstreet.app.detect.finding import Alarm, Finding
from broadstreet.app.reading import dates as written_dates
from broadstreet.app.reading.table import Unusable, read_table
from broadstreet.cli.program import Mistake, console

ALARMED = 3
"""Exit code with --exit-code where the newest time is an alarm."""
_MOST_TOLD = 20
_ORDERS: dict[str, written_dates.Order] = {"day-first": "day", "month-first": "month"}


def look_at(  # noqa: PLR0913  each is an option
    file: Path,
    *,
    method: str,
    setting: Sequence[str],
    first: str | None,
    last: str | None,
    newest: int | None,
    date: str | None,
    count: str | None,
    by: Sequence[str],
    line_list: bool,
    every: Literal["day", "week"] | None,
    dates: str | None,
    gaps: str,
    add_up: bool,
    until: datetime | None,
    encoding: str,
    out: Path,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Test the counts of a file; write table, picture and page, and tell what stands out."""
    order = _ORDERS[dates] if dates else None
    wishes = counts.Wishes(every, order, gaps == "zero", add_up, until.date() if until else None)
    try:
        table = read_table(file, encoding)
        roles = columns.recognise(table, date=date, count=count, by=by, line_list=line_list)
        counted = counts.count(table, roles, wishes)
        found = methods.detect(counted, method.replace("-", "_"), setting, methods.Range(first, last, newest))
    except Unusable as error:
        raise Mistake(f"{file.name}: {error}") from error
    finding = Finding(file.name, counted, found)
    written = report.write_report(out, finding)
    _tell_json(finding, written) if as_json else _tell(finding, written)
    if exit_code and finding.is_alarm[-1].any():
        raise typer.Exit(ALARMED)


def _tell(finding: Finding, written: tuple[Path, ...]) -> None:
    for note in finding.counts.notes:
        console.print(note, markup=False)
    detection = finding.detection
    console.print(f"Tested with {detection.title} ({detection.why}).", markup=False)
    console.print()
    total = int(finding.is_alarm.sum())
    if total:
        console.print(_grid(finding))
    if total > _MOST_TOLD:
        console.print(f"and {total - _MOST_TOLD:,} earlier alarms; all are in the table")
    console.print(finding.lead(), style="bold", markup=False, soft_wrap=True)
    for what, path in zip(("Table", "Picture", "Page"), written, strict=True):
        console.print(f"{what + ':':<9}{path}", soft_wrap=True, markup=False)


def _grid(finding: Finding) -> Grid:
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for name in ("series", finding.counts.step):
        grid.add_column(name)
    for name in ("cases", "expected", "upper bound"):
        grid.add_column(name, justify="right")
    for alarm in islice(finding.alarms(), _MOST_TOLD):
        cells = (
            alarm.series,
            alarm.time,
            f"{alarm.observed:,}",
            f"{alarm.expected:,.1f}",
            f"{alarm.upper:,.1f}",
        )
        grid.add_row(*map(Text, cells))
    return grid


def _tell_json(finding: Finding, written: tuple[Path, ...]) -> None:
    detection = finding.detection
    told: dict[str, Any] = {
        "file": finding.source,
        "method": detection.method,
        "why": detection.why,
        "settings": detection.settings,
        "step": finding.counts.step,
        "series": len(finding.counts.names),
        "tested": [finding.counts.labels[time] for time in detection.times[[0, -1]]],
        "tests": int(finding.is_alarm.size),
        "tests_without_an_answer": int((~finding.is_tested).sum()),
        "alarms": [_fields(alarm) for alarm in finding.alarms()],
        "notes": finding.counts.notes,
        "table": str(written[0]),
        "picture": str(written[1]),
        "page": str(written[2]),
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))


def _fields(alarm: Alarm) -> dict[str, Any]:
    return {name: getattr(alarm, name) for name in Alarm.__slots__}
