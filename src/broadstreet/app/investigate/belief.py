"""What is believed about the disease before the list is looked at: its intervals, and where they are from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from broadstreet.app.reading.table import Unusable
from broadstreet.model.pathogens import NAMES, pathogen_named

Moments = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Belief:
    """Intervals of a disease, mean and standard deviation in days.

    Attributes
    ----------
    name : str
        For sentences.
    serial, incubation : (float, float) or None
        From onset to onset, and from infection to onset.
    source : str
    """

    name: str
    serial: Moments | None
    incubation: Moments | None
    source: str


def believe(disease: str | None, serial: Moments | None, incubation: Moments | None) -> Belief:
    """Return what is believed: of a known disease, with what is given instead.

    Raises
    ------
    Unusable
        If the disease is not known.
    """
    if disease is None:
        return Belief("the disease", serial, incubation, "as given on the command line")
    known = of_disease(disease)
    if serial is None and incubation is None:
        return known
    return Belief(
        known.name, serial or known.serial, incubation or known.incubation,
        f"{known.source}; what was given on the command line goes before it",
    )  # fmt: skip


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
    sources = dict.fromkeys(
        row.source
        for row in pathogen.constants
        if row.constant in ("serial_interval_mean", "incubation_median")
    )
    return Belief(pathogen.disease.title, serial, incubation, "; ".join(sources))
