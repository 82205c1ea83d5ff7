from __future__ import annotations

import pytest

from broadstreet.simulation.population import City, build, configuration


@pytest.fixture(scope="session")
def town() -> City:
    """Five thousand people: the city of these tests."""
    return build(configuration("demo", 5_000), seed=1854)
