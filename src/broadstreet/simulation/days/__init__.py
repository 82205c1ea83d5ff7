"""Days of a synthetic city: who is where when, and who is in contact with whom."""

from broadstreet.simulation.days.checking import Check, check_city
from broadstreet.simulation.days.contacting import Contacts, contacts
from broadstreet.simulation.days.ground import Mode
from broadstreet.simulation.days.visiting import Visits, stream_visits, visits

__all__ = ["Check", "Contacts", "Mode", "Visits", "check_city", "contacts", "stream_visits", "visits"]
