"""The page of a detection: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

import numpy as np

from broadstreet import __version__
from broadstreet.app.detect.chart import COLOURS, NARROW, WIDE, Curve, curve, svg
from broadstreet.app.detect.finding import Alarm, Finding

MOST_CHARTS = 24
MOST_ALARMS = 200

# Text on its ground at least 7:1 in both schemes, what is drawn at least 3:1 (WCAG 2.2, 1.4.6 and 1.4.11).
_DARK = {
    "ink": "#e6ebf0", "ground": "#12181f", "grid": "#3a4652", "bar": "#7ba3cc", "past": "#7d8a97",
    "alarm": "#ff8a95", "expected": "#bcdcff", "upper": "#ffc078",
}  # fmt: skip


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _classes() -> str:
    rules = (f".{n} {{ fill: var(--{n}); }} .line.{n} {{ fill: none; stroke: var(--{n}); }}" for n in COLOURS)
    return "\n".join(rules)


_STYLE = f"""
:root {{ color-scheme: light dark; {_variables(COLOURS)} --soft: #eef2f6; --marked: #fde7ea; }}
@media (prefers-color-scheme: dark) {{
  :root {{ {_variables(_DARK)} --soft: #1c2530; --marked: #4a1620; }}
}}
body {{ margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--ink);
       font: 1.05rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: .6rem 0; }}
h2 {{ font-size: 1.25rem; margin: 2rem 0 .5rem; padding-bottom: .2rem;
     border-bottom: 2px solid var(--expected); }}
h3 {{ font-size: 1.05rem; margin: 1.4rem 0 .2rem; }}
.lead {{ font-size: 1.2rem; }}
figure {{ margin: .2rem 0 .6rem; }}
svg {{ width: 100%; height: auto; display: block; font-family: inherit; }}
svg.narrow {{ display: none; }}
@media (max-width: 40rem) {{ svg.wide {{ display: none; }} svg.narrow {{ display: block; }} }}
{_classes()}
.legend {{ list-style: none; padding: 0; margin: .4rem 0;
           display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; }}
.legend svg {{ display: inline-block; width: 1.8rem; height: .9rem; margin-right: .4rem;
               vertical-align: -.1rem; }}
dl {{ display: grid; grid-template-columns: minmax(7rem, 14rem) 1fr; gap: .3rem 1rem; margin: .5rem 0; }}
dd {{ margin: 0; font-weight: 600; }}
@media (max-width: 30rem) {{ dl {{ grid-template-columns: 1fr; gap: 0; }} dd {{ margin-bottom: .5rem; }} }}
.scroll {{ max-height: 30rem; overflow: auto; border: 1px solid var(--past); }}
table {{ border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: 600; padding: .4rem; }}
th, td {{ padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--grid);
         overflow-wrap: normal; }}
tbody th {{ min-width: 4.2rem; overflow-wrap: break-word; }}
td.text {{ white-space: nowrap; }}
@media (max-width: 30rem) {{ table {{ font-size: .85rem; }} th, td {{ padding: .25rem .3rem; }} }}
th.text, td.text, tbody th {{ text-align: left; }}
thead th {{ position: sticky; top: 0; background: var(--soft); }}
tr.marked > * {{ background: var(--marked); }}
summary {{ cursor: pointer; padding: .55rem 0; font-weight: 600; }}
:focus-visible {{ outline: 3px solid var(--expected); outline-offset: 2px; }}
@media print {{ .scroll {{ max-height: none; }} }}
"""
_LEGEND = [
    ("cases", '<rect class="bar" x="6" width="18" height="15"/>'),
    ("cases before the first time tested", '<rect class="past" x="6" width="18" height="15"/>'),
    (
        "alarm",
        '<rect class="alarm" x="6" y="8" width="18" height="7"/><path class="alarm" d="M15 8l-5 -8h10z"/>',
    ),
    ("expected", '<path class="line expected" d="M0 8H30" stroke-width="2.5"/>'),
    ("upper bound", '<path class="line upper" d="M0 8H30" stroke-width="2.5" stroke-dasharray="6 3"/>'),
]


def page(finding: Finding) -> str:
    """Return the page."""
    title = f"{'Alarms' if finding.is_alarm.any() else 'No alarm'} in {finding.source}"
    curves = [curve(finding, series) for series in shown_series(finding, MOST_CHARTS)]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="lead">{escape(finding.lead())}</p>
<h2>What stands out</h2>
{_alarms(finding)}
<h2>The counts</h2>
{_legend()}
{_more(finding, len(curves))}
{"".join(_figure(at, one) for at, one in enumerate(curves))}
<h2>How it was tested</h2>
{_method(finding)}
<h2>What to keep in mind</h2>
{_lines(finding.cautions())}
<h2>How the file was read</h2>
{_lines(finding.counts.notes)}
</main>
</body>
</html>
"""


def shown_series(finding: Finding, most: int) -> list[int]:
    """Return the series worth a chart: those with the newest alarms, then those with the most cases."""
    alarm = finding.is_alarm
    newest = np.where(alarm.any(axis=0), alarm.shape[0] - alarm[::-1].argmax(axis=0), 0)
    cases = finding.counts.values[finding.detection.times].sum(axis=0)
    order = np.lexsort((-cases, -newest))[:most]
    return [int(series) for series in order]


def _legend() -> str:
    items = "".join(
        f'<li><svg viewBox="0 0 30 15" aria-hidden="true">{drawn}</svg>{escape(name)}</li>'
        for name, drawn in _LEGEND
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
    head = _row(["series", finding.counts.step, "cases", "expected", "upper bound"], "col", text=2)
    body = "\n".join(_alarm(alarm) for alarm in newest)
    return _scrolled(caption, f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>")


def _alarm(alarm: Alarm) -> str:
    cells = [alarm.series, alarm.time, f"{alarm.observed:,}", _number(alarm.expected), _number(alarm.upper)]
    return _row(cells, "row", text=2, marked=alarm.is_newest)


def _numbers(shown: Curve) -> str:
    head = _row(["time", "cases", "expected", "upper bound", "alarm"], "col", text=1)
    rows = []
    for at in range(len(shown.labels) - 1, shown.tested_from - 1, -1):
        alarm = bool(shown.alarm[at])
        numbers = [f"{shown.observed[at]:,}", _number(shown.expected[at]), _number(shown.upper[at])]
        cells = [shown.labels[at], *numbers, "yes" if alarm else ""]
        rows.append(_row(cells, "row", text=1, marked=alarm))
    body = "\n".join(rows)
    table = _scrolled(f"{shown.name}: the times tested", f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>")
    return f"<details><summary>The numbers: {escape(shown.name)}</summary>\n{table}</details>\n"


def _row(cells: Sequence[str], scope: str, *, text: int, marked: bool = False) -> str:
    """Return a row; the first cells are text. Of scope "col" all are headings, of "row" the first is."""
    parts = []
    for at, cell in enumerate(cells):
        kind = ' class="text"' if at < text else ""
        heading = scope == "col" or at == 0
        tag = f'th scope="{scope}"' if heading else "td"
        parts.append(f"<{tag}{kind}>{escape(cell)}</{tag.split(maxsplit=1)[0]}>")
    style = ' class="marked"' if marked else ""
    return f"<tr{style}>{''.join(parts)}</tr>"


def _scrolled(caption: str, inner: str) -> str:
    name = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table><caption>{name}</caption>\n{inner}</table></div>\n"
    )


def _method(finding: Finding) -> str:
    detection = finding.detection
    settings = "; ".join(f"{name} {value}" for name, value in detection.settings.items())
    rows = [
        ("Method", f"{detection.title}: it {detection.says}."),
        ("Why this one", f"{detection.why}."),
        ("Settings", settings),
        ("Made with", f"Broad Street {__version__}, broadstreet.analysis.aberration.{detection.method}"),
    ]
    return "<dl>\n" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in rows) + "</dl>"


def _lines(lines: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{escape(line)}</li>\n" for line in lines) + "</ul>"


def _number(value: float) -> str:
    return f"{value:,.1f}" if np.isfinite(value) else "no value"
