"""The page of a detection: one HTML file that needs no network and no script."""

from __future__ import annotations

from html import escape
from itertools import islice

import numpy as np

from broadstreet import __version__
from broadstreet.app.detect.chart import COLOURS, NARROW, WIDE, Curve, curve, rests_on_several, svg
from broadstreet.app.detect.finding import Alarm, Finding
from broadstreet.app.paper.parts import lines, row, scrolled, terms
from broadstreet.app.paper.style import LIGHT, document, sheet

MOST_CHARTS = 24
MOST_ALARMS = 200

_DARK = {
    "bar": "#7ba3cc", "alarm": "#ff8a95", "expected": "#bcdcff", "upper": "#ffc078", "usual": "#bcdcff",
}  # fmt: skip
_SHARED = LIGHT.keys()


def _classes() -> str:
    rules = (f".{n} {{ fill: var(--{n}); }} .line.{n} {{ fill: none; stroke: var(--{n}); }}" for n in COLOURS)
    return "\n".join(rules)


_CHARTS = """
svg { width: 100%; height: auto; display: block; font-family: inherit; }
svg.narrow { display: none; }
@media (max-width: 40rem) { svg.wide { display: none; } svg.narrow { display: block; } }
.legend { list-style: none; padding: 0; margin: .4rem 0;
          display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; }
.legend svg { display: inline-block; width: 1.8rem; height: .9rem; margin-right: .4rem;
              vertical-align: -.1rem; }
"""
_OWN = {name: colour for name, colour in COLOURS.items() if name not in _SHARED}
_STYLE = f"{sheet(_OWN, _DARK)}{_CHARTS}{_classes()}"
_LEGEND = [
    ("cases", '<rect class="bar" x="6" width="18" height="15"/>'),
    ("cases before the first time tested", '<rect class="past" x="6" width="18" height="15"/>'),
    (
        "alarm",
        '<rect class="alarm" x="6" y="8" width="18" height="7"/><path class="alarm" d="M15 8l-5 -8h10z"/>',
    ),
    ("expected", '<path class="line expected" d="M0 8H30" stroke-width="2.5"/>'),
]
_BOUND = (
    "upper bound",
    '<path class="line upper" d="M0 8H30" stroke-width="2.5" stroke-dasharray="6 3"/>',
)
_USUAL = ("19 of 20 quiet times", '<rect class="usual" width="30" height="15" fill-opacity=".2"/>')


def page(finding: Finding) -> str:
    """Return the page."""
    title = f"{'Alarms' if finding.is_alarm.any() else 'No alarm'} in {finding.source}"
    curves = [curve(finding, series) for series in shown_series(finding, MOST_CHARTS)]
    body = f"""<h1>{escape(title)}</h1>
<p class="lead">{escape(finding.lead())}</p>
<h2>What stands out</h2>
{_alarms(finding)}
<h2>The counts</h2>
{_legend(finding)}
{_more(finding, len(curves))}
{"".join(_figure(at, one) for at, one in enumerate(curves))}
<h2>How it was tested</h2>
{_method(finding)}
<h2>What to keep in mind</h2>
{lines(finding.cautions())}
<h2>How the file was read</h2>
{lines(finding.counts.notes)}"""
    return document(title, body, style=_STYLE)


def shown_series(finding: Finding, most: int) -> list[int]:
    """Return the series worth a chart: those with the newest alarms, then those with the most cases."""
    alarm = finding.is_alarm
    newest = np.where(alarm.any(axis=0), alarm.shape[0] - alarm[::-1].argmax(axis=0), 0)
    cases = finding.counts.values[finding.detection.times].sum(axis=0)
    order = np.lexsort((-cases, -newest))[:most]
    return [int(series) for series in order]


def _legend(finding: Finding) -> str:
    last = _USUAL if rests_on_several(finding) else _BOUND
    items = "".join(
        f'<li><svg viewBox="0 0 30 15" aria-hidden="true">{drawn}</svg>{escape(name)}</li>'
        for name, drawn in (*_LEGEND, last)
    )
    return f'<ul class="legend">{items}</ul>'


def _more(finding: Finding, drawn: int) -> str:
    series = len(finding.counts.names)
    if drawn == series:
        return ""
    return (
        f"<p>{drawn} of {series:,} series are shown: those with the newest alarms, then those with the most "
        "cases. All numbers are in the table beside this page.</p>"
    )


def _figure(at: int, shown: Curve) -> str:
    return (
        f"<section><h3>{escape(shown.name)}</h3>\n<figure>{svg(shown, WIDE, f'wide-{at}')}"
        f"{svg(shown, NARROW, f'narrow-{at}')}</figure>\n{_numbers(shown)}</section>\n"
    )


def _alarms(finding: Finding) -> str:
    total = int(finding.is_alarm.sum())
    if not total:
        return "<p>No count lies above its bound.</p>"
    newest = list(islice(finding.alarms(), MOST_ALARMS))
    caption = f"Alarms, the newest first ({total:,})"
    if total > len(newest):
        caption = f"The newest {len(newest)} of {total:,} alarms; all are in the table beside this page"
    head = row(["series", finding.counts.step, "cases", "expected", "upper bound"], "col", text=2)
    body = "\n".join(_alarm(alarm) for alarm in newest)
    return scrolled(caption, f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>")


def _alarm(alarm: Alarm) -> str:
    cells = [alarm.series, alarm.time, f"{alarm.observed:,}", _number(alarm.expected), _number(alarm.upper)]
    return row(cells, "row", text=2, marked=alarm.is_newest)


def _numbers(shown: Curve) -> str:
    head = row(["time", "cases", "expected", "upper bound", "alarm"], "col", text=1)
    rows = []
    for at in range(len(shown.labels) - 1, shown.tested_from - 1, -1):
        alarm = bool(shown.alarm[at])
        numbers = [f"{shown.observed[at]:,}", _number(shown.expected[at]), _number(shown.upper[at])]
        cells = [shown.labels[at], *numbers, "yes" if alarm else ""]
        rows.append(row(cells, "row", text=1, marked=alarm))
    body = "\n".join(rows)
    table = scrolled(f"{shown.name}: the times tested", f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>")
    return f"<details><summary>The numbers: {escape(shown.name)}</summary>\n{table}</details>\n"


def _method(finding: Finding) -> str:
    detection = finding.detection
    settings = "; ".join(f"{name} {value}" for name, value in detection.settings.items())
    rows = [
        ("Method", f"{detection.title}: it {detection.says}."),
        ("Why this one", f"{detection.why}."),
        ("Settings", settings),
        ("Made with", f"Broad Street {__version__}, broadstreet.analysis.aberration.{detection.method}"),
    ]
    return terms(rows)


def _number(value: float) -> str:
    return f"{value:,.1f}" if np.isfinite(value) else "no value"
