"""The truth as a table: who infected whom, where and when, and what came of it."""

from __future__ import annotations

import numpy as np

from broadstreet.simulation.epidemic import IMPORTED, POINT_SOURCE, Outcome
from broadstreet.simulation.population import NOWHERE
from broadstreet.simulation.tables.columns import Columns, districts_of, instants_of, kinds_of, texts

_TIMES = ("onset", "sought_care", "tested", "reported", "admitted", "discharged", "died")


def truth_table(outcome: Outcome) -> Columns:
    """Return one row an infection, in order of time.

    `case` and `infector` are people (`infector` is empty for imported cases and point sources, which
    `source` tells apart), `place` and `kind` where it happened, the rest instants of the city's time, empty
    where it did not happen.
    """
    truth, city = outcome.truth, outcome.city
    first = city.configuration.first_day
    names = np.array([pathogen.name for pathogen in outcome.scenario.pathogens], object)
    source = np.full(len(truth), "person", object)
    source[truth.infector == IMPORTED] = "imported"
    source[truth.infector == POINT_SOURCE] = "point source"
    return {
        "case": truth.infected,
        "pathogen": names[truth.pathogen],
        "infector": texts(truth.infector, truth.infector >= 0, "{}"),
        "source": source,
        "infected": instants_of(first, truth.time),
        "place": texts(truth.place, truth.place != NOWHERE, "{}"),
        "kind": kinds_of(city, truth.place),
        "district": districts_of(city, truth.infected),
        "age": city.people.age[truth.infected],
        **{name: instants_of(first, getattr(truth, name)) for name in _TIMES},
    }
