"""Link places to their members, from the places of each person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broadstreet.simulation.draws import compiled


@compiled
def link(
    places: int,
    home: NDArray[np.uint32],
    main: NDArray[np.uint32],
    habits: NDArray[np.uint32],
    ranks: NDArray[np.uint32],
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return where each place's members begin, and the members; write each person's rank among regulars.

    Parameters
    ----------
    places : int
    home, main : ndarray of uint32, shape (people,)
        Place, or 2^32 - 1 for none; also in `habits`.
    habits, ranks : ndarray of uint32, shape (people, habits)
        `ranks` is written: position of the person among the members of the place.

    Returns
    -------
    first : ndarray of int64, shape (places + 1,)
    members : ndarray of uint32
    """
    nowhere = np.uint32(0xFFFFFFFF)
    people, columns = habits.shape
    first = np.zeros(places + 1, np.int64)
    for person in range(people):
        first[home[person] + 1] += 1
        if main[person] != nowhere:
            first[main[person] + 1] += 1
        for column in range(columns):
            if habits[person, column] != nowhere:
                first[habits[person, column] + 1] += 1
    for place in range(places):
        first[place + 1] += first[place]
    members = np.empty(first[places], np.uint32)
    filled = np.zeros(places, np.int64)
    for person in range(people):
        place = home[person]
        members[first[place] + filled[place]] = person
        filled[place] += 1
        place = main[person]
        if place != nowhere:
            members[first[place] + filled[place]] = person
            filled[place] += 1
        for column in range(columns):
            place = habits[person, column]
            if place != nowhere:
                ranks[person, column] = filled[place]
                members[first[place] + filled[place]] = person
                filled[place] += 1
    return first, members


@compiled
def next_primes(numbers: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the least prime that is not below each number, 0 for 0."""
    primes = np.zeros(len(numbers), np.uint32)
    for at in range(len(numbers)):
        if numbers[at] > 0:
            candidate = max(numbers[at], 2)
            while not _is_prime(candidate):
                candidate += 1
            primes[at] = candidate
    return primes


@compiled
def _is_prime(number: int) -> bool:
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return True
