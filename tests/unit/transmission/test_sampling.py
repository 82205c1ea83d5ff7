"""Where a few infect most: the sampler agrees with counting, with itself, and after an update."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from broadstreet.analysis.transmission import infer
from broadstreet.analysis.transmission.posterior import calibrated, weigh
from broadstreet.analysis.transmission.rates import Free, free_part
from broadstreet.analysis.transmission.sampling import Sampler

SERIAL = (5.0, 2.0)


def outbreak(size: int = 60, seed: int = 5) -> dict[str, list[int]]:
    """Return cases that descend from one another at random intervals, in households."""
    generator = np.random.default_rng(seed)
    onset = [0.0]
    while len(onset) < size:
        onset.append(onset[generator.integers(len(onset))] + generator.gamma(6.25, 0.8))
    return {
        "id": list(range(size)),
        "onset": [int(day) for day in onset],
        "household": generator.integers(0, 25, size).tolist(),
    }


def test_with_a_fixed_dispersion_the_sampler_agrees_with_all_trees_counted_one_by_one():
    cases = {"id": range(6), "onset": [0, 4, 5, 8, 9, 10]}
    found = infer(cases, serial_interval=SERIAL, superspreading=0.2, seed=2)
    study = found.study
    pairs, weight, shape = study.pairs, weigh(study.evidence, study.rates), 0.2
    generator = np.random.default_rng(0)
    expected = Sampler(
        study.evidence, weight, Free(weight.pair, np.zeros(0)), (0.2, 0.0), False, generator
    ).expected
    options = [[*range(pairs.start[i], pairs.start[i + 1]), -1] for i in range(6)]
    total, by_pair = 0.0, np.zeros(len(pairs.infector))
    for choice in itertools.product(*options):
        product, counts = 1.0, np.zeros(6, int)
        for case, entry in enumerate(choice):
            product *= weight.root()[case] if entry < 0 else weight.pair[entry]
            if entry >= 0:
                counts[pairs.infector[entry]] += 1
        for j in range(6):
            product *= math.gamma(shape + counts[j]) / math.gamma(shape) / (shape + expected[j]) ** counts[j]
        total += product
        by_pair[[entry for entry in choice if entry >= 0]] += product
    np.testing.assert_allclose(study.posterior.pair, by_pair / total, atol=0.03)


def test_the_same_seed_gives_the_same_probabilities():
    cases = outbreak()
    settings = {"serial_interval": SERIAL, "same": ("household",), "near": (), "seed": 7}
    one, other = (infer(cases, **settings) for _ in range(2))
    assert one.infectors["probability"] == other.infectors["probability"]


def test_dispersion_is_learned_lower_where_one_infected_most():
    """Forty cases all an interval after one of five, against forty that are spread over time."""
    burst = {"id": range(45), "onset": [0, 15, 30, 45, 60] + [50] * 40}
    even = {"id": range(45), "onset": list(range(0, 90, 2))}
    burst_k, even_k = (
        infer(cases, serial_interval=SERIAL, superspreading=(0.5, 1.0), seed=1).reproduction.dispersion
        for cases in (burst, even)
    )
    assert burst_k < even_k


def test_an_update_gives_what_a_fresh_run_gives():
    cases = outbreak()
    settings = {"serial_interval": SERIAL, "same": ("household",), "near": (), "seed": 3}
    early = {name: values[:-3] for name, values in cases.items()}
    updated = infer(early, **settings).update({name: values[-3:] for name, values in cases.items()})
    fresh = infer(cases, **settings)
    assert updated.study.cases.ids == fresh.study.cases.ids
    apart = np.abs(updated.study.posterior.pair - fresh.study.posterior.pair)
    assert apart.max() < 0.12
    assert apart.mean() < 0.01


def test_an_update_differs_from_a_fresh_run_no_more_than_two_fresh_runs_do():
    """Mean total variation over cases; the new cases and those beside them are held to it as well."""
    cases = outbreak(150)
    settings = {"serial_interval": SERIAL, "same": ("household",), "near": ()}
    early = {name: values[:-3] for name, values in cases.items()}
    late = {name: values[-3:] for name, values in cases.items()}
    fresh = [infer(cases, seed=seed, **settings) for seed in (1, 2, 3)]
    updated = [infer(early, seed=seed, **settings).update(late) for seed in (4, 5)]
    apart = [variation(one, other) for one, other in itertools.combinations(fresh, 2)]
    moved = [variation(one, other) for one in fresh for other in updated]
    assert np.mean([each.mean() for each in moved]) < 1.7 * np.mean([each.mean() for each in apart]) + 0.002
    assert np.mean([each[-3:].mean() for each in moved]) < 0.08


def in_parts(cases, first, step):
    """Return the rows known at first, then those that are added, so many at once."""
    size = len(cases["id"])
    cut = [slice(0, first), *(slice(at, at + step) for at in range(first, size, step))]
    return [{name: values[part] for name, values in cases.items()} for part in cut]


@pytest.mark.parametrize(("first", "step"), [(70, 20), (144, 1)])
def test_updates_one_after_the_other_come_to_what_a_fresh_run_gives(first, step):
    cases, settings = outbreak(150), {"serial_interval": SERIAL, "same": ("household",), "near": ()}
    fresh = [infer(cases, seed=seed, **settings) for seed in (1, 2, 3)]
    known, *added = in_parts(cases, first, step)
    updated = infer(known, seed=4, **settings)
    for rows in added:
        updated = updated.update(rows)
    apart = np.mean([variation(one, other).mean() for one, other in itertools.combinations(fresh, 2)])
    moved = np.mean([variation(one, updated).mean() for one in fresh])
    assert moved < 1.5 * apart + 0.002
    rates = [np.mean(found.study.rates.groups[0]) for found in fresh]
    assert np.mean(updated.study.rates.groups[0]) == pytest.approx(np.mean(rates), rel=0.1)


def test_without_a_removed_case_the_others_are_as_a_fresh_run_gives_them():
    cases, settings = outbreak(150), {"serial_interval": SERIAL, "same": ("household",), "near": ()}
    fewer = {name: values[:70] + values[71:] for name, values in cases.items()}
    fresh = [infer(fewer, seed=seed, **settings) for seed in (1, 2, 3)]
    updated = [infer(cases, seed=seed, **settings).update(remove=[70]) for seed in (4, 5)]
    apart = np.mean([variation(one, other).mean() for one, other in itertools.combinations(fresh, 2)])
    moved = np.mean([variation(one, other).mean() for one in fresh for other in updated])
    assert moved < 1.5 * apart + 0.002


def test_the_exact_probabilities_after_an_update_are_those_of_a_fresh_run():
    cases = outbreak(150)
    settings = {"serial_interval": SERIAL, "same": ("household",), "near": (), "superspreading": None}
    known, added = in_parts(cases, 147, 3)
    fresh, updated = infer(cases, **settings), infer(known, **settings).update(added)
    assert variation(fresh, updated).max() < 0.02


def variation(one, other):
    """Return the total variation between the probabilities of each case."""
    start, change = one.study.pairs.start, np.abs(one.study.posterior.pair - other.study.posterior.pair)
    nobody = np.abs(one.study.posterior.nobody() - other.study.posterior.nobody())
    return (np.diff(np.concatenate([[0.0], np.cumsum(change)])[start]) + nobody) / 2.0


def test_the_sampler_finds_the_serial_interval_near_what_was_given_and_says_how_far_it_is_known():
    found = infer(outbreak(150), serial_interval=SERIAL, same=("household",), near=(), seed=1)
    low, high = found.generation.mean_range
    assert low <= found.generation.mean <= high
    assert high - low > 0.05
    assert abs(found.generation.mean - SERIAL[0]) < 0.4
    held = infer(
        outbreak(150), serial_interval=SERIAL, same=("household",), near=(), interval_width=(0, 0), seed=1
    )
    assert held.generation.mean == pytest.approx(held.study.given_serial.mean)


def test_an_update_corrects_a_row_takes_contacts_and_removes_a_case():
    cases = {"id": ["a", "b", "c"], "onset": [0, 5, 10]}
    first = infer(cases, serial_interval=SERIAL, superspreading=None)
    later = first.update({"id": ["b"], "onset": [40]}, contacts={"infector": ["a"], "case": ["c"]})
    assert set(later.infectors["case"]) == {"a", "b", "c"}
    assert any("declared contact" in reason for reason in later.infectors["reasons"])
    gone = first.update(remove=["b"])
    assert set(gone.infectors["case"]) == {"a", "c"}
    with pytest.raises(ValueError, match="remove must name cases of the line list; there is no z"):
        first.update(remove=["z"])


def test_who_met_many_is_expected_to_infect_more_before_being_called_a_superspreader():
    days = np.repeat(np.arange(12), 2).tolist()
    cases = {"id": [*[f"m{day}" for day in days[::2]], *[f"q{day}" for day in days[::2]]]}
    cases["onset"] = [*days[::2], *days[::2]]
    visits = {"id": [name for name in cases["id"] if name[0] == "m"] * 12}
    visits["place"] = ["hall"] * len(visits["id"])
    visits["day"] = np.repeat(np.arange(12), 12).tolist()
    found = infer(
        cases, serial_interval=SERIAL, incubation=(2.5, 1.0), visits=visits, same=(), near=(), seed=1
    )
    study = found.study
    weight = weigh(study.evidence, study.rates)
    free = free_part(study.evidence, study.rates, weight.pair)
    generator = np.random.default_rng(0)
    expected = Sampler(study.evidence, weight, free, (0.2, 0.0), study.cyclic, generator).expected
    # dates alone expect as many of the one half as of the other
    assert expected[:6].sum() > 1.3 * expected[12:18].sum()
    together = free_part(study.evidence, study.rates, weight.pair).met > 0.0
    assert (study.pairs.infector[together] < 12).all()
    _, told = calibrated(study.evidence, study.rates)
    np.testing.assert_allclose(told.met * free.all, free.met * told.all)


def test_cases_that_nothing_tells_apart_have_the_same_probabilities():
    generator = np.random.default_rng(1)
    onset = np.sort(generator.integers(0, 8, 80))
    settings = {"serial_interval": SERIAL, "same": (), "near": (), "seed": 1}
    found = infer({"id": range(80), "onset": onset}, **settings)
    one_day = onset == onset[70]
    offspring = np.array(found.reproduction.table["mean"])[one_day]
    np.testing.assert_allclose(offspring, offspring[0])
    pairs, posterior = found.study.pairs, found.study.posterior
    case = pairs.case()
    for infector in (2, 30):
        same = posterior.pair[(pairs.infector == infector) & one_day[case] & (case != infector)]
        np.testing.assert_allclose(same, same[0])
    assert np.ptp(posterior.nobody()[one_day]) < 1e-12
    drawn = (found.draws[:, case] == pairs.infector).mean(axis=0)
    assert np.abs(drawn - posterior.pair).max() < 0.12
    two = infer({"id": ["A", "B"], "onset": [0, 0]}, **settings)
    assert two.sources["probability"][0] == pytest.approx(two.sources["probability"][1], abs=0.02)


def test_a_contact_tells_a_case_from_others_of_its_day():
    cases = {"id": range(6), "onset": [0, 0, 0, 5, 5, 5]}
    contacts = {"infector": [1], "case": [4]}
    found = infer(cases, serial_interval=SERIAL, contacts=contacts, same=(), near=(), seed=1)
    chance = {row["infector"]: row["probability"] for row in found.infectors.rows() if row["case"] == "4"}
    assert chance["1"] > 2.0 * chance["0"]


@pytest.mark.parametrize("dated", [4, 40])
def test_an_update_with_one_more_date_of_isolation_gives_what_a_fresh_run_gives(dated):
    generator = np.random.default_rng(5)
    onset = np.sort(generator.integers(0, 60, 80))
    cases = {"id": list(range(80)), "onset": onset.tolist(), "household": (onset % 9).tolist()}
    cases["isolated"] = [int(day) + 2 if row < dated else None for row, day in enumerate(onset)]
    settings = {"serial_interval": SERIAL, "incubation": (2.5, 1.0), "same": ("household",), "near": ()}
    settings |= {"superspreading": None, "interval_width": (0, 0)}
    late = {name: [values[dated]] for name, values in cases.items()} | {"isolated": [int(onset[dated]) + 1]}
    updated = infer(cases, **settings).update(late)
    everything = {name: [*values[:dated], *values[dated + 1 :]] for name, values in cases.items()}
    fresh = infer({name: [*everything[name], *late[name]] for name in cases}, **settings)
    before = {(row["case"], row["infector"]): row["probability"] for row in fresh.infectors.rows()}
    now = {(row["case"], row["infector"]): row["probability"] for row in updated.infectors.rows()}
    assert max(abs(before.get(link, 0.0) - now.get(link, 0.0)) for link in before | now) < 0.02
