"""The sample messages of microsoft/FHIR-Converter through the door: resources that validate, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.connectors.hl7v2.message import Message
from broadstreet.model import fhir
from tests.hl7v2_hub import Hub

TAKEN = {"ADT", "ORU"}


def samples(shared: Path) -> list[Path]:
    return sorted((shared / "data" / "hl7v2").glob("*.hl7"))


def test_every_sample_adt_and_oru_is_mapped_and_all_others_wait_in_quarantine(
    shared: Path, tmp_path: Path
) -> None:
    outcomes = {"AA": 0, "AR": 0}
    for file in samples(shared):
        hub = Hub(tmp_path / file.stem)
        answer = hub.send_bytes(file.read_bytes())
        kind = Message.parse(file.read_bytes()).kind[0]
        assert answer.code == ("AA" if kind in TAKEN else "AR"), (file.name, answer.problems)
        outcomes[answer.code] += 1
        assert len(hub.quarantined()) == (kind not in TAKEN)
        if kind in TAKEN:
            assert hub.all(fhir.Patient), file.name
            assert hub.one(fhir.Provenance).target
        else:
            assert hub.quarantined()[0].faults[0].code == "200"
        hub.check_all()
        hub.close()
    assert outcomes == {"AA": 45, "AR": 52}


def test_the_sample_messages_sent_one_after_another_to_one_hub_are_kept_and_answered(
    shared: Path, hub: Hub
) -> None:
    for file in samples(shared):
        before = hub.store.head()
        answer = hub.send_bytes(file.read_bytes())
        assert hub.store.head() > before or answer.code == "AA", file.name
        assert answer.code in {"AA", "AE", "AR"}
    again = hub.store.head()
    for file in samples(shared):
        answer = hub.send_bytes(file.read_bytes())
        if answer.code == "AA":
            assert hub.store.head() == again, file.name
        again = hub.store.head()


@pytest.mark.parametrize(
    ("file", "resources"),
    [
        (
            "ADT-A01-01.hl7",
            {
                "Patient": 1,
                "Encounter": 1,
                "Condition": 1,
                "Observation": 1,
                "Location": 6,
                "Practitioner": 4,
            },
        ),
        ("LAB-ORU-1.hl7", {"Patient": 1, "Encounter": 0, "Observation": 10, "DiagnosticReport": 2}),
        ("ADT-A40-02.hl7", {"Patient": 4, "Encounter": 0}),
        ("ORU-R01-RMGEAD.hl7", {"Patient": 1, "Observation": 1, "DiagnosticReport": 1, "Practitioner": 1}),
    ],
)
def test_a_sample_message_becomes_these_resources(
    shared: Path, hub: Hub, file: str, resources: dict[str, int]
) -> None:
    hub.take("PT")
    hub.send_bytes((shared / "data" / "hl7v2" / file).read_bytes())
    assert {name: len(hub.all(getattr(fhir, name))) for name in resources} == resources
