"""Days of a synthetic city: who is where when, and who is in contact with whom."""

from broadstreet.simulation.days.contacting import Contacts, contacts
from broadstreet.simulation.days.ground import Mode
from broadstreet.simulation.days.visiting import Visits, stream_visits, visits

__all__ = ["Contacts", "Mode", "Visits", "contacts", "stream_visits", "visits"]
