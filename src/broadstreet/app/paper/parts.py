"""Tables and lists of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def row(cells: Sequence[str], scope: str, *, text: int, marked: bool = False) -> str:
    """Return a row; the first cells are text. Of scope "col" all are headings, of "row" the first is."""
    parts = []
    for at, cell in enumerate(cells):
        kind = ' class="text"' if at < text else ""
        heading = scope == "col" or at == 0
        tag = f'th scope="{scope}"' if heading else "td"
        parts.append(f"<{tag}{kind}>{escape(cell)}</{tag.split(maxsplit=1)[0]}>")
    style = ' class="marked"' if marked else ""
    return f"<tr{style}>{''.join(parts)}</tr>"


def scrolled(caption: str, inner: str) -> str:
    """Return a table that scrolls by itself, also with the keyboard."""
    name = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table><caption>{name}</caption>\n{inner}</table></div>\n"
    )


def terms(rows: Iterable[tuple[str, str]]) -> str:
    """Return what is said about each of some terms."""
    return "<dl>\n" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in rows) + "</dl>"


def lines(said: Iterable[str]) -> str:
    """Return sentences as a list."""
    return "<ul>\n" + "".join(f"<li>{escape(line)}</li>\n" for line in said) + "</ul>"
