"""Columns of tables: dates, instants, names of places and people."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.population import NOWHERE, City, Kind

Column = NDArray[np.generic]
Columns = dict[str, Column]
"""A table: columns of equal length by name. Text is of objects, None where nothing is known."""


def dates_of(first_day: date, days: NDArray[np.floating]) -> NDArray[np.datetime64]:
    """Return dates for days since the first day, `NaT` for NaN."""
    known = np.isfinite(days)
    whole = np.floor(np.where(known, days, 0.0)).astype("timedelta64[D]")
    return np.where(known, np.datetime64(first_day, "D") + whole, np.datetime64("NaT", "D"))


def instants_of(first_day: date, days: NDArray[np.floating]) -> NDArray[np.datetime64]:
    """Return instants to the minute for days with fractions, in the city's time, `NaT` for NaN."""
    known = np.isfinite(days)
    minutes = np.floor(np.where(known, days, 0.0) * 1440).astype("timedelta64[m]")
    start = np.datetime64(first_day, "m")
    return np.where(known, start + minutes, np.datetime64("NaT", "m"))


def texts(values: NDArray[np.generic], known: NDArray[np.bool_], form: str) -> Column:
    """Return each value in this form, None where it is not known."""
    found = np.full(len(values), None, object)
    for at in np.flatnonzero(known).tolist():
        found[at] = form.format(values[at])
    return found


def kinds_of(city: City, places: NDArray[np.uint32]) -> Column:
    """Return the kind of each place in words, None for no place."""
    words = np.array([kind.name.lower() for kind in Kind], object)
    known = places != NOWHERE
    found = np.full(len(places), None, object)
    found[known] = words[city.places.kind[places[known]]]
    return found


def districts_of(city: City, people: NDArray[np.uint32]) -> Column:
    """Return the code of the home district of each person."""
    codes = np.array([district.code for district in city.districts], object)
    return np.asarray(codes[city.home_district[people]])


def homes_of(city: City, people: NDArray[np.uint32]) -> tuple[Column, Column]:
    """Return where each person's home is, in kilometres to the metre."""
    home = city.people.home[people]
    return city.places.x[home].astype(np.float64).round(3), city.places.y[home].astype(np.float64).round(3)
