"""The renewal equation: how many each case infects, what is not yet reported, and what comes next.

Incidence is `(time,)` or `(time, series)` in days (or other equal steps); results have the same series.
"""

from broadstreet.analysis.renewal.cohort import CohortReproduction, wallinga_teunis
from broadstreet.analysis.renewal.forecast import Forecast, forecast
from broadstreet.analysis.renewal.nowcast import Nowcast, nowcast
from broadstreet.analysis.renewal.prediction import Prediction
from broadstreet.analysis.renewal.reproduction import Reproduction, estimate_r
from broadstreet.analysis.renewal.serial_interval import UncertainSerialInterval, discretise_serial_interval
from broadstreet.analysis.renewal.triangle import reporting_triangle

__all__ = [
    "CohortReproduction",
    "Forecast",
    "Nowcast",
    "Prediction",
    "Reproduction",
    "UncertainSerialInterval",
    "discretise_serial_interval",
    "estimate_r",
    "forecast",
    "nowcast",
    "reporting_triangle",
    "wallinga_teunis",
]
