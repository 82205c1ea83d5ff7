"""New facts for an inference that was made before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.transmission.declared import DIRECTED, EITHER_WAY
from broadstreet.analysis.transmission.linelist import DAYS, key_of
from broadstreet.analysis.transmission.settings import Settings
from broadstreet.analysis.transmission.stays import TIMES

if TYPE_CHECKING:
    from broadstreet.analysis.transmission.result import Transmission

Rows = dict[str, list[Any]]


def kept(settings: Settings, cases: Table, contacts: Table | None, visits: Table | None) -> dict[str, Rows]:
    """Return the columns that an inference reads, to be added to later."""
    names = {
        "cases": (cases, ("id", *DAYS, *settings.same, *settings.near)),
        "contacts": (contacts, (*DIRECTED, *EITHER_WAY)),
        "visits": (visits, ("id", "place", *TIMES)),
    }
    return {
        name: {}
        if table is None
        else {key: list(values) for key, values in read(table, name, (), wanted).items()}
        for name, (table, wanted) in names.items()
    }


def updated(
    before: Transmission,
    cases: Table | None,
    contacts: Table | None,
    visits: Table | None,
    remove: Iterable[Any],
) -> Transmission:
    """Return the result with further rows, begun from what was found before."""
    from broadstreet.analysis.transmission.infer import solve  # noqa: PLC0415  it builds on results

    study = before.study
    more = kept(study.settings, cases if cases is not None else {}, contacts, visits)
    tables = {name: _joined(study.tables[name], more[name]) for name in more}
    tables["cases"] = _latest(study.tables["cases"], more["cases"], {key_of(value) for value in remove})
    return solve(
        study.settings, tables["cases"], tables["contacts"] or None, tables["visits"] or None, before
    )


def _joined(old: Rows, new: Rows) -> Rows:
    if not old or not new:
        return new or old
    before, after = (len(next(iter(rows.values()))) for rows in (old, new))
    return {
        name: [*old.get(name, [None] * before), *new.get(name, [None] * after)]
        for name in dict.fromkeys([*old, *new])
    }


def _latest(old: Rows, new: Rows, removed: set[str]) -> Rows:
    """Return the old rows but those that are given anew or removed, then the new ones."""
    if new and "id" not in new:
        raise ValueError("cases needs the column id: it says which case a row is about")
    given = {key_of(value) for value in new.get("id", [])} | removed
    unknown = removed - {key_of(value) for value in old["id"]}
    if unknown:
        raise ValueError(f"remove must name cases of the line list; there is no {', '.join(sorted(unknown))}")
    stay = [row for row, value in enumerate(old["id"]) if key_of(value) not in given]
    return _joined({name: [values[row] for row in stay] for name, values in old.items()}, new)
