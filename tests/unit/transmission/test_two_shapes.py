"""Contacts and visits may be told in two shapes, in one table or in an update: none of them is lost."""

from __future__ import annotations

import numpy as np
import pytest

from broadstreet.analysis.transmission import infer

CASES = {"id": [f"c{n}" for n in range(60)], "onset": np.repeat(np.arange(6) * 5, 10).tolist()}
SETTINGS = {
    "serial_interval": (5.0, 2.0),
    "incubation": (3.0, 1.0),
    "same": (),
    "near": (),
    "superspreading": None,
}
MET = {"id": ["c1"], "contact": ["c11"]}
INFECTED = {"infector": ["c20"], "case": ["c31"]}
BY_DAY = {"id": ["c1", "c11"], "place": ["bar", "bar"], "day": [2, 2]}
FROM_TO = {"id": ["c20", "c31"], "place": ["gym", "gym"], "start": [12, 12], "end": [12, 12]}


def chances(found):
    """Return the probabilities of the two links that are told of."""
    of = {(row["infector"], row["case"]): row["probability"] for row in found.infectors.rows()}
    return [of.get(pair, 0.0) for pair in (("c1", "c11"), ("c20", "c31"))]


@pytest.mark.parametrize(("kind", "one", "other"), [("contacts", MET, INFECTED), ("visits", BY_DAY, FROM_TO)])
@pytest.mark.parametrize("turned", [False, True])
def test_an_update_in_the_other_shape_gives_what_one_table_of_both_gives(kind, one, other, turned):
    first, then = (other, one) if turned else (one, other)
    updated = infer(CASES, **{kind: first}, **SETTINGS).update(**{kind: then})
    assert updated.set_aside["why"] == []
    names = dict.fromkeys([*first, *then])
    both = {
        name: [
            *first.get(name, [None] * len(first["id" if "id" in first else "case"])),
            *then.get(name, [None] * len(then["id" if "id" in then else "case"])),
        ]
        for name in names
    }
    fresh = infer(CASES, **{kind: both}, **SETTINGS)
    assert min(chances(fresh)) > 0.3
    assert chances(updated) == pytest.approx(chances(fresh), abs=0.05)


def test_who_infected_whom_says_more_than_that_they_met():
    contacts = {
        "id": ["c11", None, "c40"], "contact": ["c1", None, "c50"],
        "infector": [None, "c1", None], "case": [None, "c11", "c31"],
    }  # fmt: skip
    found = infer(CASES, contacts=contacts, **SETTINGS)
    told = {row["row"]: row["why"] for row in found.set_aside.rows()}
    assert told == {0: "the same pair as row 1"}
    declared = set(
        zip(found.study.contacts.source.tolist(), found.study.contacts.target.tolist(), strict=True)
    )
    assert declared == {(1, 11), (40, 50), (50, 40)}


def test_a_declared_infector_who_cannot_be_is_told_beside_contacts_without_a_direction():
    contacts = {
        "id": ["c1", None], "contact": ["c11", None], "infector": [None, "c50"], "case": [None, "c0"],
    }  # fmt: skip
    found = infer(CASES, contacts=contacts, **SETTINGS)
    assert [(row["infector"], row["case"], row["row"]) for row in found.impossible.rows()] == [
        ("c50", "c0", 1)
    ]
