"""What devices and counters leave behind when people visit places: samples made of visit rows, on request."""

from broadstreet.simulation.samples.counters import Checkins, Payments, checkins, payments
from broadstreet.simulation.samples.encounters import Encounters, encounters
from broadstreet.simulation.samples.masts import Masts, Sightings, masts_of, sightings
from broadstreet.simulation.samples.pings import Pings, pings
from broadstreet.simulation.samples.visits import Visits

__all__ = [
    "Checkins",
    "Encounters",
    "Masts",
    "Payments",
    "Pings",
    "Sightings",
    "Visits",
    "checkins",
    "encounters",
    "masts_of",
    "payments",
    "pings",
    "sightings",
]
