"""Cases of which the list tells the same: what is true of one is as probable of the other.

Chains that begin with one of them hardly ever come to the other; their mean is what both have.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.linelist import LineList
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.stays import Stays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def kinds(cases: LineList, contacts: Declared, stays: Stays) -> Ints:
    """Return the kind of each case: cases of one kind have the same dates, groups and place.

    Who has contacts or visits is of a kind of its own.
    """
    own = np.full(cases.size, -1.0)
    told = np.concatenate([contacts.source, contacts.target, stays.case])
    own[told] = told
    columns = [*cases.days.values(), *(codes for codes, _ in cases.groups.values()), *cases.points.T, own]
    table = np.nan_to_num(np.stack(columns, axis=1).astype(np.float64), nan=-1e300)
    return np.unique(table, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def shared_out(pairs: Pairs, kind: Ints, pair: Floats) -> Floats:
    """Return probabilities of pairs with the mean of those whose cases are of the same kinds."""
    several = np.bincount(kind)[kind] > 1
    case = pairs.case()
    some = np.flatnonzero(several[case] | several[pairs.infector])
    key = kind[case[some]] * (kind.max(initial=0) + 1) + kind[pairs.infector[some]]
    _, at, many = np.unique(key, return_inverse=True, return_counts=True)
    found = pair.copy()
    found[some] = (np.bincount(at, pair[some]) / many)[at]
    return found


def mean_of_kind(kind: Ints, values: Floats) -> Floats:
    """Return the mean over the cases of each case's kind."""
    return np.asarray((np.bincount(kind, values) / np.maximum(np.bincount(kind), 1))[kind])


def exchanged(draws: Ints, kind: Ints, generator: np.random.Generator) -> Ints:
    """Return draws of infectors in each of which cases of a kind have changed places at random.

    `draws` has the shape (draws, cases), -1 for nobody.
    """
    some = np.flatnonzero(np.bincount(kind)[kind] > 1)
    if not some.size:
        return draws
    order = some[np.argsort(kind[some], kind="stable")]
    chance = generator.random((len(draws), len(order)))
    shuffled = order[np.lexsort((chance, np.broadcast_to(kind[order], chance.shape)))]
    # the last place is that of nobody
    place = np.tile(np.append(np.arange(len(kind)), -1), (len(draws), 1))
    place[:, order] = shuffled
    found = np.empty_like(draws)
    np.put_along_axis(found, place[:, :-1], np.take_along_axis(place, draws, axis=1), axis=1)
    return found
