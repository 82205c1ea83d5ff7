"""The line list of an epidemic: the cases that were reported, as an officer's table has them."""

from __future__ import annotations

import numpy as np

from broadstreet.simulation.epidemic import Outcome
from broadstreet.simulation.population import NOWHERE, Kind
from broadstreet.simulation.tables.columns import Columns, dates_of, districts_of, homes_of, texts

_GROUPS = {"class": Kind.CLASS, "team": Kind.TEAM}


def line_list(outcome: Outcome, *, everybody: bool = False) -> Columns:
    """Return one row a case, in order of onset: dates, household, class, team, home.

    Parameters
    ----------
    outcome
        The run.
    everybody
        Whether cases that were never reported are in it too, as in a perfect investigation.

    Returns
    -------
    dict of columns
        `id, onset, diagnosed, admitted, died, pathogen, age, sex, household, class, team, district, x, y`;
        `diagnosed` is the day of the result; `x` and `y` are kilometres.
    """
    truth, city = outcome.truth, outcome.city
    ill = np.isfinite(truth.onset) & (np.isfinite(truth.reported) | everybody)
    rows = np.flatnonzero(ill)
    rows = rows[np.argsort(truth.onset[rows], kind="stable")]
    people, first = truth.infected[rows], city.configuration.first_day
    names = np.array([pathogen.name for pathogen in outcome.scenario.pathogens], object)
    x, y = homes_of(city, people)
    main = city.people.main[people]
    kind = city.places.kind[np.where(main == NOWHERE, 0, main)]
    groups = {
        name: texts(main, (main != NOWHERE) & (kind == wanted), "{}") for name, wanted in _GROUPS.items()
    }
    return {
        "id": people,
        "onset": dates_of(first, truth.onset[rows]),
        "diagnosed": dates_of(first, truth.reported[rows]),
        "admitted": dates_of(first, truth.admitted[rows]),
        "died": dates_of(first, truth.died[rows]),
        "pathogen": names[truth.pathogen[rows]],
        "age": city.people.age[people],
        "sex": np.where(city.people.female[people], "F", "M").astype(object),
        "household": city.people.home[people],
        **groups,
        "district": districts_of(city, people),
        "x": x,
        "y": y,
    }
