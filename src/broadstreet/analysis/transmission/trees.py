"""The tree to look at: whether a case has an infector in the list is decided first, then which."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.arborescence import most_probable
from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What a wrong decision on whether there is an infector in the list costs, beside naming an improbable one.
_FIRST = 1e6
_LEAST, _TINY = 1e-6, 1e-12


def best_tree(study: Study) -> tuple[Ints, Floats]:
    r"""Return the infector of each case in the most probable tree, -1 for none, and its probability.

    "Nobody in the list" is one answer and its opposite is split among many candidates: it would win wherever
    no candidate stands out. So each case is first decided to have an infector in the list, or none, by which
    is the more probable; then infectors are chosen by their probabilities given that there is one. With
    :math:`q_i` the probability of nobody, an edge from :math:`j` weighs
    :math:`W \log(1 - q_i) + \log(p_{ji} / (1 - q_i))`, one from the root :math:`W \log q_i`, :math:`W` large:
    where the choices would close a cycle it opens at the case that most probably has no infector in the list.
    """
    pairs, nobody = study.pairs, study.posterior.nobody()
    size, case = pairs.size, pairs.case().astype(np.int64)
    listed = np.maximum(1.0 - nobody, _TINY)
    given = study.posterior.pair / listed[case]
    held = given > _LEAST
    source = np.concatenate([pairs.infector[held].astype(np.int64), np.full(size, size)])
    target = np.concatenate([case[held], np.arange(size)])
    link = _FIRST * np.log(listed)[case[held]] + np.log(given[held])
    weight = np.concatenate([link, _FIRST * np.log(np.maximum(nobody, _TINY))])
    chance = np.concatenate([study.posterior.pair[held], nobody])
    edge = most_probable(source, target, weight, size)
    return np.where(source[edge] == size, -1, source[edge]), chance[edge]


def unseen_between(study: Study) -> Ints:
    """Return the most probable number of unseen cases before each case, 0 where none is more probable."""
    outside, unseen = study.posterior.outside, study.posterior.unseen
    if not study.pairs.size:
        return np.zeros(0, np.int64)
    return np.where(unseen.sum(axis=0) > outside, 1 + np.argmax(unseen, axis=0), 0)


def tree_table(study: Study, names: list[str], onset: list[Any]) -> Frame:
    """Return `case, infector, probability, nobody, onset, infector_onset, unseen`."""
    infector, chance = best_tree(study)
    parents = infector.tolist()
    between = unseen_between(study).tolist()
    return Frame(
        {
            "case": names,
            "infector": [None if j < 0 else names[j] for j in parents],
            "probability": chance,
            "nobody": study.posterior.nobody(),
            "onset": onset,
            "infector_onset": [None if j < 0 else onset[j] for j in parents],
            "unseen": [links if j < 0 and links else None for j, links in zip(parents, between, strict=True)],
        }
    )
