"""A synthetic city that speaks to the hub only through its doors."""

from broadstreet.simulation.city import City, Clinic, Timed
from broadstreet.simulation.outbreak import Truth, truth

__all__ = ["City", "Clinic", "Timed", "Truth", "truth"]
