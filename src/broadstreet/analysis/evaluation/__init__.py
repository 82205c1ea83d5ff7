"""How good a detector is, on labelled and on generated outbreaks; and how good a forecast."""

from broadstreet.analysis.evaluation.benchmark import Benchmark
from broadstreet.analysis.evaluation.forecasts import HUB_PROBABILITIES, coverage, crps, wis
from broadstreet.analysis.evaluation.noufaily_2013 import weekly_benchmark
from broadstreet.analysis.evaluation.noufaily_2019 import daily_benchmark
from broadstreet.analysis.evaluation.performance import Estimate, Performance, performance

__all__ = [
    "HUB_PROBABILITIES",
    "Benchmark",
    "Estimate",
    "Performance",
    "coverage",
    "crps",
    "daily_benchmark",
    "performance",
    "weekly_benchmark",
    "wis",
]
