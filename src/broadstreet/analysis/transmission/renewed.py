"""New facts for an inference that was made before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table
from broadstreet.analysis.transmission.continued import carried_rates, carry, go_on
from broadstreet.analysis.transmission.declared import read_contacts
from broadstreet.analysis.transmission.evidence import Earlier, Evidence, gather
from broadstreet.analysis.transmission.fitting import fit
from broadstreet.analysis.transmission.infer import solve, solved
from broadstreet.analysis.transmission.linelist import LineList, key_of, read_cases
from broadstreet.analysis.transmission.posterior import none_yet, row_sums
from broadstreet.analysis.transmission.rates import Rates, weights
from broadstreet.analysis.transmission.result import Transmission
from broadstreet.analysis.transmission.stays import read_visits
from broadstreet.analysis.transmission.study import Study
from broadstreet.analysis.transmission.tables import Rows, kept
from broadstreet.analysis.transmission.timing import time_cases

# Of the cases so many may be new, changed or gone since the last fresh run before another is due. Rates are
# fitted again but for few of very many. Then so near is near enough (log likelihood, of 100 cases).
_MOST_NEWS, _FEW_NEWS, _TOLERANCE = 0.05, 0.002, 1e-3
# Another is due as well where the share that is not isolated changed by so much of itself on a day.
_OTHER_ISOLATION = 0.1


def updated(
    before: Transmission,
    cases: Table | None,
    contacts: Table | None,
    visits: Table | None,
    remove: Iterable[Any],
) -> Transmission:
    """Return the result with further rows, begun from what was found before."""
    study, settings = before.study, before.study.settings
    gone = {key_of(value) for value in remove}
    more = kept(settings, cases if cases is not None else {}, contacts, visits)
    tables = {name: _joined(study.tables[name], more[name]) for name in more}
    tables["cases"] = _latest(study.tables["cases"], more["cases"], gone)
    again = gone | {key_of(value) for value in more["cases"].get("id", [])}
    now = read_cases(tables["cases"], settings.same, settings.near, settings.optional)
    if study.pairs.thinned < 1.0 or list(now.groups) != list(study.cases.groups):
        return solve(settings, tables["cases"], tables["contacts"] or None, tables["visits"] or None)
    position = {name: at for name, at in study.cases.position().items() if name not in again}
    origin = np.array([position.get(key_of(value), -1) for value in now.ids], np.int64)
    renewed = _renewed(before, now, tables, Earlier(study.evidence, origin), bool(contacts or visits))
    if renewed is None:
        return solve(settings, tables["cases"], tables["contacts"] or None, tables["visits"] or None)
    return renewed


def _renewed(
    before: Transmission, now: LineList, tables: dict[str, Rows], earlier: Earlier, linked: bool
) -> Transmission | None:
    """Return the result that goes on from before; None where so much is new that it does not pay."""
    study, settings = before.study, before.study.settings
    declared = read_contacts(tables["contacts"] or None, now, settings.serial)
    stays = read_visits(tables["visits"] or None, now)
    held = study.evidence.timing.unisolated
    timing = time_cases(now, study.serial, settings.incubation, held)
    if (np.abs(timing.unisolated_now - held) > _OTHER_ISOLATION * held).any():
        return None
    evidence = gather(now, timing, declared, stays, earlier)
    rates = carried_rates(study.rates, study.cases, now)
    changed = earlier.origin < 0
    if linked:
        changed = changed | (_weights_of(evidence, rates, earlier, study) > 0.0)
    news = int(changed.sum()) + study.cases.size - int((earlier.origin >= 0).sum())
    if news + study.news > max(_MOST_NEWS * now.size, 1):
        return None
    refit = news + study.news > _FEW_NEWS * now.size
    independent = carried_rates(study.independent, study.cases, now)
    if refit:
        independent = fit(evidence, settings.priors, None, independent, _TOLERANCE).rates
    renewed = Study(
        settings, now, declared, stays, evidence, independent if refit else rates, independent,
        none_yet(evidence), study.serial, study.rounds, cyclic=study.cyclic, belief=study.belief,
        news=news + study.news, tables=tables,
    )  # fmt: skip
    if settings.dispersion is None or not len(evidence.pairs.infector):
        return solved(renewed)
    renewed.cyclic = study.cyclic or bool((evidence.gaps <= 0).any())
    kind, shape = renewed.kinds(), settings.dispersion[0]
    found = carry(study.posterior, before.draws, study.state, earlier, evidence, kind, shape)
    sampled = go_on(evidence, settings, renewed.rates, renewed.cyclic, found, changed, max(news, 1), refit)
    return Transmission(renewed.with_sampled(sampled), sampled.draws)


def _weights_of(evidence: Evidence, rates: Rates, earlier: Earlier, study: Study) -> NDArray[np.float64]:
    """Return by how much the evidence of each case's pairs has changed: contacts and visits were added."""
    entry = evidence.entry if evidence.entry is not None else np.zeros(0, np.int64)
    now = weights(evidence, rates)
    was = np.append(weights(earlier.evidence, study.rates), 0.0)[entry]
    apart = np.where((entry >= 0) & (np.abs(now - was) > 1e-6 * now), 1.0, 0.0)
    return row_sums(evidence.pairs, apart)


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
