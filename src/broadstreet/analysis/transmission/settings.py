"""What an inference was asked for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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

Share = float | tuple[float, float]
Spread = float | tuple[float, float] | None


@dataclass(frozen=True)
class Settings:
    """Intervals, columns and priors of an inference."""

    serial: Interval
    incubation: Interval | None
    same: tuple[str, ...]
    near: tuple[str, ...]
    optional: bool
    priors: Priors
    dispersion: tuple[float, float] | None
    interval_width: tuple[float, float]
    disease: str | None
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
    seed: int | None,
) -> Settings:
    """Return checked settings.

    Raises
    ------
    ValueError, TypeError
        If one is out of its range.
    """
    if isinstance(same, str) or isinstance(near, str):
        raise TypeError("same and near must be sequences of column names, such as ('household',)")
    if len(near) not in (0, 2):
        raise ValueError(f"near must name two columns, or none (it is {tuple(near)!r})")
    return Settings(
        serial=read_interval("serial_interval", serial_interval),
        incubation=None if incubation is None else read_interval("incubation", incubation),
        same=tuple(same),
        near=tuple(near),
        optional=tuple(same) == SAME and tuple(near) == NEAR,
        priors=Priors(_share("importation", importation), _share("reported", reported)),
        dispersion=_dispersion(superspreading),
        interval_width=_width(interval_width),
        disease=disease,
        seed=seed,
    )


def _share(name: str, given: Share) -> Beta:
    mean, weight = given if isinstance(given, tuple) else (given, _CERTAIN)
    if not 0.0 < mean < 1.0 or not 0.0 < weight < np.inf:
        raise ValueError(
            f"{name} must be a share between 0 and 1, or (share, weight in cases) (it is {given!r})"
        )
    return Beta(mean * weight, (1.0 - mean) * weight)


def _width(given: tuple[float, float]) -> tuple[float, float]:
    wide = np.asarray(given, np.float64)
    if wide.shape != (2,) or not ((wide >= 0.0) & (wide <= 1.0)).all():
        raise ValueError(
            "interval_width must be how far mean and sd may be off, two numbers from 0 (as given) to 1 "
            f"(it is {given!r})"
        )
    return float(wide[0]), float(wide[1])


def _dispersion(given: Spread) -> tuple[float, float] | None:
    if given is None:
        return None
    median, spread = given if isinstance(given, tuple) else (given, 0.0)
    if not 0.0 < median < np.inf or not 0.0 <= spread < np.inf:
        raise ValueError(
            "superspreading must be a dispersion k above 0, (median, sd of its logarithm), or None "
            f"(it is {given!r})"
        )
    return float(median), float(spread)
