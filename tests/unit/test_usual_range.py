"""What 19 of 20 quiet times show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from broadstreet.analysis.aberration.quantiles import usual_range


@pytest.mark.parametrize(("mean", "dispersion"), [(0.3, 1.0), (4.0, 1.0), (12.0, 2.5), (300.0, 1.2)])
def test_the_range_has_19_of_20_counts_about_what_is_expected(mean: float, dispersion: float) -> None:
    low, high = usual_range(np.array([mean]), np.array([dispersion]))[:, 0]
    size = mean / (dispersion - 1.0) if dispersion > 1.0 else 0.0
    counts = stats.nbinom(size, 1.0 / dispersion) if size else stats.poisson(mean)
    assert low <= mean <= high
    assert counts.cdf(high) - counts.cdf(low - 1) >= 0.95
    assert counts.cdf(high - 1) < 0.975


def test_where_nothing_is_expected_there_is_no_range() -> None:
    assert np.isnan(usual_range(np.array([np.nan, 3.0]), np.array([1.0, np.nan]))).all()
