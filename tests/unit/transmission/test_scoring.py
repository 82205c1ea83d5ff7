"""Scores of infectors: ties, credible sets, and what counts as a miss."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.analysis.transmission import infer
from broadstreet.analysis.transmission.scoring import score_case


def test_an_exact_tie_counts_as_its_share():
    score = score_case(np.array([0.4, 0.4, 0.2]), 1)
    assert score.first == pytest.approx(0.5)
    assert score.third == 1.0


def test_a_tie_at_the_third_place_counts_as_its_share():
    assert score_case(np.array([0.3, 0.3, 0.2, 0.2]), 3).third == pytest.approx(0.5)


def test_the_credible_set_is_randomised_at_its_last_member():
    probabilities = np.array([0.5, 0.5])
    assert score_case(probabilities, 0).covered == pytest.approx(0.8)
    probabilities = np.array([0.7, 0.2, 0.1])
    assert [score_case(probabilities, k).covered for k in range(3)] == pytest.approx([1.0, 0.5, 0.0])


def test_calibrated_probabilities_are_covered_as_often_as_they_say():
    generator = np.random.default_rng(4)
    covered = []
    for _ in range(4_000):
        probabilities = generator.dirichlet(np.full(6, 0.5))
        covered.append(score_case(probabilities, int(generator.choice(6, p=probabilities))).covered)
    assert np.mean(covered) == pytest.approx(0.8, abs=0.02)


def test_an_infector_that_is_no_candidate_is_a_miss():
    score = score_case(np.array([0.9, 0.1]), -1)
    assert (score.first, score.fifth, score.probability, score.covered) == (0.0, 0.0, 0.0, 0.0)


def test_evaluation_scores_known_infectors_and_nobody_only_when_asked():
    found = infer({"id": [1, 2], "onset": [0, 5]}, serial_interval=(5.0, 2.0), seed=1)
    truth = {"case": [1, 2], "infector": [None, 1]}
    assert found.evaluate(truth).cases == 1
    assert found.evaluate(truth, nobody=True).cases == 2
    assert found.evaluate(truth).accuracy == 1.0
    with pytest.raises(ValueError, match="nothing to score"):
        found.evaluate({"case": [9], "infector": [1]})
