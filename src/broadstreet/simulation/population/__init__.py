"""People and places of a synthetic city, built from a small configuration."""

from broadstreet.simulation.population.build import build
from broadstreet.simulation.population.city import NOWHERE, City, People, Places
from broadstreet.simulation.population.configuration import DEMO, METROPOLIS, Configuration, configuration
from broadstreet.simulation.population.defaults import AgeBand, District
from broadstreet.simulation.population.kinds import Habit, Kind, Role

__all__ = [
    "DEMO", "METROPOLIS", "NOWHERE", "AgeBand", "City", "Configuration", "District", "Habit", "Kind",
    "People", "Places", "Role", "build", "configuration",
]  # fmt: skip
