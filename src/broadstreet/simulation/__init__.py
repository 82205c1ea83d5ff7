"""A synthetic city that speaks to the hub only through its doors."""

from broadstreet.simulation.clinics import Clinic, Timed
from broadstreet.simulation.exercise import Exercise, Truth

__all__ = ["Clinic", "Exercise", "Timed", "Truth"]
