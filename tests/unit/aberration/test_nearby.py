from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.analysis.aberration import detect, detect_nearby

POINTS = np.array([(x, y) for x in range(6) for y in range(6)], float)
NEAR_A_CORNER = [0, 1, 6, 7]
DAYS = 200


def counts_of_a_city(added: int, days: int = 3) -> np.ndarray:
    counts = np.random.default_rng(1854).poisson(1.5, (DAYS, len(POINTS)))
    counts[-days:, NEAR_A_CORNER] += added
    return counts


def test_a_small_rise_in_several_near_places_is_found_and_located() -> None:
    counts = counts_of_a_city(2)
    found = detect_nearby(counts, [DAYS - 1], POINTS, max_radius=2.0, distance="euclidean")
    quiet = detect_nearby(counts_of_a_city(0), [DAYS - 1], POINTS, max_radius=2.0, distance="euclidean")
    assert found.evidence[0] > quiet.evidence[0] + 1.0
    assert len({*found.places[0]} & {*NEAR_A_CORNER}) >= 3
    assert found.observed[0] > found.expected[0]
    assert found.place_evidence[0, NEAR_A_CORNER].min() > np.median(found.place_evidence[0])


def test_a_single_place_has_the_evidence_that_it_has_by_itself() -> None:
    counts = counts_of_a_city(0)[:, :1]
    alone = detect_nearby(counts, [DAYS - 1], POINTS[:1], max_radius=1.0, pool=False)
    assert alone.places[0].tolist() == [0]
    assert alone.expected[0] == pytest.approx(detect(counts, [DAYS - 1], frequency=365).expected[0, 0])


def test_evidence_without_an_outbreak_is_rarely_large() -> None:
    counts = np.random.default_rng(3).poisson(1.0, (260, 16))
    found = detect_nearby(counts, range(160, 260), POINTS[:16], max_radius=2.0, distance="euclidean")
    assert (found.evidence > np.log(100)).mean() < 0.03


def test_the_first_day_has_no_answer() -> None:
    found = detect_nearby(counts_of_a_city(0), [0, 50], POINTS, max_radius=2.0)
    assert np.isnan(found.evidence).tolist() == [True, False]
    assert found.centre[0] == -1
    assert found.places[0].size == 0


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a point is missing": ({"points": [(0.0, 0.0)]}, "points must be 2 pairs"),
    "a coordinate is missing": ({"points": [(0.0, np.nan), (1.0, 1.0)]}, "none missing"),
    "a latitude is none": ({"points": [(100.0, 0.0), (1.0, 1.0)]}, "within 90"),
    "the radius is 0": ({"max_radius": 0.0}, "max_radius must be above 0"),
    "the distance is unknown": ({"distance": "walk"}, "distance must be one of"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_a_sentence(case: str) -> None:
    given, message = BAD[case]
    usual: dict[str, Any] = {"points": [(0.0, 0.0), (1.0, 1.0)], "max_radius": 5.0}
    with pytest.raises(ValueError, match=message):
        detect_nearby([[1, 2], [3, 4]], [1], **{**usual, **given})
