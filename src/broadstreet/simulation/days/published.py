"""What surveys found, to compare a city with."""

from __future__ import annotations

from typing import NamedTuple


class Survey(NamedTuple):
    """A number that was published for the people or pairs of people named by `what`."""

    what: str
    value: float
    source: str


_MOSSONG = "Mossong et al. 2008, PLoS Med 5:e74, table 1 (POLYMOD, eight countries)"
# Mean number of different people whom a participant was in contact with on a day.
CONTACTS_BY_AGE = (
    ((0, 4), 10.21), ((5, 9), 14.81), ((10, 14), 18.22), ((15, 19), 17.58), ((20, 29), 13.57),
    ((30, 39), 14.14), ((40, 49), 13.83), ((50, 59), 12.30), ((60, 69), 9.21), ((70, 120), 6.89),
)  # fmt: skip
CONTACTS_BY_HOUSEHOLD = ((1, 8.87), (2, 10.65), (3, 12.87), (4, 15.84), (5, 16.47), (6, 17.69))
CONTACTS_SOURCE = _MOSSONG
CONTACTS_MEAN = Survey("contacts a day", 11.74, _MOSSONG + ", Great Britain")

# Mean number of contacts of a participant (row) with people (column) of 1-4, 5-14, and 15 and more years.
MIXING_AGES = ((1, 4), (5, 14), (15, 120))
MIXING = (
    (1.94, 1.46, 5.45),
    (0.50, 7.95, 6.22),
    (0.36, 1.29, 9.59),
)
MIXING_SOURCE = "POLYMOD, United Kingdom, by socialmixr's contact_matrix (Funk, vignette of 2024)"
