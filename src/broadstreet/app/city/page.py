"""The page of a run: one HTML file without network or script, with the truth beside what was seen."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape

from broadstreet import __version__
from broadstreet.app.city.picture import alt_text
from broadstreet.app.city.telling import Course, lead, rows

Row = Sequence[object]

# Contrasts on white: text 14:1, captions at least 7:1 (WCAG 2.2 AAA asks for 7:1).
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 66rem; padding: 1rem; background: #fff; color: #1d2733;
       font: 1.05rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .6rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #12355b; padding-bottom: .2rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .2rem; }
.lead { font-size: 1.2rem; }
figure { margin: 1rem 0; } img { width: 100%; height: auto; display: block; }
figcaption { color: #44515e; font-size: .95rem; }
dl { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: .3rem 1rem; margin: .5rem 0; }
dt { color: #44515e; } dd { margin: 0; font-weight: 600; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
.scroll { max-height: 28rem; overflow: auto; margin: .5rem 0; border: 1px solid #6b7885; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem; }
th, td { padding: .2rem .45rem; text-align: right; border-bottom: 1px solid #d5dbe1;
         overflow-wrap: normal; }
@media (max-width: 30rem) { table { font-size: .85rem; } th, td { padding: .2rem .25rem; } }
th:first-child, td:first-child { text-align: left; }
thead th { position: sticky; top: 0; background: #eef2f6; }
summary { cursor: pointer; padding: .55rem 0; font-weight: 600; }
:focus-visible { outline: 3px solid #12355b; outline-offset: 2px; }
@media print { .scroll { max-height: none; } }
"""


def page(title: str, run: Sequence[tuple[str, str]], told: Sequence[tuple[Course, bytes, bytes]]) -> str:
    """Return the page.

    Parameters
    ----------
    title
        Of the page.
    run
        What was asked for: names and values.
    told
        Each pathogen's course, with its picture as PNG for large and for small screens.
    """
    return f"""<!DOCTYPE html>
<html lang="en"> <head> <meta charset="utf-8"> <meta name="viewport" content="width=device-width,
initial-scale=1"> <title>{escape(title)}</title> <link rel="icon" href="data:,"> <style>{_STYLE}</style>
</head> <body> <main> <h1>{escape(title)}</h1> {"".join(_told(*each) for each in told)} <h2>The run</h2>
{_list(run)} <h2>What it cannot say</h2> <ul> <li>The city is made up from published averages; its epidemics
are plausible, they are no forecast for any city.</li> <li>People change what they do only when they are
ill, or by the interventions of the run, not out of fear.</li> <li>Another seed gives another epidemic:
differences between two single runs are chance for the most part. Ask <code>broadstreet city what-if</code>
for the difference that an action makes, with its interval.</li> </ul> </main> <footer><p>Broad Street
{escape(__version__)}</p></footer> </body> </html>
"""


def _told(course: Course, wide: bytes, narrow: bytes) -> str:
    daily = course.daily
    days = [(course.first_day + timedelta(days=at)).isoformat() for at in range(len(daily.infected))]
    by_day = zip(days, daily.infected, daily.ill, daily.reported, strict=True)
    ages = [
        (f"{first} to {last}" if last < 120 else f"{first} and older", f"{of:,}", f"{hit:,}", _share(hit, of))
        for first, last, of, hit in course.ages
    ]
    places = [
        (f"{name} ({code})", f"{of:,}", f"{hit:,}", _share(hit, of))
        for code, name, of, hit in course.districts
    ]
    where = [(name, f"{n:,}", _share(n, course.infections)) for name, n in course.settings.items()]
    return f"""<h2>{escape(course.title)}</h2>
<p class="lead">{escape(lead(course))}</p>
<figure>
<picture>
<source media="(max-width: 40rem)" srcset="{_data(narrow)}">
<img src="{_data(wide)}" alt="{escape(alt_text(course))}">
</picture>
<figcaption>Solid line: infections, which nobody sees in a real city. Dashed: first symptoms. Dotted: results
that reached the health office.</figcaption>
</figure>
{_list(rows(course))}
<h3>Where people were infected</h3>
{_table("Infections by place", ("place", "infections", "share"), where)}
<h3>Who was infected</h3>
{_table("By age", ("age", "people", "infected", "share"), ages)}
{_table("By home district", ("district", "people", "infected", "share"), places)}
<details><summary>Day by day</summary>
{_table("People a day", ("day", "infected", "fell ill", "reported"), by_day)}
</details>
"""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _list(told: Iterable[tuple[str, str]]) -> str:
    return "<dl>\n" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in told) + "</dl>"


def _table(caption: str, head: Sequence[str], body: Iterable[Row]) -> str:
    headings = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    lines = []
    for first, *others in body:
        cells = "".join(f"<td>{escape(str(each))}</td>" for each in others)
        lines.append(f'<tr><th scope="row">{escape(str(first))}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">\n'
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{headings}</tr></thead>\n"
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>\n"
    )
