"""Decide which findings of a text are the patient's own, present and asserted.

A cue ("denies", "sister has", "vaccine") takes findings away in its scope:

`next`
    the finding beside it, and those joined to that one by "/", "and", "or";
`item`
    up to the next comma; commas are crossed as far as an "or" stands behind them ("no fever, cough or rash");
`list`
    across commas, up to a stop.

A stop ("but", "complains of", a full stop) ends every scope.
"""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.model.syndromes.lexicon import Match

REACH = 24  # matches that a scope may span; keeps the cost linear
BESIDE = 2  # tokens that may stand between a cue and the finding beside it
_JOINERS = frozenset({"or", "join"})
_STOPS = frozenset({"stop", "sentence"})
_NEUTRAL = frozenset({"finding", "mask", "comma", *_STOPS, *_JOINERS})


def reasons(matches: Sequence[Match]) -> list[Match | None]:
    """Return for each match the cue that takes it away, or None."""
    taken: list[Match | None] = [None] * len(matches)
    for place, match in enumerate(matches):
        entry = match.entry
        if entry.kind in _NEUTRAL:
            continue
        reached = _SIDES[entry.stands](matches, place)
        for index in reached:
            if matches[index].entry.kind == "finding" and taken[index] is None:
                taken[index] = match
    return taken


def _ahead(matches: Sequence[Match], cue: int) -> range:
    entry = matches[cue].entry
    end = _until_stop(matches, cue, 1)
    if entry.scope == "list":
        return range(cue + 1, end)
    if entry.scope == "next":
        return _joined(matches, cue, 1, end)
    crossed = max((i for i in range(cue + 1, end) if matches[i].entry.kind == "or"), default=cue)
    commas = (i for i in range(crossed + 1, end) if matches[i].entry.kind == "comma")
    return range(cue + 1, next(commas, end))


def _back(matches: Sequence[Match], cue: int) -> range:
    """Return what stands before a cue that follows its findings.

    A list before the cue ("fever, cough: none") is taken whole only in a later sentence: what a complaint
    begins with is what the patient came for.
    """
    entry = matches[cue].entry
    end = _until_stop(matches, cue, -1)
    if entry.scope == "next":
        return _joined(matches, cue, -1, end)
    if entry.scope == "list" and end >= 0 and matches[end].entry.kind == "sentence":
        return range(end + 1, cue)
    commas = (i for i in range(cue - 1, end, -1) if matches[i].entry.kind == "comma")
    return range(next(commas, end) + 1, cue)


def _either(matches: Sequence[Match], cue: int) -> range:
    """Return the finding just before the cue ("flu contact"), else what stands after it ("contact: flu")."""
    joined = _joined(matches, cue, -1, _until_stop(matches, cue, -1))
    return joined or _ahead(matches, cue)


def _until_stop(matches: Sequence[Match], cue: int, step: int) -> int:
    index = cue + step
    while 0 <= index < len(matches) and abs(index - cue) <= REACH:
        entry = matches[index].entry
        follows = entry.kind not in _NEUTRAL and entry.stands == "after"
        if entry.kind in _STOPS or (step < 0 and follows):
            break
        index += step
    return index


_SIDES = {"before": _ahead, "after": _back, "both": _either}


def _joined(matches: Sequence[Match], cue: int, step: int, end: int) -> range:
    reached, at = cue, cue + step
    while at != end:
        near, far = (reached, at) if step > 0 else (at, reached)
        if matches[far].first - matches[near].behind > BESIDE:
            break
        kind = matches[at].entry.kind
        if kind not in _JOINERS and kind != "finding":
            break
        if kind == "finding":
            joined = reached == cue or matches[at - step].entry.kind in _JOINERS
            if not joined:
                break
            reached = at
        at += step
    return range(cue + 1, reached + 1) if step > 0 else range(reached, cue)
