"""What is believed about the disease before the list is looked at: its intervals, and where they are from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from broadstreet.app.reading.table import Unusable
from broadstreet.model.pathogens import NAMES, pathogen_named

Moments = tuple[float, float]


_GIVEN = "given on the command line"
_SHORTEST = 0.5  # of the incubation period: a shorter serial interval is that of another disease


@dataclass(frozen=True, slots=True)
class Belief:
    """Intervals of a disease, mean and standard deviation in days.

    Attributes
    ----------
    name : str
        For sentences.
    serial, incubation : (float, float) or None
        From onset to onset, and from infection to onset.
    serial_source, incubation_source : str
        Where each is from.
    """

    name: str
    serial: Moments | None
    incubation: Moments | None
    serial_source: str = _GIVEN
    incubation_source: str = _GIVEN

    @property
    def contradiction(self) -> str | None:
        """Say where the two intervals can hardly be those of one disease."""
        if self.serial is None or self.incubation is None:
            return None
        serial, incubation = self.serial[0], self.incubation[0]
        if serial >= _SHORTEST * incubation:
            return None
        return (
            f"From onset to onset it is {serial:.1f} days on average ({self.serial_source}), but from "
            f"infection to onset {incubation:.1f} ({self.incubation_source}): cases would infect others "
            f"{incubation - serial:.1f} days before they fall ill. The two hardly belong to one disease; "
            "give --serial-interval and --incubation together."
        )


def believe(disease: str | None, serial: Moments | None, incubation: Moments | None) -> Belief:
    """Return what is believed: of a known disease, with what is given instead.

    Raises
    ------
    Unusable
        If the disease is not known.
    """
    given = Belief("the disease", serial, incubation)
    if disease is None:
        return given
    known = of_disease(disease)
    return Belief(
        known.name,
        serial or known.serial,
        incubation or known.incubation,
        given.serial_source if serial else known.serial_source,
        given.incubation_source if incubation else known.incubation_source,
    )


def of_disease(name: str) -> Belief:
    """Return what the tables of pathogens say.

    The serial interval has the published mean; its variance is the sum of those of the infector's
    infectiousness and of the incubation period.

    Raises
    ------
    Unusable
        If there is no such table.
    """
    if name not in NAMES:
        raise Unusable(
            f"expected a disease of {', '.join(NAMES)}, not {name!r}; for another one give "
            "--serial-interval MEAN,SD "
            "and --incubation MEAN,SD in days"
        )
    pathogen = pathogen_named(name)
    mean, sigma = pathogen.incubation.mean, pathogen.incubation.sigma
    incubation = mean, mean * math.sqrt(math.expm1(sigma**2))
    serial = pathogen.serial_interval.value, math.hypot(pathogen.infectiousness.sd, incubation[1])
    source = {row.constant: f"{pathogen.disease.title}: {row.source}" for row in pathogen.constants}
    return Belief(
        pathogen.disease.title,
        serial,
        incubation,
        source.get("serial_interval_mean", pathogen.disease.title),
        source.get("incubation_median", pathogen.disease.title),
    )
