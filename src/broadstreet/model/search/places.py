"""Where something is: latitude and longitude in degrees (WGS 84), for `Location.near`.

Source: https://hl7.org/fhir/R4/location.html#positional
"""

from __future__ import annotations

from decimal import Decimal

from broadstreet.model import fhir


def of_position(position: fhir.LocationPosition) -> list[tuple[Decimal, Decimal]]:
    """Return latitude and longitude."""
    if position.latitude is None or position.longitude is None:
        return []
    return [(position.latitude, position.longitude)]


READERS = {"LocationPosition": of_position}
