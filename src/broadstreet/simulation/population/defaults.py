"""Where the defaults of a city come from.

People and households are those of England and Wales, since the contact survey that the city is compared with
(POLYMOD) has its largest published tables there. Another city is another `Configuration`.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class AgeBand(NamedTuple):
    """Ages from `first` to `last` and their share of the people."""

    first: int
    last: int
    share: float


class District(NamedTuple):
    """A part of the city; `x`, `y` and `radius` in kilometres, `weight` its share of the residents."""

    code: str
    name: str
    x: float
    y: float
    weight: float
    radius: float = 1.1


# Office for National Statistics, Census 2021, England and Wales: usual residents by five-year age band
# (rounded to 0.1 %, here divided by their sum; 85 and more spread over 85-99).
_PERCENT = (5.4, 5.9, 6.0, 5.7, 6.0, 6.6, 7.0, 6.7, 6.3, 6.4, 6.9, 6.7, 5.8, 4.9, 5.0, 3.6, 2.5, 2.4)
AGES = tuple(
    AgeBand(5 * band, 5 * band + (14 if band == 17 else 4), percent / sum(_PERCENT))
    for band, percent in enumerate(_PERCENT)
)

# Office for National Statistics, Census 2011, England and Wales, table QS406EW: households with 1 to 8
# people and more.
_HOUSEHOLDS = (30.2, 34.2, 15.6, 13.0, 4.6, 1.6, 0.5, 0.3)
HOUSEHOLD_SIZES = tuple(percent / sum(_HOUSEHOLDS) for percent in _HOUSEHOLDS)

# The city's own map; kilometres from the middle of Riverside.
DISTRICTS = (
    District("D01", "Riverside", 0.0, 0.0, 0.13),
    District("D02", "Old Town", 2.0, 0.5, 0.10),
    District("D03", "Harbour", 4.5, 0.0, 0.08),
    District("D04", "Northgate", 0.5, 3.0, 0.09),
    District("D05", "Hillside", 3.0, 3.5, 0.07),
    District("D06", "University", 5.5, 3.0, 0.08),
    District("D07", "Market", -2.5, 1.5, 0.11),
    District("D08", "Airport", -5.0, 0.0, 0.05),
    District("D09", "Southbank", 0.5, -3.0, 0.10),
    District("D10", "Mill Lane", 3.0, -3.0, 0.07),
    District("D11", "Gardens", -2.5, -2.5, 0.07),
    District("D12", "Lakeside", 5.5, -3.5, 0.05),
)

HOLIDAYS = (
    (date(2026, 2, 16), date(2026, 2, 20)),
    (date(2026, 3, 30), date(2026, 4, 10)),
    (date(2026, 5, 25), date(2026, 5, 29)),
    (date(2026, 7, 22), date(2026, 9, 1)),
    (date(2026, 10, 26), date(2026, 10, 30)),
    (date(2026, 12, 21), date(2027, 1, 1)),
)
