"""Dates with the name of the month, in English, German, French and Spanish: 3 March 2026, 03-Mar-2026."""

from __future__ import annotations

import re
import unicodedata

_NAMES = (
    "january januar janvier enero", "february februar fevrier febrero", "march marz maerz mrz mars marzo",
    "april avril abril", "may mai mayo", "june juni juin junio", "july juli juillet julio",
    "august aout agosto", "september septembre septiembre setiembre", "october oktober octobre octubre",
    "november novembre noviembre", "december dezember decembre diciembre",
)  # fmt: skip
_LEAST = 3
"""So many letters of a name show the month."""
_TIME = r"(?:[T ,]+\d{1,2}:.*)?"
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})[-/., ]{{0,2}}(?:de )?([^\W\d_]+)[-/., ]{{0,2}}(?:de )?(\d{{4}}){_TIME}"
)
_MONTH_FIRST = re.compile(rf"([^\W\d_]+)\.?[- ](\d{{1,2}})(?:st|nd|rd|th)?,?[- ](\d{{4}}){_TIME}")


def parts_of(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day of a date with the name of its month; None where it is no such text."""
    if match := _DAY_FIRST.fullmatch(text):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        name, day, year = match.groups()
    else:
        return None
    month = _month(name)
    return None if month is None else (int(year), month, int(day))


def _month(name: str) -> int | None:
    """Return the month that a name or its beginning means, None where it is none or may be two."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name.lower()) if sign.isalpha())
    found = {
        number
        for number, names in enumerate(_NAMES, 1)
        if len(plain) >= _LEAST and any(one.startswith(plain) for one in names.split())
    }
    return found.pop() if len(found) == 1 else None
