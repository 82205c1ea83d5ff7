"""A city as tables: its people and its places."""

from __future__ import annotations

import numpy as np

from broadstreet.simulation.population import NOWHERE, City, Role
from broadstreet.simulation.tables.columns import Columns, districts_of, kinds_of, texts


def people_table(city: City) -> Columns:
    """Return one row a person."""
    people = city.people
    everyone = np.arange(len(people), dtype=np.uint32)
    roles = np.array([role.name.lower() for role in Role], object)
    return {
        "id": everyone,
        "age": people.age,
        "sex": np.where(people.female, "F", "M").astype(object),
        "role": roles[people.role],
        "household": people.home,
        "main": texts(people.main, people.main != NOWHERE, "{}"),
        "district": districts_of(city, everyone),
    }


def places_table(city: City) -> Columns:
    """Return one row a place; `x` and `y` in kilometres."""
    places = city.places
    codes = np.array([district.code for district in city.districts], object)
    return {
        "id": np.arange(len(places), dtype=np.uint32),
        "kind": kinds_of(city, np.arange(len(places), dtype=np.uint32)),
        "district": codes[places.district],
        "x": places.x.astype(np.float64).round(3),
        "y": places.y.astype(np.float64).round(3),
        "part_of": texts(places.parent, places.parent != NOWHERE, "{}"),
        "members": np.diff(places.first),
    }
