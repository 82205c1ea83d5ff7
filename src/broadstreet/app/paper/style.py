"""The style of every page, and the document around it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

# Text on its ground at least 7:1 in both schemes, what is drawn at least 3:1 (WCAG 2.2, 1.4.6 and 1.4.11).
LIGHT = {
    "ink": "#1d2733", "ground": "#ffffff", "grid": "#d5dbe1", "past": "#8493a3", "accent": "#0b3a66",
    "soft": "#eef2f6", "marked": "#fde7ea",
}  # fmt: skip
DARK = {
    "ink": "#e6ebf0", "ground": "#12181f", "grid": "#3a4652", "past": "#7d8a97", "accent": "#bcdcff",
    "soft": "#1c2530", "marked": "#4a1620",
}  # fmt: skip


def document(title: str, body: str, *, style: str, script: str = "", policy: str = "") -> str:
    """Return a page that loads nothing.

    Parameters
    ----------
    title, body, style : str
        Text, HTML and CSS.
    script : str
        HTML at the end of the body: elements of script and data.
    policy : str
        What the content security policy allows beyond inline style and images in the page.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:{policy}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
{script}</body>
</html>
"""


def sheet(light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """Return the style that all pages share, with further colours for both schemes."""
    return (
        f":root {{ color-scheme: light dark; {_variables(LIGHT | dict(light))} }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f"  :root {{ {_variables(DARK | dict(dark))} }}\n}}\n{_BASE}"
    )


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


_BASE = """
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--ink);
       font: 1.05rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .6rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; padding-bottom: .2rem;
     border-bottom: 2px solid var(--accent); }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .2rem; }
.lead { font-size: 1.2rem; }
figure { margin: .2rem 0 .6rem; }
dl { display: grid; grid-template-columns: minmax(7rem, 14rem) 1fr; gap: .3rem 1rem; margin: .5rem 0; }
dd { margin: 0; font-weight: 600; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
.scroll { max-height: 30rem; overflow: auto; border: 1px solid var(--past); }
table { border-collapse: collapse; width: 100%; font-size: .95rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .4rem; }
th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--grid);
         overflow-wrap: normal; }
tbody th { min-width: 4.2rem; overflow-wrap: break-word; }
td.text { white-space: nowrap; }
@media (max-width: 30rem) { table { font-size: .85rem; } th, td { padding: .25rem .3rem; } }
.stacked { border: 1px solid var(--past); }
.stacked td.text { white-space: normal; overflow-wrap: break-word; }
@media (max-width: 40rem) {
  .stacked, .stacked caption, .stacked tbody, .stacked tr, .stacked tbody th, .stacked td { display: block; }
  .stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacked tr { border-bottom: 2px solid var(--past); padding: .3rem 0; }
  .stacked tbody th, .stacked td { display: grid; grid-template-columns: 6.5rem 1fr; gap: .6rem;
    text-align: left; border: 0; font-size: 1rem; padding: .1rem .4rem; overflow-wrap: anywhere; }
  .stacked tbody th::before, .stacked td::before { content: attr(data-name); font-weight: 400; }
}
th.text, td.text, tbody th { text-align: left; }
thead th { position: sticky; top: 0; background: var(--soft); }
tfoot > tr > * { border-top: 2px solid var(--past); text-align: right; }
tfoot > tr > th { text-align: left; }
tr.marked > * { background: var(--marked); }
summary { cursor: pointer; padding: .55rem 0; font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media print { .scroll { max-height: none; } }
"""
