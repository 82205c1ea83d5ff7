"""The page of a demonstration: one HTML file that needs no network and no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from broadstreet.app.demo.picture import Panel

Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Story:
    """What the page tells: sentences, and tables of numbers."""

    title: str
    lead: str
    injected: Rows
    found: Rows
    others: Sequence[str]
    limits: Sequence[str]
    run: Rows
    alt: str


# Contrasts on white: text 14:1, links and captions at least 7:1 (WCAG 2.2 AAA asks for 7:1).
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: #fff; color: #1d2733;
       font: 1.05rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .6rem 0; }
h2 { font-size: 1.2rem; margin: 1.8rem 0 .4rem; border-bottom: 2px solid #12355b; padding-bottom: .2rem; }
.lead { font-size: 1.2rem; }
figure { margin: 1rem 0; }
img { width: 100%; height: auto; display: block; }
figcaption { color: #44515e; font-size: .95rem; }
dl { display: grid; grid-template-columns: minmax(7rem, 14rem) 1fr; gap: .3rem 1rem; margin: .5rem 0; }
dt { color: #44515e; } dd { margin: 0; font-weight: 600; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
.scroll { max-height: 28rem; overflow: auto; border: 1px solid #6b7885; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem; }
th, td { padding: .2rem .45rem; text-align: right; border-bottom: 1px solid #d5dbe1; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
thead th { position: sticky; top: 0; background: #eef2f6; }
tr.alarm td, tr.alarm th { background: #fde7ea; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
:focus-visible { outline: 3px solid #12355b; outline-offset: 2px; }
"""


def page(story: Story, panels: Sequence[Panel], wide: str, narrow: str) -> str:
    """Return the page.

    Parameters
    ----------
    story
        The sentences and numbers.
    panels
        What the pictures show, for the tables.
    wide, narrow
        The picture as SVG, for large and for small screens.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(story.title)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(story.title)}</h1>
<p class="lead">{escape(story.lead)}</p>
<figure>
<picture>
<source media="(max-width: 40rem)" srcset="{_data(narrow)}">
<img src="{_data(wide)}" alt="{escape(story.alt)}">
</picture>
<figcaption>Bars: visits counted each day. Solid line: what the days before let expect. Blue band: what 19
of 20 quiet days would show. Red bars with triangles: the days that a signal speaks of; several days within
the band may be one together. Amber: the outbreak that was injected.</figcaption>
</figure>
<h2>What was injected</h2>
{_list(story.injected)}
<h2>What was found</h2>
{_list(story.found)}
<h2>What else was signalled</h2>
{_lines(story.others)}
<h2>How sure this is, and what it cannot say</h2>
{_lines(story.limits)}
<h2>The run</h2>
{_list(story.run)}
<h2>The numbers</h2>
{"".join(_table(panel) for panel in panels)}
</main>
</body>
</html>
"""


def _data(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _list(rows: Rows) -> str:
    return "<dl>\n" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in rows) + "</dl>"


def _lines(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
    return f"<ul>\n{items}</ul>" if items else "<p>Nothing.</p>"


def _table(panel: Panel) -> str:
    alarms = set(panel.alarms)
    rows = []
    for day, count, expected, low, high in zip(
        panel.days, panel.counts, panel.expected, panel.low, panel.high, strict=True
    ):
        mark, word = (' class="alarm"', "yes") if day in alarms else ("", "")
        cells = "".join(f"<td>{cell}</td>" for cell in (count, _number(expected), _span(low, high), word))
        rows.append(f'<tr{mark}><th scope="row">{day.isoformat()}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{h}</th>' for h in ("day", "visits", "expected", "quiet day", "signal"))
    return (
        f"<details><summary>{escape(panel.title)}</summary>\n"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(panel.title)}">\n'
        f"<table><caption>{escape(panel.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table></div></details>\n"
    )


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.0f} to {high:.0f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
