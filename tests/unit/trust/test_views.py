from __future__ import annotations

import json

import pytest

from broadstreet.model import fhir
from broadstreet.trust.views import Pseudonyms, shown

KEY = b"k" * 32
PATIENT = fhir.Patient(
    id="p1",
    gender="female",
    birthDate="1985-03-09",
    name=[fhir.HumanName(family="Kim", given=["Mina"])],
    identifier=[fhir.Identifier(system="urn:mrn", value="4711")],
    telecom=[fhir.ContactPoint(system="phone", value="555-0100")],
    address=[fhir.Address(line=["12 Broad Street"], district="D01", postalCode="12345")],
    managingOrganization=fhir.Reference(reference="Organization/o1", display="Clinic of Dr Kim"),
)
VISIT = fhir.Encounter(
    id="e1",
    status="finished",
    class_=fhir.Coding(code="EMER"),
    subject=fhir.Reference(reference="Patient/p1", display="Kim, Mina"),
    reasonCode=[
        fhir.CodeableConcept(coding=[fhir.Coding(code="R50", display="Kim's fever")], text="Mina coughs")
    ],
)
NAMING = ("Kim", "Mina", "4711", "555-0100", "Broad Street", "12345", "03-09")


def seen(resource: object, view: str, purpose: str = "public-health") -> str:
    return shown(fhir.encode(resource), view, Pseudonyms(KEY, purpose)).decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("view", ["limited", "pseudonymous"])
@pytest.mark.parametrize("resource", [PATIENT, VISIT])
def test_nothing_that_names_somebody_is_in_a_smaller_view(view: str, resource: object) -> None:
    assert not [word for word in NAMING if word in seen(resource, view)]


def test_a_limited_view_keeps_what_epidemiology_needs() -> None:
    patient = json.loads(seen(PATIENT, "limited"))
    assert (patient["id"], patient["gender"], patient["birthDate"]) == ("p1", "female", "1985")
    assert patient["address"] == [{"district": "D01"}]
    assert json.loads(seen(VISIT, "limited"))["reasonCode"] == [{"coding": [{"code": "R50"}]}]


def test_pseudonyms_join_within_a_purpose_and_not_across() -> None:
    patient, visit = (json.loads(seen(each, "pseudonymous")) for each in (PATIENT, VISIT))
    assert visit["subject"]["reference"] == f"Patient/{patient['id']}"
    assert patient["id"] != json.loads(seen(PATIENT, "pseudonymous", "operations"))["id"]
    assert "p1" not in seen(PATIENT, "pseudonymous").replace(patient["id"], "")
    assert patient["managingOrganization"] == {"reference": "Organization/o1"}


def test_an_element_that_nobody_thought_of_is_not_shown() -> None:
    body = b'{"resourceType":"Patient","id":"p1","maidenName":"Lee"}'
    assert shown(body, "limited", Pseudonyms(KEY, "x")) == b'{"resourceType":"Patient","id":"p1"}'
    unknown = b'{"resourceType":"Hologram","id":"h1","image":"..."}'
    assert shown(unknown, "limited", Pseudonyms(KEY, "x")) == b'{"resourceType":"Hologram","id":"h1"}'


def test_a_full_view_is_the_resource_and_a_count_shows_none() -> None:
    body = fhir.encode(PATIENT)
    assert shown(body, "full", Pseudonyms(KEY, "treatment")) == body
    with pytest.raises(ValueError, match="shows no resource"):
        shown(body, "count", Pseudonyms(KEY, "public-health"))
