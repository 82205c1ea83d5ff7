"""What a pathogen is to a simulated city and to those who check it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from broadstreet.model.pathogens.bands import Bands
from broadstreet.model.pathogens.table import Constant

SETTINGS = (
    "household", "school", "workplace", "shop", "venue",
    "worship", "transport", "clinic", "hospital", "care_home",
)  # fmt: skip
"""The kinds of places that transmission is told for, in the order of `Pathogen.settings`."""


@dataclass(frozen=True, slots=True)
class Incubation:
    """Days from infection to the first symptoms: log-normal, by its median and the exp of its sigma."""

    median: float
    dispersion: float

    @property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.median)

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.log(self.dispersion)

    @property
    def mean(self) -> float:
        """Mean in days."""
        return math.exp(self.mu + self.sigma**2 / 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """Infectiousness over time: a gamma density that begins `start` days after onset, before it if negative.

    Its area is 1: it says when infections are made, not how many. What would be before the infection itself
    counts at once after it. For people without symptoms, onset is when they would have come.
    """

    start: float
    mean: float
    sd: float

    @property
    def shape(self) -> float:
        """Shape of the gamma density."""
        return (self.mean / self.sd) ** 2

    @property
    def scale(self) -> float:
        """Scale of the gamma density, in days."""
        return self.sd**2 / self.mean


@dataclass(frozen=True, slots=True)
class Range:
    """A published value with its range, to use and to check against."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether a value is in the published range."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Disease:
    """Names and codes: ICD-10 (WHO), SNOMED CT, and the syndromes that mild and severe cases show."""

    name: str
    title: str
    icd10: str
    icd10_title: str
    snomed: str
    syndrome: str
    severe_syndrome: str
    fever: float
    source: str


@dataclass(frozen=True, slots=True)
class PointSource:
    """A source that infects without a person; see docs/model/pathogens.md."""

    name: str
    title: str
    pathogens: tuple[str, ...]
    attack: float
    reach: float
    days: float
    exposed: str
    source: str
    version: str
    population: str


@dataclass(frozen=True, slots=True)
class Pathogen:
    """A pathogen; shares are between 0 and 1, times in days.

    Attributes
    ----------
    disease
        Names and codes.
    incubation
        From infection to the first symptoms.
    infectiousness
        When infections are made, by days from onset.
    latent
        Days from infection before which nobody is infected by it, whatever the curve says.
    asymptomatic
        Share of infected who have no symptoms, by age.
    asymptomatic_infectiousness
        Infections that such a person makes, relative to one with symptoms.
    hazard
        Hazard of infection for an hour of contact in a household, on an average day of the infectious period;
        calibrated to the reproduction number in the synthetic city.
    reproduction_number
        Secondary cases of a typical case when nobody is immune and nobody acts.
    dispersion
        k of the negative binomial of secondary cases (small: few people infect most).
    serial_interval
        From onset to onset, mean, as published: to check against.
    settings
        Transmission per hour of contact by `SETTINGS`, household = 1.
    household_crowding
        The hazard between two of a household of n people falls as (n / 2)^-household_crowding.
    susceptibility
        By age, relative.
    immune
        Share of people who cannot be infected at the start, by age.
    hospitalised, fatal
        Share of those with symptoms, by age.
    critical
        Share of those in hospital who need intensive care, by age.
    seeks_care
        Share of those with symptoms who go to a clinic, by age.
    stays_home, ill_days
        Share of those with symptoms who stay at home from the day after onset, and for how many days.
    onset_to_care, onset_to_hospital, hospital_stay, onset_to_death
        Means in days.
    tested, test_sensitivity, result_delay
        Share of those in care who are tested, share of infected who are then positive, days until the result.
    attack_rate
        Published share infected in an epidemic, by age (first age, past age, range), to check against;
        may be empty.
    household_attack_rate
        Published share of household contacts infected, to check against.
    reproduced_in_immune
        Whether the published reproduction number is of people of whom some are immune.
    doubling_time
        Published days in which infections double before anyone acts, to check against; may be None.
    constants
        Every row of the table, with its source.
    """

    disease: Disease
    incubation: Incubation
    infectiousness: Curve
    latent: float
    asymptomatic: Bands
    asymptomatic_infectiousness: float
    hazard: float
    reproduction_number: Range
    dispersion: Range
    serial_interval: Range
    settings: tuple[float, ...]
    household_crowding: float
    susceptibility: Bands
    immune: Bands
    hospitalised: Bands
    critical: Bands
    fatal: Bands
    seeks_care: Bands
    stays_home: float
    ill_days: float
    onset_to_care: float
    onset_to_hospital: float
    hospital_stay: float
    onset_to_death: float
    tested: float
    test_sensitivity: float
    result_delay: float
    attack_rate: tuple[tuple[int, int, Range], ...]
    household_attack_rate: Range
    reproduced_in_immune: bool
    doubling_time: Range | None
    constants: tuple[Constant, ...]

    @property
    def name(self) -> str:
        """Name in tables and configurations, such as `covid19`."""
        return self.disease.name

    @property
    def mean_generation(self) -> float:
        """Mean days from an infection to those that it makes, by the curve."""
        return self.incubation.mean + self.infectiousness.start + self.infectiousness.mean
