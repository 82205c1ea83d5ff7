"""Write the table, the picture and the page of a detection."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from broadstreet.app.detect.chart import curve, picture
from broadstreet.app.detect.finding import Finding
from broadstreet.app.detect.page import page, shown_series
from broadstreet.app.paper.spreadsheet import harmless

TABLE, PICTURE, PAGE = "detection.csv", "detection.svg", "detection.html"
_MOST_DRAWN = 6


def write_report(folder: Path, finding: Finding) -> tuple[Path, Path, Path]:
    """Write all three; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [curve(finding, series) for series in shown_series(finding, _MOST_DRAWN)]
    contents = {TABLE: table(finding), PICTURE: picture(drawn), PAGE: page(finding)}
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / TABLE, folder / PICTURE, folder / PAGE


def table(finding: Finding) -> str:
    """Return every test as a row of a CSV table; empty where the method has no value."""
    counts, detection = finding.counts, finding.detection
    found = detection.found
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["series", "time", "observed", "expected", "upper", "alarm", "score", "dispersion"])
    for series, name in enumerate(counts.names):
        columns = (found.expected, found.upper, found.alarm, found.score, found.dispersion)
        for row, time in enumerate(detection.times):
            numbers = [_cell(column[row, series]) for column in columns]
            writer.writerow([harmless(name), counts.labels[time], counts.values[time, series], *numbers])
    return out.getvalue()


def _cell(value: float) -> str:
    return f"{value:.12g}" if np.isfinite(value) else ""
