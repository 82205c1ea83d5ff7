from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadstreet.model import fhir
from broadstreet.model.clock import DrivenClock
from broadstreet.model.ids import SeededIds
from broadstreet.store.committer import Committer
from broadstreet.store.index import Indexer
from broadstreet.store.index.following import Indexing
from broadstreet.store.query.visible import AtMost, Eq
from broadstreet.store.reindex import reindex
from broadstreet.store.sqlite import SqliteStore
from broadstreet.trust.categories import Sensitivity, categories
from broadstreet.trust.labels import category_of, district_of, labels_of
from broadstreet.trust.principals import Principal, Purpose
from broadstreet.trust.reading import Trust, recording
from tests.hl7v2_hub import Hub
from tests.unit.store.conftest import Do, draft


def condition(*codes: str) -> fhir.Condition:
    coded = fhir.CodeableConcept(coding=[fhir.Coding(code=code) for code in codes])
    return fhir.Condition(id="c1", code=coded, subject=fhir.Reference(reference="Patient/p1"))


@pytest.mark.parametrize(
    ("codes", "category", "sensitivity"),
    [
        ((), "clinical", "normal"),
        (("J11.1",), "clinical", "normal"),
        (("F32.1",), "mental-health", "restricted"),
        (("F10.2",), "addiction", "restricted"),
        (("B20",), "sexual-health", "very-restricted"),
        (("J11", "F32", "Z21"), "sexual-health", "very-restricted"),
        (("A54.9",), "sexual-health", "restricted"),
        (("44261-6",), "mental-health", "restricted"),
        (("FEVER", "F", "A5"), "clinical", "normal"),
    ],
)
def test_codes_tell_more_than_the_type(codes: tuple[str, ...], category: str, sensitivity: str) -> None:
    told = category_of(condition(*codes))
    expected = (categories()[category].number, Sensitivity.named(sensitivity))
    assert (told.category, told.sensitivity) == expected


def test_a_type_that_the_table_does_not_name_is_seen_by_nobody() -> None:
    told = category_of(fhir.Basic(id="b", code=fhir.CodeableConcept(text="x")))
    assert (told.category, told.sensitivity) == (0, Sensitivity.VERY_RESTRICTED)


def test_more_codes_than_are_looked_at_count_as_the_most_sensitive() -> None:
    assert category_of(condition(*["J11"] * 201)).sensitivity == Sensitivity.VERY_RESTRICTED


def test_a_security_label_of_the_resource_raises_its_sensitivity() -> None:
    secret = condition()
    secret.meta = fhir.Meta(security=[fhir.Coding(code="V")])
    assert category_of(secret).sensitivity == Sensitivity.VERY_RESTRICTED


def test_labels_are_keyed_hashes_and_zero_where_nothing_is_known() -> None:
    indexer = Indexer(b"k" * 32)
    labels = labels_of(condition(), indexer, organisation="o1")
    assert (labels.organisation, labels.district) == (indexer.hashed("o1"), 0)
    assert labels.organisation != Indexer(b"o" * 32).hashed("o1")


def test_the_district_is_that_of_the_first_address_or_its_postal_code() -> None:
    at = [fhir.Address(postalCode="04524"), fhir.Address(district="D02")]
    assert district_of(fhir.Patient(id="p", address=at)) == "04524"
    assert district_of(fhir.Patient(id="p")) == ""


def test_what_a_clinic_sends_is_seen_by_its_own_clinicians_and_by_nobody_elses(hub: Hub) -> None:
    hub.visit()
    (clinic,) = hub.store.currents("fhir/Organization")
    (patient,) = hub.store.currents("fhir/Patient")
    trust = Trust(hub.store, recording(hub.committer), hub.clock, b"k" * 32)
    ours, theirs = (
        trust.reader(Principal(name, "person", frozenset({"clinician"}), organisation), Purpose("treatment"))
        for name, organisation in (("kim", clinic.id), ("lee", "another"))
    )
    assert ours.read("Patient", patient.id) is not None
    assert len(ours.search("Encounter", []).resources) == 1
    assert theirs.read("Patient", patient.id) is None
    assert theirs.search("Encounter", []).resources == []


def test_a_rebuild_of_the_index_keeps_who_may_see_what(hub: Hub) -> None:
    hub.visit()
    (clinic,) = hub.store.currents("fhir/Organization")
    reindex(hub.store, hub.committer)
    trust = Trust(hub.store, recording(hub.committer), hub.clock, b"k" * 32)
    kim = Principal("kim", "person", frozenset({"clinician"}), clinic.id)
    assert len(trust.reader(kim, Purpose("treatment")).search("Encounter", []).resources) == 1


def test_an_index_beside_the_log_has_the_labels_of_the_log(tmp_path: Path) -> None:
    clock = DrivenClock(datetime(2026, 1, 5, tzinfo=UTC))
    store = SqliteStore(tmp_path / "log.db", index_beside=True)
    committer = Committer(store, clock, SeededIds(clock, 1))
    resource = condition("F32.1")
    labels = labels_of(resource, store.indexer, organisation="o1")
    put = draft(
        id="c1", type="fhir/Condition", body=fhir.encode(resource), rows=store.indexer.rows(resource),
        labels=labels, subjects=("p1",),
    )  # fmt: skip
    committer.commit(Do(lambda tx: tx.put(put)))
    side = store.index_side()
    assert side is not None
    with closing(side):
        Indexing(store, side, Indexer(store.indexer.keys.key)).catch_up()
    found = [
        len(store.search("Condition", [], visible=visible).entries)
        for visible in (
            Eq("organisation", labels.organisation),
            Eq("organisation", 0),
            AtMost("sensitivity", 1),
        )
    ]
    assert found == [1, 0, 0]
    committer.close()
    store.close()
