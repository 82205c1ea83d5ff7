"""Cases as rows on a time axis: the tree of who infected whom, and what happened to each case."""

from __future__ import annotations

from html import escape

from broadstreet.app.investigate.axis import Axis
from broadstreet.app.investigate.forest import Drawn
from broadstreet.app.investigate.investigation import Investigation
from broadstreet.app.investigate.labels import labels
from broadstreet.app.investigate.sentences import percent, unbroken

_ROW = 20.0
_SURE, _LIKELY = 0.8, 0.5
_LAST_PLACE = 85.0  # percent of the width: a number does not fit to the right of it
# What a case's row shows: role, how it is drawn, and what it is called.
_DOWN, _UP = "M-5-4h10l-5 9z", "M-5 5h10l-5-9z"
EVENTS = {
    "onset": '<circle class="onset" r="5"/>',
    "diagnosed": '<path class="diagnosed" d="M0-6 6 0 0 6-6 0z"/>',
    "hospitalised": f'<path class="hospitalised" d="{_UP}"/>',
    "isolated": '<rect class="isolated" x="-4.5" y="-4.5" width="9" height="9"/>',
    "reported": f'<path class="reported" d="{_DOWN}"/>',
    "died": '<path class="died" d="M-5-5 5 5M-5 5 5-5"/>',
}
NAMES = {
    "onset": "onset", "diagnosed": "diagnosis", "hospitalised": "admission", "isolated": "isolation",
    "reported": "report", "died": "death",
}  # fmt: skip


def time_axis(found: Investigation, drawn: list[Drawn]) -> Axis:
    """Return the axis that holds all days of the cases drawn."""
    days = [
        day for one in drawn for values in found.cases.days.values() if (day := values[one.at]) is not None
    ]
    return Axis(min(days), max(days), found.cases.dated)


def tree(found: Investigation, drawn: list[Drawn], axis: Axis) -> str:
    """Return the most probable tree: a row a case, below the one that infected it."""
    x = [axis.at(_day(found, one)) for one in drawn]
    links, marks = [], []
    for row, one in enumerate(drawn):
        y = _middle(row)
        if one.parent is not None:
            links.append(_link(x[one.parent], _middle(one.parent), x[row], y, one, drawn[one.parent].at))
        known = found.cases.first_day(one.at)
        hollow = known is not None and known[0] != "onset"
        if one.parent is not None:
            marks.append(_chance(x[row], y, one.probability))
        kind = "root" if one.parent is None else "onset"
        marks.append(
            f'<g class="case" data-case="{one.at}" role="option" aria-selected="false" '
            f'aria-label="{escape(_in_words(found, one, drawn))}">'
            f'<rect class="hit" x="0" y="{y - _ROW / 2:g}" width="100%" height="{_ROW:g}"/>'
            f'<circle class="{kind}{" hollow" if hollow else ""}" cx="{x[row]}%" cy="{y:g}" r="5"/></g>'
        )
    return _chart(found, drawn, axis, "".join(links) + "".join(marks), "Who infected whom")


def timeline(found: Investigation, drawn: list[Drawn], axis: Axis) -> str:
    """Return what happened to each case: exposure, onset, diagnosis, admission, isolation, death."""
    days = found.cases.days
    parts = []
    for row, one in enumerate(drawn):
        y = _middle(row)
        inner = [f'<rect class="hit" x="0" y="{y - _ROW / 2:g}" width="100%" height="{_ROW:g}"/>']
        inner += _exposure(found, one.at, axis, y)
        for role, shape in EVENTS.items():
            if role in days and (day := days[role][one.at]) is not None:
                inner.append(f'<svg class="event" x="{axis.at(day)}%" y="{y:g}">{shape}</svg>')
        parts.append(
            f'<g class="case" data-case="{one.at}" role="option" aria-selected="false" '
            f'aria-label="{escape(_events_in_words(found, one.at))}">{"".join(inner)}</g>'
        )
    return _chart(found, drawn, axis, "".join(parts), "Case by case")


