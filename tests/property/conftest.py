"""The city that tests of trust share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends import NAMES, NO_SERVER, Backend, has

from .trust_city import City

DRAWS = {"sqlite": 2_000, "postgres": 500}


@pytest.fixture(scope="package", params=NAMES)
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    if not has(request.param):
        pytest.skip(NO_SERVER)
    folder = tmp_path_factory.mktemp("city")
    backend = Backend(request.param, folder)
    city = City(backend, folder)
    city.draws = DRAWS[request.param]
    yield city
    city.close()
    backend.close()
