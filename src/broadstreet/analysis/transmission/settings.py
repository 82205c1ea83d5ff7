"""What an inference was asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet.analysis.settings import is_number, pair_of
from broadstreet.analysis.transmission.intervals import Given, Interval, read_interval
from broadstreet.analysis.transmission.rates import Beta, Priors

SAME, NEAR = ("household", "class"), ("x", "y")
# Believed shares, each worth so many cases. Most cases of a list were infected within it. Most are seen: the
# list does not tell (it fits best with hardly any, whether all or half are there), and on simulated outbreaks
# "nobody" is stated about as much too often at 0.75 where all are seen as too seldom where half are.
IMPORTATION, REPORTED = (0.05, 10.0), (0.75, 10.0)
# Dispersion k of offspring, log normal: median and standard deviation of its logarithm. Lloyd-Smith et al.
# 2005, Nature 438:355, find 0.16 (SARS) to more than 1 (pneumonic plague, measles where vaccinated 0.2).
SUPERSPREADING = (0.5, 0.5)
# Mean and standard deviation of the serial interval are as given but for 1 % each (standard deviations of
# the logarithms). Wider ones collapse: pairs of a group that have one infector in common look like links at
# short intervals. With 2 % the mean of simulated outbreaks moved by 5 %, away from the truth.
INTERVAL_WIDTH = (0.01, 0.01)

# A share given as one number is held: as if so many cases had shown it.
_CERTAIN = 1e9
# Nobody infected outside, and all cases seen, may be said: it is believed to be nearly so.
_NEARLY = {"importation": 1e-6, "reported": 1.0 - 1e-6}

Share = float | tuple[float, float]
Spread = float | tuple[float, float] | None


@dataclass(frozen=True)
class Settings:
    """Intervals, columns and priors of an inference; columns that are `optional` were not asked for."""

    serial: Interval
    incubation: Interval | None
    same: tuple[str, ...]
    near: tuple[str, ...]
    optional: tuple[str, ...]
    priors: Priors
    dispersion: tuple[float, float] | None
    interval_width: tuple[float, float]
    disease: str | None
    unit: str
    seed: int | None


def check(  # noqa: PLR0913, PLR0917  what infer takes
    serial_interval: Given,
    incubation: Given,
    same: Sequence[str],
    near: Sequence[str],
    importation: Share,
    reported: Share,
    superspreading: Spread,
    interval_width: tuple[float, float],
    disease: str | None,
    unit: str,
    seed: int | None,
) -> Settings:
    """Return checked settings.

    Raises
    ------
    ValueError, TypeError
        If one is out of its range.
    """
    same, near = _columns("same", same, "('household',)"), _columns("near", near, "('x', 'y')")
    if len(near) not in (0, 2):
        raise ValueError(f"near must name two columns, or none (it is {near!r})")
    return Settings(
        serial=read_interval("serial_interval", serial_interval),
        incubation=None if incubation is None else read_interval("incubation", incubation),
        same=same,
        near=near,
        optional=tuple(n for kind, usual in ((same, SAME), (near, NEAR)) if kind == usual for n in usual),
        priors=Priors(_share("importation", importation), _share("reported", reported)),
        dispersion=_dispersion(superspreading),
        interval_width=_width(interval_width),
        disease=disease,
        unit=unit,
        seed=_seed(seed),
    )


def _columns(name: str, given: Sequence[str], example: str) -> tuple[str, ...]:
    if isinstance(given, (tuple, list)) and all(isinstance(column, str) for column in given):
        return tuple(given)
    raise TypeError(f"{name} must be a sequence of column names, such as {example}, or () (it is {given!r})")


def _seed(given: int | None) -> int | None:
    if given is None or (isinstance(given, int | np.integer) and is_number(given) and given >= 0):
        return given
    raise ValueError(f"seed must be a whole number from 0 on, or None (it is {given!r})")


def _share(name: str, given: Share) -> Beta:
    mean, weight = pair_of(given, _CERTAIN) or (np.nan, np.nan)
    mean = _NEARLY[name] if mean == round(_NEARLY[name]) else mean
    if 0.0 < mean < 1.0 and 0.0 < weight < np.inf:
        return Beta(mean * weight, (1.0 - mean) * weight)
    raise ValueError(
        f"{name} must be a share between 0 and 1, such as 0.1, or a tuple (share, weight in cases), such as "
        f"(0.1, 10) (it is {given!r})"
    )


def _width(given: tuple[float, float]) -> tuple[float, float]:
    pair = pair_of(given)
    if pair is not None and all(0.0 <= wide <= 1.0 for wide in pair):
        return pair
    raise ValueError(
        "interval_width must be how far mean and sd may be off, a tuple of two numbers from 0 (as given) to "
        f"1 (it is {given!r})"
    )


def _dispersion(given: Spread) -> tuple[float, float] | None:
    if given is None:
        return None
    median, spread = pair_of(given, 0.0) or (np.nan, np.nan)
    if 0.0 < median < np.inf and 0.0 <= spread < np.inf:
        return median, spread
    raise ValueError(
        "superspreading must be a dispersion k above 0, a tuple (median, sd of its logarithm), such as "
        f"(0.5, 0.5), or None (it is {given!r})"
    )
