"""The tree: a case is a root where it most probably has no infector in the list, not where many may be it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from broadstreet.analysis.transmission import infer
from broadstreet.analysis.transmission.arborescence import most_probable


def crowd(size: int = 60) -> dict[str, list[int]]:
    """Return cases that fall ill within two months, each with many possible infectors."""
    generator = np.random.default_rng(1)
    return {"id": list(range(size)), "onset": np.sort(generator.integers(0, 60, size)).tolist()}


def test_a_case_with_many_possible_infectors_is_no_root():
    found = infer(crowd(), serial_interval=(11.7, 2.0), seed=1)
    tree = found.tree.rows()
    roots = [row for row in tree if row["infector"] is None]
    assert len(roots) <= round(found.study.posterior.nobody().sum()) + 1
    assert all(row["nobody"] > 0.5 and row["probability"] == row["nobody"] for row in roots)
    assert all(row["nobody"] <= 0.5 for row in tree if row["infector"] is not None)


def test_a_link_of_the_tree_is_the_most_probable_infector_of_its_case():
    found = infer(crowd(), serial_interval=(11.7, 2.0), seed=1)
    best: dict[str, str | None] = {}
    for row in found.infectors.rows():
        if row["infector"] is not None:
            best.setdefault(row["case"], row["infector"])
    assert all(row["infector"] in (None, best.get(row["case"])) for row in found.tree.rows())


def test_where_dates_allow_cycles_the_tree_still_has_a_root_and_no_cycle():
    generator = np.random.default_rng(2)
    cases = {"id": list(range(40)), "onset": np.sort(generator.integers(0, 30, 40)).tolist()}
    tree = infer(cases, serial_interval=stats.norm(4.0, 4.75), seed=1).tree
    above = dict(zip(tree["case"], tree["infector"], strict=True))
    roots = [case for case, by in above.items() if by is None]
    assert 1 <= len(roots) <= 10
    assert all(_root_of(case, above) in roots for case in above)


def test_a_tree_of_many_cases_whose_dates_allow_cycles_is_found():
    generator = np.random.default_rng(3)
    cases = {"id": list(range(1_500)), "onset": np.sort(generator.integers(0, 200, 1_500)).tolist()}
    tree = infer(cases, serial_interval=stats.norm(4.0, 4.75), seed=1).tree
    assert 1 <= sum(by is None for by in tree["infector"]) < 300


def _root_of(case: str, above: dict[str, str | None]) -> str | None:
    for _ in range(len(above)):
        by = above[case]
        if by is None:
            return case
        case = by
    return None


@pytest.mark.parametrize("settings", [{}, {"superspreading": None}, {"importation": (0.01, 100.0)}])
def test_at_least_one_chain_begins_somewhere_even_where_dates_allow_cycles(settings):
    generator = np.random.default_rng(2)
    cases = {"id": list(range(40)), "onset": np.sort(generator.integers(0, 30, 40)).tolist()}
    sources = infer(cases, serial_interval=stats.norm(4.0, 4.75), seed=1, **settings).sources
    assert sum(sources["probability"]) >= 1.0 - 1e-9
    both = np.add(sources["probability"], sources["unseen"])
    assert both.max() <= 1.0 + 1e-9


def test_the_first_answer_for_a_case_is_nobody_only_where_that_is_likelier_than_all_others_together():
    found = infer(crowd(), serial_interval=(11.7, 2.0), seed=1)
    first: dict[str, dict[str, object]] = {}
    for row in found.infectors.rows():
        first.setdefault(row["case"], row)
    nobody = dict(zip(found.tree["case"], found.tree["nobody"], strict=True))
    assert all((row["infector"] is None) == (nobody[case] > 0.5) for case, row in first.items())


@pytest.mark.parametrize("seed", range(20))
def test_the_greatest_arborescence_is_that_of_all_trees_tried_one_by_one(seed):
    generator = np.random.default_rng(seed)
    source, target = (np.array(ends) for ends in zip(*itertools.permutations(range(5), 2), strict=True))
    source, target = np.append(source, [5] * 5), np.append(target, range(5))
    weight = generator.normal(size=25) - 3.0 * (source == 5)
    best = -np.inf
    for choice in itertools.product(*(np.flatnonzero(target == node) for node in range(5))):
        above = dict(enumerate(source[list(choice)].tolist()))
        if all(_reaches(node, above) for node in range(5)):
            best = max(best, float(weight[list(choice)].sum()))
    assert weight[most_probable(source, target, weight, 5)].sum() == pytest.approx(best)


def _reaches(node: int, above: dict[int, int]) -> bool:
    for _ in range(6):
        if node == 5:
            return True
        node = above[node]
    return False
