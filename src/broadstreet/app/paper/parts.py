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


def stacked(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, text: int) -> str:
    """Return a table that is shown whole; where it is narrow, each row is a list of its cells.

    Roles are written out, since a table that is not laid out as one would else be none to a screen reader.
    """
    name = escape(caption)
    body = "\n".join(f'<tr role="row">{_named_cells(each, head, text)}</tr>' for each in rows)
    top = "".join(
        f'<th scope="col" role="columnheader"{_text(at < text)}>{escape(each)}</th>'
        for at, each in enumerate(head)
    )
    return (
        f'<table class="stacked" role="table"><caption>{name}</caption>\n<thead role="rowgroup">'
        f'<tr role="row">{top}</tr></thead>\n<tbody role="rowgroup">{body}</tbody></table>\n'
    )


def _named_cells(cells: Sequence[str], head: Sequence[str], text: int) -> str:
    parts = []
    for at, (cell, name) in enumerate(zip(cells, head, strict=True)):
        tag, role = ('th scope="row"', "rowheader") if at == 0 else ("td", "cell")
        end, shown = tag.split(maxsplit=1)[0], escape(cell)
        parts.append(f'<{tag} role="{role}" data-name="{escape(name)}"{_text(at < text)}>{shown}</{end}>')
    return "".join(parts)


def _text(is_text: bool) -> str:
    return ' class="text"' if is_text else ""


def terms(rows: Iterable[tuple[str, str]]) -> str:
    """Return what is said about each of some terms."""
    return "<dl>\n" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in rows) + "</dl>"


def lines(said: Iterable[str]) -> str:
    """Return sentences as a list."""
    return "<ul>\n" + "".join(f"<li>{escape(line)}</li>\n" for line in said) + "</ul>"
