"""The page of an investigation: one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import msgspec

from broadstreet import __version__
from broadstreet.analysis.transmission import Transmission
from broadstreet.app.investigate import shares, story
from broadstreet.app.investigate.chart_map import draw_map
from broadstreet.app.investigate.curve import epidemic_curve, reproduction_chart
from broadstreet.app.investigate.forest import MOST_DRAWN, Drawn, arranged
from broadstreet.app.investigate.investigation import Investigation, best_times, impossible
from broadstreet.app.investigate.rows import EVENTS, NAMES, time_axis, timeline, tree
from broadstreet.app.investigate.sentences import counted, percent, unbroken
from broadstreet.app.paper.parts import lines, row, scrolled, terms
from broadstreet.app.paper.style import document, sheet

MOST_ROWS = 200
"""Of a table on the page; the file beside it has all."""
_ALTERNATIVES = 6
_LIGHT = {
    "bar": "#5c7fa3", "index": "#b3261e", "second": "#7a3b00", "third": "#1f6b4f", "catchment": "#c9dcf0",
    "age0": "#7593b8", "age1": "#4d74a6", "age2": "#2a4f85", "age3": "#10284f",
}  # fmt: skip
_DARK = {
    "bar": "#7ba3cc", "index": "#ff8a95", "second": "#ffc078", "third": "#7fd6b4", "catchment": "#24415f",
    "age0": "#54779f", "age1": "#7d9fc7", "age2": "#a9c6e8", "age3": "#dcebff",
}  # fmt: skip


def page(found: Investigation) -> str:
    """Return the page."""
    title = f"Investigation of {found.cases.file}"
    drawn, placed = arranged(found) if found.cases.has_days else ([], 0)
    sections = [
        f"<h1>{escape(title)}</h1>",
        _tiles(found),
        lines(map(unbroken, story.lead(found))),
        _section("Cases over time", epidemic_curve(found)),
        _section("Where on the map", _map(found)),
        _section("Which site explains the cases", _sites(found)),
        _section("Which place and time explains the cases", _places(found)),
        _section("Where it began", _sources(found)),
        _section("Who infected whom", _tree(found, drawn, placed)),
        _section("Case by case", _timeline(found, drawn, placed)),
        _section("All links", _links(found)),
        _section("Declared links that cannot be", _impossible(found)),
        _section("How many each case infected", reproduction_chart(found)),
        _section("Rows that could not be used", _aside(found)),
        _section("What to keep in mind", lines(map(unbroken, story.cautions(found)))),
        _section("How it was done", terms(_methods(found))),
        _section("How the files were read", lines(found.notes) if found.notes else ""),
    ]
    script = _own("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return document(
        title,
        "\n".join(part for part in sections if part),
        style=sheet(_LIGHT, _DARK) + _own("page.css"),
        script=(
            f'<script type="application/json" id="cases">{_data(found, drawn)}</script>\n'
            f"<script>{script}</script>\n"
        ),
        policy=f"; script-src 'sha256-{digest}'",
    )


def _own(name: str) -> str:
    return files("broadstreet.app.investigate").joinpath(name).read_text(encoding="utf-8")


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{inner}</section>" if inner else ""


def _tiles(found: Investigation) -> str:
    items = "".join(
        f"<li><b>{escape(unbroken(t.number))}</b>{escape(unbroken(t.what))}</li>" for t in story.tiles(found)
    )
    return f'<ul class="tiles">{items}</ul>'


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, text: int, total: int) -> str:
    """Return a table of at most so many rows; the first columns are text."""
    if total > MOST_ROWS:
        caption = f"{caption}: {MOST_ROWS} of {total:,}; all are in the table beside this page"
    body = "\n".join(
        row([*map(unbroken, cells)], "row", text=text)
        for cells, _ in zip(rows, range(MOST_ROWS), strict=False)
    )
    return scrolled(caption, f"<thead>{row(head, 'col', text=text)}</thead>\n<tbody>\n{body}\n</tbody>")


def _map(found: Investigation) -> str:
    drawn = draw_map(found)
    if not drawn:
        return ""
    legend = (
        [("dot", "case in the catchment of the first site"), ("dot outside", "other case")]
        if found.sites
        else [("dot age0", "first quarter of the cases"), ("dot age3", "last quarter")]
    )
    items = [(f'<path class="{kind}" d="M15 8h0"/>', said) for kind, said in legend]
    if found.sites:
        items += [
            ('<g class="site first"><path d="M15 8h0"/></g>', "the site that comes first"),
            ('<g class="site other"><path d="M15 8h0"/></g>', "other site"),
        ]
    return _legend(items) + drawn


def _legend(items: Iterable[tuple[str, str]]) -> str:
    return '<ul class="legend">{}</ul>'.format(
        "".join(
            f'<li><svg viewBox="0 0 30 16" aria-hidden="true">{d}</svg>{escape(s)}</li>' for d, s in items
        )
    )


def _sites(found: Investigation) -> str:
    if found.sites is None:
        return ""
    sites, unit = found.sites.sites, found.sites.unit
    reach = f"reach{f' ({unit})' if unit else ''}"
    head = ("site", "probability", "cases nearest to it", "expected", "ratio", reach, "log Bayes factor")
    columns = ("site", "probability", "nearest", "expected", "ratio", "reach", "log_bayes_factor")
    rows = (
        (str(s), percent(p), f"{n:,}", f"{e:.1f}", f"{r:.2f}", f"{h:.3g}", f"{b:.1f}")
        for s, p, n, e, r, h, b in zip(*(sites[c] for c in columns), strict=True)
    )
    return _table("Sites, the most probable first", head, rows, text=1, total=len(sites["site"]))


def _places(found: Investigation) -> str:
    if found.places is None:
        return ""
    places = found.places.places
    then = best_times(found)
    head = (
        "place", "best time", "probability", "cases then", "expected then", "cases on all days",
        "expected on all days", "odds ratio", "false discovery rate",
    )  # fmt: skip
    columns = ("place", "first", "last", "probability", "cases", "expected", "odds_ratio", "q_value")
    rows = (
        (
            str(w),
            str(a) if a == b else f"{a} to {b}",
            percent(p),
            str(then[w][0]),
            f"{then[w][1]:.1f}",
            str(n),
            f"{e:.1f}",
            f"{o:.1f}",
            f"{q:.2g}",
        )
        for w, a, b, p, n, e, o, q in zip(*(places[c] for c in columns), strict=True)
    )
    common = (
        f"<p>A common source has a probability of {percent(found.places.common_source)}, against "
        "spread from "
        "person to person and from elsewhere.</p>"
    )
    return common + _table("Places, the most probable first", head, rows, text=2, total=len(places["place"]))


def _sources(found: Investigation) -> str:
    if found.links is None:
        return ""
    sources = found.links.sources
    rows = [
        (str(case), str(onset or "not known"), percent(chance), percent(unseen))
        for case, onset, chance, unseen in zip(
            *(sources[c] for c in ("case", "onset", "probability", "unseen")), strict=True
        )
        if chance >= 0.01
    ][:20]
    head = ("case", "onset", "no case of the list before it", "somebody unseen between")
    return _table("Cases that may be where it began", head, rows, text=2, total=len(rows))


def _more(placed: int) -> str:
    if placed <= MOST_DRAWN:
        return ""
    return (
        f"<p>{MOST_DRAWN} of {placed:,} cases are drawn, the largest trees first. All are in the tables.</p>"
    )


_TREE_LEGEND = [
    ('<circle class="root" cx="15" cy="8" r="5"/>', "no infector in the list"),
    ('<circle class="onset" cx="15" cy="8" r="5"/>', "onset"),
    ('<circle class="hollow" cx="15" cy="8" r="5"/>', "onset not known, another date"),
    ('<g class="link sure"><line x1="0" x2="30" y1="8" y2="8"/></g>', "link of 80 % or more"),
    ('<g class="link likely"><line x1="0" x2="30" y1="8" y2="8"/></g>', "50 to 80 %"),
    ('<g class="link weak"><line x1="0" x2="30" y1="8" y2="8"/></g>', "below 50 %"),
]


def _tree(found: Investigation, drawn: list[Drawn], placed: int) -> str:
    if found.links is None or not drawn:
        return ""
    axis = time_axis(found, drawn)
    return (
        "<p>The most probable tree: each case stands below the one that infected it, with the probability of "
        "that beside it. Point at a case, or move with the arrow keys, to see who else may have infected it, "
        "and why.</p>"
        f"{_more(placed)}{_legend(_TREE_LEGEND)}"
        f'<div class="board">{tree(found, drawn, axis)}'
        '<aside class="panel" aria-live="polite" aria-label="The case that is pointed at">'
        "<p>Point at a case to see the alternatives.</p></aside></div>"
        f"{_tree_table(found)}"
    )


def _tree_table(found: Investigation) -> str:
    """Return the tree as a table, for paper and for those who do not see it."""
    assert found.links is not None
    tree = found.links.tree
    columns = ("case", "onset", "infector", "probability", "unseen")
    rows = (
        (str(case), str(onset or "not known"), _infector(by, unseen), percent(chance))
        for case, onset, by, chance, unseen in zip(*(tree[name] for name in columns), strict=True)
    )
    head = ("case", "onset", "infector in the tree", "probability")
    size = len(tree["case"])
    table = _table("The most probable tree", head, rows, text=3, total=size)
    links = size - tree["infector"].count(None)
    told = f"{counted(links, 'link')}, {counted(size - links, 'case')} without an infector in the list"
    return f"<details><summary>The tree as a table: {told}</summary>\n{table}</details>"


def _infector(name: str | None, unseen: int | None) -> str:
    if name is not None:
        return name
    return f"through {counted(unseen, 'unseen case')}" if unseen else "nobody in the list"


def _timeline(found: Investigation, drawn: list[Drawn], placed: int) -> str:
    if not drawn:
        return ""
    items = [('<rect class="exposure" x="2" y="4" width="26" height="8"/>', "exposure")]
    items += [
        (f'<g transform="translate(15 8)">{shape}</g>', NAMES[role])
        for role, shape in EVENTS.items()
        if role in found.cases.days
    ]
    if not {"exposed_from", "exposed_to", "infected"} & set(found.cases.days):
        items = items[1:]
    return _more(placed) + _legend(items) + timeline(found, drawn, time_axis(found, drawn))


def _links(found: Investigation) -> str:
    if found.links is None:
        return ""
    infectors = found.links.infectors
    columns = [infectors[c] for c in ("case", "infector", "probability", "reasons")]
    first: dict[str, tuple[str, str, str, str]] = {}
    for case, by, chance, why in zip(*columns, strict=True):
        first.setdefault(case, (case, by or "nobody in the list", why, percent(chance)))
    head = ("case", "most probable infector", "why", "probability")
    table = _table("The most probable infector of each case", head, first.values(), text=3, total=len(first))
    return f"<details><summary>{counted(len(first), 'case')}, with the reasons</summary>\n{table}</details>"


def _impossible(found: Investigation) -> str:
    table = impossible(found)
    if not table.get("case"):
        return ""
    rows = zip(*(map(str, table[c]) for c in ("row", "infector", "case", "why")), strict=True)
    head = ("row", "infector", "case", "why it cannot be")
    return _table("Declared links", head, rows, text=4, total=len(table["case"]))


def _aside(found: Investigation) -> str:
    if not found.aside:
        return "<p>Every row could be used.</p>"
    rows = ((one.file, f"{one.row:,}", one.id, one.why) for one in found.aside)
    caption = f"{counted(len(found.aside), 'row')} set aside"
    return _table(caption, ("file", "row", "id", "why"), rows, text=4, total=len(found.aside))


def _methods(found: Investigation) -> Iterable[tuple[str, str]]:
    belief = found.belief
    if found.links is not None and belief.serial:
        yield "Disease", f"{belief.name[:1].upper()}{belief.name[1:]}"
        yield (
            "From onset to onset",
            f"mean {belief.serial[0]:.1f}, standard deviation {belief.serial[1]:.1f} days "
            f"({belief.serial_source}){_learned(found.links)}",
        )
        if belief.incubation:
            mean, sd = belief.incubation
            told = f"mean {mean:.1f}, standard deviation {sd:.1f} days ({belief.incubation_source})"
            yield "Incubation period", told
        yield "Cases that are in the list", shares.seen(found)
        yield "Cases infected from outside", shares.outside(found)
        yield "Who infected whom", _inference(found)
    if found.places is not None and found.window:
        first, last = found.window
        yield (
            "Places",
            (
                "Bayes factor of each place and time against controls of the same area and age; exposures "
                f"from {first} to "
                f"{last} days before onset; false discovery rate by Benjamini and Hochberg"
            ),
        )
    if found.sites is not None:
        way = "walked along the streets" if found.sites.walking else "as the crow flies"
        yield (
            "Sites",
            f"risk that falls with the distance, {way}; reach and share of other cases are integrated out",
        )
    yield "Made with", f"Broad Street {__version__}"


def _learned(links: Transmission) -> str:
    """Return what the links say of the interval, in the words of the page."""
    told = links.generation
    low, high = told.mean_range
    return f"; with these cases {told.mean:.1f} and {told.sd:.1f} (a mean from {low:.1f} to {high:.1f})"


def _inference(found: Investigation) -> str:
    assert found.links is not None
    told = found.links.diagnostics
    used = ["dates"]
    used += [f"same {name}" for name in found.cases.groups]
    used += ["distance"] if found.cases.points else []
    used += ["exposure windows"] if "exposed_from" in found.cases.days else []
    used += ["declared contacts"] if found.links.study.contacts.source.size else []
    return (
        f"probabilities from {', '.join(used)} ({told['method']}, {told['candidate_pairs']:,} pairs weighed)"
    )


def _data(found: Investigation, drawn: list[Drawn]) -> str:
    """Return what the panel tells of each case drawn, as JSON that cannot end its element."""
    told: dict[str, dict[str, Any]] = {}
    for one in drawn:
        name = found.cases.ids[one.at]
        by = None if one.parent is None else str(drawn[one.parent].at)
        told[str(one.at)] = {"id": name, "when": _when(found, one.at), "by": by, "to": [], "from": []}
        if by is not None:
            told[by]["to"].append(str(one.at))
    if found.links is not None:
        at = {found.cases.ids[one.at]: str(one.at) for one in drawn}
        infectors = found.links.infectors
        columns = [infectors[c] for c in ("case", "infector", "probability", "reasons")]
        for case, infector, chance, why in zip(*columns, strict=True):
            if case in at and len(told[at[case]]["from"]) < _ALTERNATIVES and chance >= 0.005:
                told[at[case]]["from"].append((infector or "nobody in the list", round(100 * chance), why))
    return msgspec.json.encode(told).decode().replace("<", "\\u003c")


def _when(found: Investigation, at: int) -> str:
    """Return what is known of a case's days, in a line."""
    days = found.cases.days

    def label(role: str) -> str | None:
        return found.cases.label(days[role][at]) if role in days else None

    begin, end = label("exposed_from"), label("exposed_to")
    exposed = " ".join(
        word for word in (f"from {begin}" if begin else "", f"to {end}" if end else "") if word
    )
    told = [f"exposed {exposed}"] if exposed else []
    told += [f"{name} {label(role)}" for role, name in NAMES.items() if label(role)]
    return ", ".join(told)
