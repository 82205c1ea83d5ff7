"""How good a detector is: on labelled outbreaks, and on series that are generated with them."""

from broadstreet.analysis.evaluation.benchmark import Benchmark
from broadstreet.analysis.evaluation.noufaily_2013 import weekly_benchmark
from broadstreet.analysis.evaluation.noufaily_2019 import daily_benchmark
from broadstreet.analysis.evaluation.performance import Estimate, Performance, performance

__all__ = ["Benchmark", "Estimate", "Performance", "daily_benchmark", "performance", "weekly_benchmark"]
