"""Infer who infected whom."""

from __future__ import annotations

from collections.abc import Sequence

from broadstreet.analysis.columns import Table
from broadstreet.analysis.transmission.belief import Belief, believe
from broadstreet.analysis.transmission.chains import run_chains
from broadstreet.analysis.transmission.declared import Declared, read_contacts
from broadstreet.analysis.transmission.evidence import Evidence, gather
from broadstreet.analysis.transmission.fitting import Fitted, fit
from broadstreet.analysis.transmission.intervals import Given
from broadstreet.analysis.transmission.linelist import LineList, read_cases
from broadstreet.analysis.transmission.posterior import components, exact, none_yet, telling
from broadstreet.analysis.transmission.result import Transmission
from broadstreet.analysis.transmission.settings import (
    IMPORTATION,
    INTERVAL_WIDTH,
    NEAR,
    REPORTED,
    SAME,
    SUPERSPREADING,
    Settings,
    Share,
    Spread,
    check,
)
from broadstreet.analysis.transmission.stays import Stays, read_visits
from broadstreet.analysis.transmission.study import Study
from broadstreet.analysis.transmission.tables import kept
from broadstreet.analysis.transmission.timing import time_cases


def infer(  # noqa: PLR0913  each is a kind of evidence
    cases: Table,
    *,
    serial_interval: Given,
    incubation: Given = None,
    same: Sequence[str] = SAME,
    near: Sequence[str] = NEAR,
    contacts: Table | None = None,
    visits: Table | None = None,
    importation: Share = IMPORTATION,
    reported: Share = REPORTED,
    superspreading: Spread = SUPERSPREADING,
    interval_width: tuple[float, float] = INTERVAL_WIDTH,
    disease: str | None = None,
    unit: str = "",
    seed: int | None = None,
) -> Transmission:
    """Infer who infected whom, with probabilities.

    Parameters
    ----------
    cases : table
        One row a case: `id`, `onset` and, where known, `diagnosed`, `isolated`, `died`, `exposed_from`,
        `exposed_to` (dates, ISO text or whole numbers of days) and the columns of `same` and `near`. Values
        may be missing.
    serial_interval : (mean, sd), array_like or frozen distribution of scipy
        Days from onset to onset: a gamma distribution by mean and standard deviation, probabilities by day
        from 0, or a distribution, which may reach below 0. It is what is believed beforehand.
    incubation : the same, optional
        Days from infection to onset. With it, exposure windows, isolation and visits are weighed by day.
    same : sequence of str
        Columns that name groups: two cases with an equal value are related.
    near : (str, str) or ()
        Columns of coordinates.
    contacts : table, optional
        Declared contacts, `infector, case`, or `id, contact` where no one knows the direction.
    visits : table, optional
        `id, place` and `day`, or `start` and `end`; other people's visits tell how rare a place is.
    importation : float or (float, float)
        The share of cases infected from outside: as believed, and as how many cases the belief weighs; a
        number alone is held, not learned.
    reported : float or (float, float)
        The share of cases that are in the list, as believed. It is held: a line list does not tell how many
        cases are missing from it. How probable "nobody in the list" is follows from it, so give what is known
        (a survey of antibodies, an audit). The second number only says how sure it is, for `diagnostics`.
    superspreading : float, (float, float) or None
        Dispersion k of the numbers of offspring: fixed, or as believed (median, standard deviation of its
        logarithm). None: all cases are equally infectious.
    interval_width : (float, float)
        How far mean and standard deviation of the serial interval may be off: standard deviations of their
        logarithms. Links that a group or a shared place speaks for tell more. (0, 0): as given.
    disease : str, optional
        A name for reasons.
    unit : str
        Of the coordinates, for reasons, such as "km".
    seed : int, optional
        Of random numbers; at random by default.

    Returns
    -------
    Transmission

    Raises
    ------
    ValueError, TypeError
        If a setting is out of its range or a table lacks a column. Wrong rows do not raise: they are set
        aside.
    """
    settings = check(
        serial_interval,
        incubation,
        same,
        near,
        importation,
        reported,
        superspreading,
        interval_width,
        disease,
        unit,
        seed,
    )
    return solve(settings, cases, contacts, visits)


def solve(settings: Settings, cases: Table, contacts: Table | None, visits: Table | None) -> Transmission:
    """Return the result for tables and settings."""
    line_list = read_cases(cases, settings.same, settings.near, settings.optional)
    declared, stays = read_contacts(contacts, line_list, settings.serial), read_visits(visits, line_list)
    tables = kept(settings, cases, contacts, visits)
    belief = believe(settings.serial, settings.interval_width)
    evidence, fitted = _fitted(settings, line_list, declared, stays, belief)
    serial, rates = fitted.serial, fitted.rates
    study = Study(
        settings, line_list, declared, stays, evidence, rates, rates, none_yet(evidence), serial,
        fitted.rounds,
        belief=belief, tables=tables,
    )  # fmt: skip
    return solved(study)


def _fitted(
    settings: Settings, cases: LineList, contacts: Declared, stays: Stays, belief: Belief | None
) -> tuple[Evidence, Fitted]:
    """Return evidence and rates; once more where the serial interval is not what was given."""
    evidence = gather(cases, time_cases(cases, settings.serial, settings.incubation), contacts, stays)
    fitted = fit(evidence, settings.priors, belief)
    if fitted.serial is evidence.timing.serial:
        return evidence, fitted
    again = gather(cases, time_cases(cases, fitted.serial, settings.incubation), contacts, stays)
    return again, fit(again, settings.priors, None, fitted.rates)


def solved(study: Study) -> Transmission:
    """Return probabilities for evidence and rates: exact, or sampled where links depend on each other."""
    settings, evidence = study.settings, study.evidence
    count, label = components(evidence.pairs)
    study.cyclic = count < evidence.pairs.size
    if settings.dispersion is None or not len(evidence.pairs.infector):
        study.posterior = exact(evidence.pairs, telling(evidence, study.rates)[0], label)
        return Transmission(study)
    sampled = run_chains(
        evidence,
        settings.priors,
        study.rates,
        settings.dispersion,
        study.cyclic,
        study.kinds(),
        settings.seed,
    )
    return Transmission(study.with_sampled(sampled), sampled.draws)
