"""Each kind of evidence moves probabilities the way that it should."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.analysis.transmission import infer, pairs
from broadstreet.analysis.transmission.arborescence import most_probable
from broadstreet.analysis.transmission.companions import clustered
from broadstreet.analysis.transmission.intervals import infectiousness, read_interval
from broadstreet.analysis.transmission.linelist import read_cases
from broadstreet.analysis.transmission.timing import time_cases

SERIAL, INCUBATION = (8.0, 3.0), (4.0, 1.5)


def chance(found, infector, case):
    """Return the probability of a link."""
    rows = found.infectors.rows()
    return sum(row["probability"] for row in rows if (row["infector"], row["case"]) == (infector, case))


def test_one_who_was_isolated_before_the_exposure_did_not_infect():
    cases = {
        "id": ["early", "late", "c"],
        "onset": [0, 0, 8],
        "isolated": [1, 30, None],
        "exposed_from": [None, None, 4],
        "exposed_to": [None, None, 5],
    }
    found = infer(cases, serial_interval=SERIAL, incubation=INCUBATION, superspreading=None)
    assert chance(found, "late", "c") > 20 * chance(found, "early", "c")
    reasons = {row["infector"]: row["reasons"] for row in found.infectors.rows() if row["case"] == "c"}
    assert "but isolated before the exposure" in reasons["early"]
    assert "ill and not isolated during the exposure" in reasons["late"]


def test_a_rare_place_shared_speaks_louder_than_a_busy_one():
    cases = {"id": ["a", "b", "c"], "onset": [0, 0, 8]}
    crowd = [f"other{k}" for k in range(50)]
    visits = {
        "id": ["a", "c", "b", "c", *crowd],
        "place": ["clinic", "clinic", "station", "station", *["station"] * 50],
        "day": [4] * 54,
    }
    settings = {"serial_interval": SERIAL, "incubation": INCUBATION, "superspreading": None}
    found = infer(cases, visits=visits, **settings)
    assert chance(found, "a", "c") > 2 * chance(found, "b", "c")
    (reason,) = [row["reasons"] for row in found.infectors.rows() if row["infector"] == "a"]
    assert reason.startswith("both at clinic (2 visitors that day)")
    flat = infer(cases, visits=visits, serial_interval=SERIAL, superspreading=None)
    assert chance(flat, "a", "c") > chance(flat, "b", "c")


def test_a_declared_contact_is_likelier_but_not_certain():
    cases = {"id": ["a", "b", "c"], "onset": [0, 0, 8]}
    contacts = {"id": ["c"], "contact": ["b"]}
    found = infer(cases, contacts=contacts, serial_interval=SERIAL, superspreading=None)
    assert chance(found, "b", "c") > chance(found, "a", "c") > 0.0


def test_a_missing_onset_is_placed_by_diagnosis_and_the_case_can_infect():
    days = [0, 2, 4, 6, 8]
    cases = {
        "id": [*"abcde", "x", "y"],
        "onset": [*days, None, 40],
        "diagnosed": [day + 3 for day in days] + [35, 43],
    }
    found = infer(cases, serial_interval=SERIAL, superspreading=None)
    assert chance(found, "x", "y") > 0.5


def test_distance_tells_a_neighbour_from_one_far_away():
    generator = np.random.default_rng(0)
    points = generator.random((20, 2)) * 100
    cases = {
        "id": [*(f"p{k}" for k in range(20)), *(f"q{k}" for k in range(20))],
        "onset": [4 * (k % 10) for k in range(20)] * 2,
        "x": np.r_[points[:, 0], points[:, 0] + 0.1],
        "y": np.r_[points[:, 1], points[:, 1]],
    }
    cases["onset"] = cases["onset"][:20] + [day + 8 for day in cases["onset"][20:]]
    found = infer(cases, serial_interval=SERIAL, same=(), seed=1)
    assert np.mean([chance(found, f"p{k}", f"q{k}") for k in range(20)]) > 0.5


def test_where_half_of_the_cases_are_seen_a_gap_of_two_intervals_points_to_someone_unseen():
    cases = {"id": ["a", "b"], "onset": [0, 16]}
    found = infer(cases, serial_interval=(8.0, 1.0), reported=0.5, importation=0.01, superspreading=None)
    (b,) = [row for row in found.sources.rows() if row["case"] == "b"]
    assert b["unseen"] > 0.5
    assert found.tree["unseen"] == [None, 1]


def households(size=300, seed=1):
    """Return infectors, onsets and households of cases: half infected at home, half by anybody before."""
    generator = np.random.default_rng(seed)
    onset, home, by = [0.0, 1.0, 2.0], [0, 1, 2], [-1, -1, -1]
    while len(onset) < size:
        who = int(generator.integers(max(0, len(onset) - 40), len(onset)))
        by.append(who)
        onset.append(onset[who] + generator.gamma(16.0, 0.5))
        home.append(home[who] if generator.random() < 0.5 else len(onset))
    return np.array(by), np.floor(onset).astype(int), np.array(home)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_list_does_not_tell_which_share_is_seen_and_the_result_says_so(share):
    _, onset, home = households()
    seen = np.random.default_rng(2).random(300) < share
    cases = {"id": np.flatnonzero(seen), "onset": onset[seen], "household": home[seen]}
    found = infer(cases, serial_interval=SERIAL, same=("household",), near=(), seed=1)
    told = found.diagnostics
    assert told["share_seen"] == pytest.approx(0.75)
    assert told["share_seen_95"][0] < 0.5
    assert "does not tell" in told["share_seen_from"]


def test_where_the_share_seen_is_known_so_is_how_many_have_nobody_in_the_list():
    by, onset, home = households()
    seen = np.random.default_rng(2).random(300) < 0.5
    cases = {"id": np.flatnonzero(seen), "onset": onset[seen], "household": home[seen]}
    found = infer(cases, serial_interval=SERIAL, same=("household",), near=(), reported=0.5, seed=1)
    true = 1.0 - np.mean((by[seen] >= 0) & seen[by[seen]])
    assert found.study.posterior.nobody().mean() == pytest.approx(true, abs=0.08)


def test_a_case_without_onset_but_with_a_diagnosis_takes_part_and_its_sets_hold_the_truth():
    by, onset, home = households(150)
    generator = np.random.default_rng(3)
    gone = generator.random(150) < 0.2
    cases = {
        "id": range(150),
        "onset": [None if missing else day for missing, day in zip(gone, onset.tolist(), strict=True)],
        "diagnosed": onset + generator.integers(1, 8, 150),
        "household": home,
    }
    found = infer(cases, serial_interval=SERIAL, same=("household",), near=(), reported=0.95, seed=1)
    scored = found.evaluate({"case": np.flatnonzero(gone), "infector": by[gone]})
    assert scored.cases > 20
    assert 0.6 < scored.coverage <= 1.0
    assert sum(found.study.posterior.pair[np.isin(found.study.pairs.infector, np.flatnonzero(gone))]) > 5.0


def test_the_greatest_arborescence_breaks_the_weakest_link_of_a_cycle():
    # 0 -> 1 -> 2 -> 0 is heaviest; the root (3) reaches 1 best
    source = np.array([0, 1, 2, 3, 3, 3])
    target = np.array([1, 2, 0, 0, 1, 2])
    weight = np.array([5.0, 5.0, 5.0, 1.0, 3.0, 1.0])
    chosen = most_probable(source, target, weight, 3)
    assert source[chosen].tolist() == [2, 3, 1]


def test_the_plot_shows_each_case():
    pytest.importorskip("matplotlib")
    cases = {"id": ["a", "b"], "onset": ["2026-03-01", "2026-03-09"]}
    figure = infer(cases, serial_interval=SERIAL, seed=1).plot()
    (axes,) = figure.axes
    assert {text.get_text().split()[0] for text in axes.texts} == {"a", "b"}


def test_who_was_there_at_the_same_hour_is_likelier_than_who_came_on_the_same_day():
    cases = {"id": ["a", "b", "c"], "onset": [0, 0, 8]}
    visits = {
        "id": ["a", "b", "c"],
        "place": ["clinic"] * 3,
        "start": [4.40, 4.70, 4.45],
        "end": [4.50, 4.80, 4.55],
    }
    found = infer(cases, visits=visits, serial_interval=SERIAL, incubation=INCUBATION, superspreading=None)
    assert chance(found, "a", "c") > 2 * chance(found, "b", "c")


def test_a_household_says_the_more_the_more_households_were_spared():
    """In the one list most households have one case of many, in the other all have all of theirs."""
    alone = [f"h{k}" for k in range(40)]
    few = {"household": ["same", "same", *alone], "onset": [0, 8, *range(40)]}
    full = {"household": ["same", "same", *(alone[k // 4] for k in range(40))], "onset": [0, 8, *range(40)]}
    chances = []
    for cases in (few, full):
        cases["id"] = [str(k) for k in range(42)]
        found = infer(cases, serial_interval=SERIAL, same=("household",), near=(), superspreading=None)
        chances.append(chance(found, "0", "1"))
    assert chances[0] > chances[1]


def test_a_case_whose_class_has_others_that_fell_ill_with_it_may_have_an_unseen_infector_there():
    cases = {
        "id": list("abcdef"),
        "onset": [20, 20, 21, 0, 5, 26],
        "class": ["1", "1", "1", None, None, None],
    }
    found = infer(
        cases, serial_interval=(8.0, 1.5), same=("class",), near=(), reported=0.5, superspreading=None
    )
    assert found.study.evidence.companions[0, :3].min() > 0.0
    assert found.study.evidence.companions[0, 3:].max() == 0.0


def test_unseen_members_are_looked_for_in_classes_of_unlike_size_not_in_households_whose_two_are_seen():
    couples = np.repeat(np.arange(40), 2)
    classes = np.r_[np.arange(20), np.full(20, 20), np.full(30, 21)]
    assert clustered(couples) < 0.1
    assert clustered(classes) > 0.7
    assert clustered(np.full(5, -1)) == clustered(np.zeros(0, np.int64)) == 1.0


def test_the_first_case_of_a_class_is_not_infected_by_unseen_classmates_of_those_who_fell_ill_later():
    cases = {"id": list("abcdef"), "onset": [0, 8, 8, 9, 16, 17], "class": ["1"] * 6}
    found = infer(cases, serial_interval=SERIAL, same=("class",), near=(), reported=0.5, superspreading=None)
    first, later = found.study.evidence.companions[0, [0, 4]]
    assert first < 0.2 * later


def test_a_place_where_a_class_meets_is_evidence_for_those_of_other_classes_only():
    cases = {"id": ["a", "b", "c"], "onset": [0, 0, 8], "class": ["1", "2", "1"]}
    visits = {"id": ["a", "b", "c"], "place": ["school"] * 3, "day": [4, 4, 4]}
    found = infer(
        cases, visits=visits, serial_interval=SERIAL, incubation=INCUBATION, same=("class",), near=(),
        superspreading=None,
    )  # fmt: skip
    pairs, shared = found.study.pairs, found.study.evidence.shared
    of = {int(pairs.infector[k]): float(shared[k]) for k in range(pairs.start[2], pairs.start[3])}
    assert of[0] == 0.0
    assert of[1] > 0.0


def test_what_isolation_leaves_of_infectiousness_is_what_the_serial_interval_says():
    delays = np.random.default_rng(1).integers(1, 12, 400)
    cases = {"id": range(400), "onset": [0] * 400, "isolated": delays}
    serial, incubation = read_interval("serial", SERIAL), read_interval("incubation", INCUBATION)
    timing = time_cases(read_cases(cases, (), (), ()), serial, incubation)
    left, profile = timing.infecting.values.mean(axis=0), infectiousness(serial, incubation)
    assert timing.infecting.first[0] == profile.first
    often = (delays[:, np.newaxis] >= profile.days).mean(axis=0) > 0.15
    np.testing.assert_allclose(left[often], profile.p[often], rtol=0.05)
    # without isolation there would be more of it than the serial interval shows
    total = timing.infecting.total()
    assert total[delays == 11].mean() > 1.2
    assert total[delays == 2].mean() < 0.5


def test_who_was_together_for_longer_is_the_likelier_infector_up_to_two_hours():
    cases = {"id": ["short", "long", "longer", "c"], "onset": [0, 0, 0, 8]}
    visits = {
        "id": ["short", "c", "long", "c", "longer", "c"],
        "place": ["shop", "shop", "cafe", "cafe", "hall", "hall"],
        "start": [4.30, 4.30, 4.40, 4.40, 4.60, 4.60],
        "end": [4.31, 4.31, 4.50, 4.50, 4.80, 4.80],
    }
    found = infer(
        cases, visits=visits, serial_interval=SERIAL, incubation=INCUBATION, superspreading=None, near=()
    )
    assert chance(found, "long", "c") > 2 * chance(found, "short", "c")
    assert chance(found, "longer", "c") == pytest.approx(chance(found, "long", "c"), rel=1e-6)


def test_a_minute_together_is_no_less_than_to_have_missed_each_other():
    cases = {"id": ["touched", "missed", "c"], "onset": [0, 0, 8]}
    visits = {
        "id": ["touched", "c", "missed", "c"],
        "place": ["cafe", "cafe", "hall", "hall"],
        "start": [4.30, 4.3993, 4.30, 4.4007],
        "end": [4.40, 4.60, 4.40, 4.60],
    }
    settings = {"serial_interval": SERIAL, "incubation": INCUBATION, "superspreading": None, "near": ()}
    found = infer(cases, visits=visits, **settings)
    assert chance(found, "touched", "c") >= chance(found, "missed", "c")


def test_a_visit_without_an_end_lasts_two_hours():
    cases = {"id": ["a", "b", "c"], "onset": [0, 0, 8]}
    visits = {"id": ["a", "c", "b", "c"], "place": ["bar", "bar", "pub", "pub"]}
    visits |= {"start": [4.5, 4.5, 4.6, 4.6], "end": [None, 4.7, 4.6 + 2 / 24, 4.8]}
    settings = {"serial_interval": SERIAL, "incubation": INCUBATION, "superspreading": None, "near": ()}
    found = infer(cases, visits=visits, **settings)
    assert chance(found, "a", "c") == pytest.approx(chance(found, "b", "c"), rel=1e-6)


def test_who_has_no_date_of_isolation_is_not_less_infectious_than_one_isolated_late():
    cases = {"id": range(45), "onset": [0] * 45, "isolated": [1] * 6 + [12] + [None] * 38}
    serial, incubation = read_interval("serial", SERIAL), read_interval("incubation", INCUBATION)
    total = time_cases(read_cases(cases, (), (), ()), serial, incubation).infecting.total()
    assert total[7] >= total[6] > total[0]
    assert total[7] < 1.2


def test_of_too_many_pairs_those_that_something_speaks_for_are_all_looked_at(monkeypatch):
    generator = np.random.default_rng(4)
    onset = np.r_[10, 15, 20, np.sort(generator.integers(40, 50, 297))]
    cases = {"id": range(300), "onset": onset, "x": generator.random(300), "y": generator.random(300)}
    case = int(np.flatnonzero(onset >= 47)[0])
    told = {
        "contacts": {"infector": [7], "case": [case]},
        "visits": {"id": [3, case + 1], "place": ["inn", "inn"], "day": [44, 44]},
    }
    settings = {"serial_interval": (5.0, 3.0), "incubation": (2.5, 1.5), "same": (), "interval_width": (0, 0)}
    whole = infer(cases, **told, **settings).study
    monkeypatch.setattr(pairs, "MOST_PAIRS", 10_000)
    monkeypatch.setattr(pairs, "THINNED", 8_000)
    some = infer(cases, **told, **settings).study
    assert whole.pairs.thinned == 1.0
    assert 0.05 < some.pairs.thinned < 0.5
    source, target = np.array([7, 3]), np.array([case, case + 1])
    at, before = some.pairs.find(source, target), whole.pairs.find(source, target)
    np.testing.assert_allclose(some.pairs.fit[at], whole.pairs.fit[before])
    few, among = (slice(*study.pairs.start[case : case + 2]) for study in (some, whole))
    near = whole.pairs.infector[among][np.argsort(whole.evidence.distance[among])[:10]]
    assert set(near.tolist()) <= set(some.pairs.infector[few].tolist())
    # who has few candidates keeps them all, and what is left of the others stands for all
    np.testing.assert_array_equal(*(np.diff(study.pairs.start)[:3] for study in (some, whole)))
    assert some.pairs.fit.sum() == pytest.approx(whole.pairs.fit.sum(), rel=0.05)


def test_with_few_pairs_looked_at_nobody_says_so(monkeypatch):
    monkeypatch.setattr(pairs, "MOST_PAIRS", 50)
    monkeypatch.setattr(pairs, "THINNED", 30)
    cases = {"id": range(30), "onset": [0, *([40] * 29)]}
    found = infer(cases, serial_interval=(5.0, 2.0), same=(), near=(), seed=1)
    first = next(row for row in found.infectors.rows() if row["case"] == "0")
    assert first["reasons"].startswith("none of the cases that were looked at fits the dates")
