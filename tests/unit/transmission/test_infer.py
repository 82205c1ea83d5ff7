"""What an investigator does: hand over a line list, and get who infected whom with probabilities."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from broadstreet.analysis.transmission import infer
from broadstreet.analysis.transmission.posterior import calibrated, components, exact, row_sums, weigh

CHAIN = {"id": ["a", "b", "c"], "onset": ["2026-03-01", "2026-03-12", "2026-03-23"]}
MEASLES = (11.0, 2.0)


def best(found):
    """Return the most probable infector of each case."""
    chosen: dict[str, str | None] = {}
    for row in found.infectors.rows():
        chosen.setdefault(row["case"], row["infector"])
    return chosen


def test_a_chain_of_cases_a_serial_interval_apart_is_found():
    found = infer(CHAIN, serial_interval=MEASLES, superspreading=None)
    assert best(found) == {"a": None, "b": "a", "c": "b"}
    assert found.tree["infector"] == [None, "a", "b"]
    assert found.sources["case"][0] == "a"
    assert found.sources["probability"][0] == pytest.approx(1.0)


def test_the_probabilities_of_a_case_sum_to_1_with_that_of_nobody():
    generator = np.random.default_rng(1)
    cases = {"id": range(40), "onset": np.sort(generator.integers(0, 60, 40))}
    found = infer(cases, serial_interval=MEASLES, seed=1)
    assert all(0.999 <= total <= 1.0 + 1e-9 for total in totals_of(found).values())


def test_the_probabilities_of_a_case_reach_1_where_each_of_very_many_infectors_has_little():
    found = infer({"id": range(1_300), "onset": [0] * 1_200 + [12] * 100}, serial_interval=MEASLES, seed=1)
    totals = totals_of(found)
    assert len(totals) == 1_300
    assert min(totals.values()) >= 0.999
    reasons, chances = found.infectors["reasons"], found.infectors["probability"]
    assert {why for why, chance in zip(reasons, chances, strict=True) if chance < 0.001} == {""}


def totals_of(found):
    """Return the sum of the probabilities of each case."""
    totals: dict[str, float] = {}
    for case, chance in zip(found.infectors["case"], found.infectors["probability"], strict=True):
        totals[case] = totals.get(case, 0.0) + chance
    return totals


def test_reasons_are_plain_words():
    cases = CHAIN | {"household": ["Mill 3", "Mill 3", None]}
    found = infer(cases, serial_interval=MEASLES, same=("household",), near=(), disease="measles", seed=1)
    (reason,) = [
        row["reasons"] for row in found.infectors.rows() if row["infector"] == "a" and row["case"] == "b"
    ]
    assert reason == "same household (Mill 3); onset 11 days later, as expected for measles"


def test_a_group_that_links_share_tells_the_infector_from_others_of_the_same_day():
    """Pairs of siblings: in each household one falls ill a serial interval after the other."""
    first = [0, 1, 2, 3, 4, 5] * 3
    cases = {
        "id": [f"{kind}{k}" for kind in "pq" for k in range(18)],
        "onset": first + [day + 11 for day in first],
        "household": list(range(18)) * 2,
    }
    found = infer(cases, serial_interval=MEASLES, same=("household",), near=(), seed=1)
    assert sum(best(found)[f"q{k}"] == f"p{k}" for k in range(18)) >= 17


def test_a_negative_serial_interval_lets_a_case_infect_one_who_fell_ill_before():
    cases = {"id": ["a", "b"], "onset": [10, 9]}
    found = infer(cases, serial_interval=stats.norm(3.96, 4.75), importation=0.01, superspreading=None)
    rows = [(row["infector"], row["probability"]) for row in found.infectors.rows() if row["case"] == "b"]
    assert dict(rows)["a"] > 0.2


def test_probabilities_over_cycles_are_those_of_all_forests_counted_one_by_one():
    generator = np.random.default_rng(3)
    cases = {"id": range(5), "onset": generator.integers(0, 6, 5)}
    found = infer(cases, serial_interval=stats.norm(2.0, 4.0), superspreading=None)
    study = found.study
    assert study.posterior.method == "matrix-tree"
    pairs, rates = study.pairs, study.rates

    weight = weigh(study.evidence, rates)
    table = np.zeros((6, 5))
    table[pairs.infector, pairs.case()] = weight.pair
    table[5] = weight.root()
    total, by_pair = 0.0, np.zeros((6, 5))
    for choice in itertools.product(range(6), repeat=5):
        if any(_cyclic(choice, case) for case in range(5)):
            continue
        product = np.prod([table[choice[case], case] for case in range(5)])
        total += product
        for case in range(5):
            by_pair[choice[case], case] += product
    np.testing.assert_allclose(study.posterior.pair, by_pair[pairs.infector, pairs.case()] / total, atol=1e-9)
    np.testing.assert_allclose(study.posterior.nobody(), by_pair[5] / total, atol=1e-9)


def _cyclic(choice: tuple[int, ...], case: int) -> bool:
    at = choice[case]
    for _ in range(6):
        if at == 5:
            return False
        at = choice[at]
    return True


def test_tables_go_out_through_the_arrow_interface():
    pyarrow = pytest.importorskip("pyarrow")
    found = infer(CHAIN, serial_interval=MEASLES, seed=1)
    table = pyarrow.table(found.infectors)
    assert table.column_names == ["case", "infector", "probability", "reasons"]
    assert table["infector"].null_count >= 1


def test_tables_come_in_through_the_arrow_interface():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"id": [1, 2], "onset": np.array(["2026-03-01", "2026-03-12"], "datetime64[D]")})
    assert best(infer(table, serial_interval=MEASLES, seed=1)) == {"1": None, "2": "1"}


def test_one_case_is_an_index_case():
    found = infer({"id": ["only"], "onset": ["2026-03-01"]}, serial_interval=MEASLES, seed=1)
    assert found.infectors["infector"] == [None]
    assert found.reproduction.cases["mean"] == [0.0]
    assert found.tree["infector"] == [None]


def test_the_number_that_each_case_infected_is_a_table_that_adds_up_to_the_links():
    generator = np.random.default_rng(1)
    cases = {"id": range(40), "onset": np.sort(generator.integers(0, 60, 40))}
    found = infer(cases, serial_interval=MEASLES, seed=1)
    table = found.reproduction.table
    assert list(table) == ["case", "onset", "mean", "lower", "upper"]
    assert table["case"] == [str(k) for k in range(40)]
    assert sum(table["mean"]) == pytest.approx(40 - found.study.posterior.nobody().sum())
    assert all(low <= high for low, high in zip(table["lower"], table["upper"], strict=True))


def test_no_case_at_all_gives_empty_tables():
    found = infer({"id": [], "onset": []}, serial_interval=MEASLES, seed=1)
    assert found.infectors.height == found.tree.height == found.sources.height == 0
    assert found.reproduction.over_time.height == found.generation.number.height == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"serial_interval": [0.5, 0.4]}, "serial_interval must sum to 1 (sums to 0.9)"),
        ({"serial_interval": (5.0, 0.0)}, "sd above 0"),
        ({"serial_interval": MEASLES, "same": ("ward",)}, "cases has no column(s) ward"),
        ({"serial_interval": MEASLES, "importation": 1.5}, "importation must be a share"),
        ({"serial_interval": MEASLES, "superspreading": -1.0}, "superspreading must be"),
        (
            {"serial_interval": ("5", "2")},
            "serial_interval must be (mean, sd), two numbers of days (it is ('5', '2'))",
        ),
        ({"serial_interval": [5, 2]}, "mean and sd are a tuple: (5, 2)"),
        (
            {"serial_interval": stats.gamma},
            "such as stats.gamma(6.25, scale=0.8) (it is stats.gamma without)",
        ),
        ({"serial_interval": MEASLES, "importation": [0.1, 5]}, "such as (0.1, 10) (it is [0.1, 5])"),
        ({"serial_interval": MEASLES, "reported": "half"}, "reported must be a share between 0 and 1"),
        ({"serial_interval": MEASLES, "superspreading": (1, 2, 3)}, "or None (it is (1, 2, 3))"),
        ({"serial_interval": MEASLES, "interval_width": ("a", 0)}, "interval_width must be how far"),
        ({"serial_interval": MEASLES, "same": None}, "such as ('household',), or () (it is None)"),
        ({"serial_interval": MEASLES, "near": "xy"}, "near must be a sequence of column names"),
        (
            {"serial_interval": MEASLES, "seed": "x"},
            "seed must be a whole number from 0 on, or None (it is 'x')",
        ),
        (
            {"serial_interval": MEASLES, "seed": -1},
            "seed must be a whole number from 0 on, or None (it is -1)",
        ),
        ({"serial_interval": MEASLES, "contacts": {"who": [1]}}, "contacts needs the columns"),
        ({"serial_interval": MEASLES, "visits": {"id": [1], "place": [2]}}, "visits needs the column day"),
    ],
)
def test_a_wrong_setting_says_what_was_expected(wrong, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        infer(CHAIN, **wrong)
    assert message in str(caught.value)


def test_only_the_columns_that_are_named_must_be_there():
    cases = {"id": [1, 2], "onset": [0, 5], "household": ["h", "h"]}
    assert infer(cases, serial_interval=(5.0, 2.0), same=("household",), seed=1).study.pairs.size == 2
    with pytest.raises(ValueError, match=r"cases has no column\(s\) east, north, named in same or near"):
        infer(cases, serial_interval=(5.0, 2.0), same=("household",), near=("east", "north"))


def test_what_speaks_for_a_link_counts_more_and_as_many_have_nobody_as_before():
    cases = {
        "id": range(12), "onset": [0, 0, 1, 5, 5, 6, 6, 10, 11, 11, 12, 15],
        "household": [1, 2, None, 1, 3, 2, None, 1, 3, 4, 4, 3],
    }  # fmt: skip
    found = infer(cases, serial_interval=(5.0, 2.0), same=("household",), near=(), superspreading=None)
    study = found.study
    plain, (told, free) = weigh(study.evidence, study.rates), calibrated(study.evidence, study.rates)
    pairs, groups = study.pairs, study.evidence.groups[0]
    nobody = [(one.root() / (one.root() + row_sums(pairs, one.pair))).sum() for one in (plain, told)]
    assert nobody[1] == pytest.approx(nobody[0])
    case = pairs.case()
    one_house = (groups[case] >= 0) & (groups[case] == groups[pairs.infector])
    gain = told.pair / plain.pair
    assert gain[one_house].min() > 1.0
    np.testing.assert_allclose(gain[~one_house], 1.0)
    assert (free.all <= told.pair * (1 + 1e-12)).all()
    _, label = components(pairs)
    np.testing.assert_allclose(study.posterior.pair, exact(pairs, told, label).pair)


def test_a_declared_contact_counts_with_its_own_rates_and_no_power():
    cases = {"id": range(6), "onset": [0, 4, 5, 8, 9, 10]}
    contacts = {"infector": [0, 1], "case": [2, 4]}
    found = infer(cases, serial_interval=(5.0, 2.0), contacts=contacts, same=(), near=(), superspreading=None)
    study = found.study
    told, _ = calibrated(study.evidence, study.rates)
    np.testing.assert_allclose(told.pair, weigh(study.evidence, study.rates).pair)


def test_all_seen_and_none_imported_may_be_said():
    cases = {"id": range(30), "onset": [3 * day for day in range(30)]}
    settings = {"serial_interval": (5.0, 2.0), "same": (), "near": (), "seed": 1}
    whole, most = (infer(cases, reported=share, importation=0, **settings) for share in (1.0, 0.75))
    assert whole.study.posterior.nobody().sum() < most.study.posterior.nobody().sum()
    with pytest.raises(ValueError, match="reported must be a share between 0 and 1"):
        infer(cases, reported=0.0, **settings)


def test_where_links_are_independent_infectors_are_drawn_as_often_as_they_are_probable():
    cases = {"id": range(8), "onset": [0, 0, 3, 5, 5, 8, 9, 12]}
    settings = {"serial_interval": (5.0, 2.0), "same": (), "near": (), "superspreading": None, "seed": 3}
    found = infer(cases, **settings)
    pairs, posterior = found.study.pairs, found.study.posterior
    drawn = found.draws
    case = pairs.case()
    share = (drawn[:, case] == pairs.infector).mean(axis=0)
    error = np.sqrt(posterior.pair * (1.0 - posterior.pair) / len(drawn))
    assert (np.abs(share - posterior.pair) <= 4.0 * error + 1e-9).all()
    nobody = posterior.nobody()
    error = np.sqrt(nobody * (1.0 - nobody) / len(drawn))
    assert (np.abs((drawn == -1).mean(axis=0) - nobody) <= 4.0 * error + 1e-6).all()
    np.testing.assert_array_equal(drawn, infer(cases, **settings).draws)
