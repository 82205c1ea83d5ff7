"""The truth, the line list, and what cases tell."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.model.pathogens import pathogen_named
from broadstreet.simulation.epidemic import Contamination, Import, Outcome, Scenario, run
from broadstreet.simulation.population import City, Kind
from broadstreet.simulation.tables import (
    Recall,
    contacts_named,
    line_list,
    people_table,
    places_table,
    truth_table,
    visits_recalled,
)


@pytest.fixture(scope="module")
def outcome(town: City) -> Outcome:
    kitchen = int(town.places.of(Kind.VENUE)[0])
    return run(
        town,
        Scenario(
            pathogens=(pathogen_named("norovirus"), pathogen_named("influenza")),
            imports=(Import(pathogen="influenza", count=8),),
            sources=(
                Contamination(pathogen="norovirus", attack=0.4, first_day=3, last_day=6, place=kitchen),
            ),
            days=30,
        ),
    )


def test_the_truth_has_a_row_for_each_infection_with_its_source(outcome: Outcome) -> None:
    table = truth_table(outcome)
    assert {len(column) for column in table.values()} == {len(outcome.truth)}
    person = table["source"] == "person"
    assert (table["infector"][person] != None).all()  # noqa: E711
    assert (table["infector"][~person] == None).all()  # noqa: E711
    assert set(table["pathogen"][table["source"] == "imported"]) == {"influenza"}
    assert set(table["pathogen"][table["source"] == "point source"]) == {"norovirus"}
    assert set(table["kind"][table["source"] == "point source"]) == {"venue"}
    assert table["infected"].dtype == np.dtype("datetime64[m]")


def test_the_line_list_holds_reported_cases_in_order_of_onset(outcome: Outcome) -> None:
    table, truth = line_list(outcome), outcome.truth
    reported = np.isfinite(truth.onset) & np.isfinite(truth.reported)
    assert sorted(table["id"].tolist()) == sorted(truth.infected[reported].tolist())
    assert (np.diff(table["onset"]).astype(int) >= 0).all()
    assert (table["diagnosed"] >= table["onset"]).all()
    everybody = line_list(outcome, everybody=True)
    assert len(everybody["id"]) == int(np.isfinite(truth.onset).sum()) > len(table["id"])
    assert np.isnat(everybody["diagnosed"]).any()


def test_a_pupil_has_a_class_and_a_worker_a_team(outcome: Outcome) -> None:
    table, city = line_list(outcome, everybody=True), outcome.city
    for person, class_, team in zip(table["id"], table["class"], table["team"], strict=True):
        assert class_ is None or team is None
        for group, kind in ((class_, Kind.CLASS), (team, Kind.TEAM)):
            assert group is None or city.places.kind[int(group)] == kind
        assert table["household"][table["id"] == person][0] == city.people.home[person]


def test_cases_tell_a_share_of_their_visits_before_onset_and_none_at_home(outcome: Outcome) -> None:
    cases = line_list(outcome)["id"]
    every, some = (visits_recalled(outcome, cases, Recall(visits=share)) for share in (1.0, 0.5))
    assert 0.4 < len(some["id"]) / len(every["id"]) < 0.6
    assert not {"home", "care_home"} & set(every["kind"])
    assert set(every["id"].tolist()) <= set(cases.tolist())
    assert (every["end"] > every["start"]).all()


def test_everyone_infected_in_the_kitchen_recalls_it_with_full_recall(outcome: Outcome) -> None:
    truth, cases = outcome.truth, line_list(outcome, everybody=True)["id"]
    told = visits_recalled(outcome, cases, Recall(visits=1.0))
    once = np.bincount(truth.infected)[truth.infected] == 1  # others fell ill with something else before
    there = np.isin(truth.infected, cases) & (truth.infector == -2) & once
    place = int(truth.place[there][0])
    named = set(told["id"][told["place"] == place].tolist())
    assert set(truth.infected[there].tolist()) <= named


def test_named_contacts_are_true_links(outcome: Outcome) -> None:
    cases = line_list(outcome, everybody=True)["id"]
    table = contacts_named(outcome, cases, Recall(contacts=1.0))
    links = set(zip(outcome.truth.infected.tolist(), outcome.truth.infector.tolist(), strict=True))
    pairs = list(zip(table["id"].tolist(), table["contact"].tolist(), strict=True))
    assert pairs
    assert set(pairs) <= links


def test_people_and_places_are_tables(town: City) -> None:
    people, places = people_table(town), places_table(town)
    assert len(people["id"]) == len(town.people)
    assert set(places["kind"]) >= {"home", "class", "venue", "clinic", "hospital"}
    assert places["members"].sum() == len(town.places.members)


@pytest.mark.parametrize(
    ("recall", "message"),
    [
        (Recall(visits=1.2), "visits must be a share"),
        (Recall(contacts=-1), "contacts must be"),
        (Recall(days=0), "days must be 1"),
    ],
)
def test_an_impossible_recall_is_refused_by_name(outcome: Outcome, recall: Recall, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        visits_recalled(outcome, line_list(outcome)["id"], recall)
