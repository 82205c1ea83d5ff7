"""What devices and counters leave when people visit places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from broadstreet.simulation.samples import (
    Visits,
    checkins,
    encounters,
    masts_of,
    payments,
    pings,
    sightings,
)

SEED = 5
PEOPLE, PLACES, DAY = 2_000, 300, 86_400


def rows(people: int = PEOPLE) -> Visits:
    """Each person's day: four visits without a gap between them."""
    draw = np.random.default_rng(1)
    edges = np.sort(draw.integers(1, DAY, (people, 3)), axis=1)
    nights = np.zeros((people, 1), int), np.full((people, 1), DAY)
    return Visits(
        np.repeat(np.arange(people, dtype=np.uint32), 4),
        draw.integers(0, PLACES, people * 4).astype(np.uint32),
        np.concatenate([nights[0], edges], 1).ravel(),
        np.concatenate([edges, nights[1]], 1).ravel(),
    )


VISITS = rows()
X = np.random.default_rng(2).uniform(-3, 3, PLACES).astype(np.float32)
Y = np.random.default_rng(3).uniform(-3, 3, PLACES).astype(np.float32)


def place_at(person: np.ndarray[Any, Any], time: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return at which place each person was: visits follow each other, four a person."""
    first = person.astype(np.int64)[:, None] * 4 + np.arange(4)
    at = (VISITS.start[first] <= time[:, None]) & (time[:, None] < VISITS.end[first])
    assert at.any(axis=1).all()
    return VISITS.place[first[np.arange(len(person)), at.argmax(axis=1)]]


def test_a_ping_is_near_the_place_of_its_visit_within_the_accuracy_that_it_tells() -> None:
    made = pings(VISITS, X, Y, SEED)
    place = place_at(made.person, made.time)
    error = 1000 * np.hypot(made.x - X[place], made.y - Y[place])
    assert 0.66 < (error <= made.accuracy).mean() < 0.70  # the radius of 68 %
    assert 7 < error.mean() < 15


def test_phones_report_in_step_and_are_silent_for_whole_hours() -> None:
    made = pings(VISITS, X, Y, SEED, phones=1.0, silent=0.25, lost=0.0)
    one = made.time[made.person == 7]
    assert len(set((one % 600).tolist())) == 1
    hours = np.unique(made.person.astype(np.int64) * 24 + made.time // 3600)
    assert 0.73 < len(hours) / (PEOPLE * 24) < 0.77
    everything = pings(VISITS, X, Y, SEED, phones=1.0, silent=0.0, lost=0.0)
    assert 0.97 < len(everything.time) / (PEOPLE * DAY / 600) < 1.03


def test_a_share_of_people_has_a_phone_and_always_the_same() -> None:
    made, again = (pings(VISITS, X, Y, SEED, phones=0.4, every=every) for every in (600, 1200))
    assert 0.35 < len(np.unique(made.person)) / PEOPLE < 0.45
    assert set(np.unique(again.person)) == set(np.unique(made.person))


def test_samples_of_a_part_of_the_visits_are_a_part_of_the_samples() -> None:
    whole, part = pings(VISITS, X, Y, SEED), pings(Visits(*(c[400:800] for c in VISITS)), X, Y, SEED)
    here = (whole.person >= 100) & (whole.person < 200)
    for column, other in zip(whole, part, strict=True):
        assert np.array_equal(column[here], other)


def test_cards_pay_where_something_is_sold_and_never_tell_the_person() -> None:
    mean = np.where(np.arange(PLACES) < 100, 2_000.0, 0.0)
    made = payments(VISITS, mean, SEED, cards=0.9, by_card=0.5)
    assert (made.place < 100).all()
    sold = (VISITS.place < 100).sum()
    assert 0.40 < len(made.card) / sold < 0.50
    assert 1_800 < made.amount.mean() < 2_200
    assert not set(made.card.tolist()) & set(range(PEOPLE))
    assert len(set(made.card.tolist())) <= PEOPLE


def test_guests_check_in_after_they_come_and_some_check_out() -> None:
    asks = np.arange(PLACES) % 2 == 0
    made = checkins(VISITS, asks, SEED, comply=0.5, check_out=0.3)
    assert (made.place % 2 == 0).all()
    assert 0.45 < len(made.person) / asks[VISITS.place].sum() < 0.55
    assert 0.25 < (made.left >= 0).mean() < 0.35
    left = made.left >= 0
    assert (made.left[left] >= made.arrived[left]).all()


def test_a_phone_is_seen_by_a_mast_that_is_near() -> None:
    masts = masts_of(X, Y, spacing=0.8)
    made = sightings(VISITS, masts, SEED)
    place = place_at(made.person, made.time)
    distance = np.hypot(masts.x[made.mast] - X[place], masts.y[made.mast] - Y[place])
    assert distance.max() < 1.7
    assert np.median(distance) < 0.45
    every_arrival = np.isin(VISITS.person * 1.0 * DAY + VISITS.start, made.person * 1.0 * DAY + made.time)
    assert every_arrival[np.isin(VISITS.person, made.person)].all()


def test_phones_hear_each_other_both_ways_where_they_are_together_and_nowhere_else() -> None:
    made = encounters(VISITS, SEED, phones=1.0)
    assert np.array_equal(place_at(made.observer, made.first), made.place)
    assert np.array_equal(place_at(made.other, made.last), made.place)
    pairs = set(zip(made.observer.tolist(), made.other.tolist(), strict=True))
    assert 0.8 < sum((b, a) in pairs for a, b in pairs) / len(pairs) <= 1.0
    assert (made.last >= made.first).all()
    assert (made.strongest >= made.mean).all()
    assert made.mean.min() >= -95


def test_two_who_sit_in_other_cells_do_not_meet() -> None:
    same = Visits(
        np.array([1, 2], np.uint32), np.zeros(2, np.uint32), np.zeros(2, np.int64), np.full(2, 7200)
    )
    apart = encounters(same, SEED, phones=1.0, cell=np.array([0, 1], np.uint32))
    together = encounters(same, SEED, phones=1.0, cell=np.array([3, 3], np.uint32))
    assert (len(apart.observer), len(together.observer)) == (0, 2)


def test_no_visits_leave_nothing() -> None:
    nobody = Visits(*(column[:0] for column in VISITS))
    assert len(pings(nobody, X, Y, SEED).person) == 0
    assert len(encounters(nobody, SEED).observer) == 0
    assert len(sightings(nobody, masts_of(X, Y), SEED).person) == 0


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: pings(VISITS, X, Y, SEED, every=0), "every must be 1 second or more"),
        (lambda: pings(VISITS, X, Y, SEED, silent=1.5), "silent must be a share from 0 to 1"),
        (lambda: payments(VISITS, X.astype(float), SEED, cards=float("nan")), "cards must be a share"),
        (lambda: checkins(VISITS, X > 0, SEED, comply=-0.1), "comply must be a share"),
        (lambda: masts_of(X, Y, spacing=0), "spacing must be above 0"),
        (lambda: sightings(VISITS, masts_of(X, Y), SEED, phones=2), "phones must be a share"),
        (
            lambda: encounters(VISITS, SEED, cell=np.zeros(3, np.uint32)),
            "cell must have a value for each visit",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(refused: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        refused()
