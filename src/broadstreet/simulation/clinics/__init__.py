"""What clinics, hospitals and laboratories send about those who come: HL7 v2 messages."""

from broadstreet.simulation.clinics.cases import Cases
from broadstreet.simulation.clinics.clinic import Clinic, Clinics, Timed
from broadstreet.simulation.clinics.facilities import Facility, facilities

__all__ = ["Cases", "Clinic", "Clinics", "Facility", "Timed", "facilities"]