def _chart(found: Investigation, drawn: list[Drawn], axis: Axis, inner: str, name: str) -> str:
    height = _ROW * len(drawn)
    backs = "".join(
        f'<rect class="back" data-case="{one.at}" x="0" y="{_ROW * row:g}" width="100%" height="{_ROW:g}"/>'
        for row, one in enumerate(drawn)
    )
    shown = labels([found.cases.ids[one.at] for one in drawn])
    names = "".join(
        f'<text x="100%" dx="-6" text-anchor="end" y="{_middle(row) + 4:g}" data-case="{one.at}">'
        f"{escape(said)}</text>"
        for row, (one, said) in enumerate(zip(drawn, shown, strict=True))
    )
    return (
        f'<div class="rows" tabindex="0" role="listbox" aria-label="{escape(name)}: cases, by arrow keys">'
        f'<div class="head" aria-hidden="true"></div><svg class="head" aria-hidden="true" height="24">'
        f"{axis.labels(17)}</svg>"
        f'<svg class="names" aria-hidden="true" height="{height:g}">{names}</svg>'
        f'<svg class="plot" role="presentation" height="{height:g}">'
        f"{backs}{axis.lines(height)}{inner}</svg></div>"
    )


def _middle(row: int) -> float:
    return _ROW * (row + 0.5)


def _day(found: Investigation, one: Drawn) -> int:
    known = found.cases.first_day(one.at)
    assert known is not None  # only cases that can be placed in time are drawn
    return known[1]


def _link(x0: float, y0: float, x1: float, y1: float, one: Drawn, parent: int) -> str:
    """Return a link as two lines: down from the infector, then to the case."""
    kind = "sure" if one.probability >= _SURE else "likely" if one.probability >= _LIKELY else "weak"
    return (
        f'<g class="link {kind}" data-to="{one.at}" data-from="{parent}">'
        f'<line x1="{x0}%" x2="{x0}%" y1="{y0:g}" y2="{y1:g}"/>'
        f'<line x1="{x0}%" x2="{x1}%" y1="{y1:g}" y2="{y1:g}"/></g>'
    )


def _chance(x: float, y: float, probability: float) -> str:
    """Return the probability of a link, beside its case: left of it where there is no room to the right."""
    anchor, shift = ("end", -9) if x > _LAST_PLACE else ("start", 9)
    said = escape(unbroken(percent(probability)))
    return f'<text class="odds" x="{x}%" dx="{shift}" y="{y + 4:g}" text-anchor="{anchor}">{said}</text>'


def _exposure(found: Investigation, at: int, axis: Axis, y: float) -> list[str]:
    days = found.cases.days
    begin, end = (days[role][at] if role in days else None for role in ("exposed_from", "exposed_to"))
    if begin is None and end is None and "infected" in days:
        begin = end = days["infected"][at]
    if begin is None and end is None:
        return []
    first = axis.at(begin if begin is not None else axis.first)
    last = axis.at(end if end is not None else axis.last)
    return [
        f'<rect class="exposure" x="{first}%" y="{y - 4:g}" height="8" '
        f'width="{max(last - first, 0.6):.2f}%"/>'
    ]


def _in_words(found: Investigation, one: Drawn, drawn: list[Drawn]) -> str:
    cases = found.cases
    known = cases.first_day(one.at)
    when = f", {NAMES.get(known[0], known[0])} {cases.label(known[1])}" if known else ""
    if one.parent is None:
        return f"{cases.ids[one.at]}{when}, no infector in the list"
    by = cases.ids[drawn[one.parent].at]
    return f"{cases.ids[one.at]}{when}, infected by {by}, probability {one.probability:.0%}"


def _events_in_words(found: Investigation, at: int) -> str:
    cases = found.cases
    told = [cases.ids[at]]
    for role, name in ({"exposed_from": "exposed from", "exposed_to": "exposed to"} | NAMES).items():
        if role in cases.days and (day := cases.days[role][at]) is not None:
            told.append(f"{name} {cases.label(day)}")
    return ", ".join(told)
