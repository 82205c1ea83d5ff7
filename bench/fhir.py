"""How many FHIR R4 resources a second one core decodes and checks.

The corpus is what a hub stores of a fever clinic's messages, in stated shares, each resource with its own
ids, dates and values. It is measured as another system sends it (properties in another order than ours, one
half with line breaks and indentation) and as we write it. The official examples are measured as well: all
5,306, of which a few are large.
"""

from __future__ import annotations

import collections
import contextlib
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.results import keep
from broadstreet.model import fhir

EXAMPLES = Path(__file__).resolve().parents[1] / ".cache/fhir-r4-examples/package"
SHARES = {
    "Patient": 15,
    "Encounter": 20,
    "Observation": 35,
    "Condition": 10,
    "DiagnosticReport": 10,
    "Provenance": 10,
}
COUNT = 2_000
ROUNDS = 9

HL7 = "http://terminology.hl7.org/CodeSystem"
CLINIC = "urn:oid:2.16.840.1.113883.3.1854.7"
LABORATORY = (
    ("94500-6", "SARS-CoV-2 RNA [Presence] in Respiratory specimen by NAA", None),
    ("8310-5", "Body temperature", ("Cel", 360, 405)),
    ("2708-6", "Oxygen saturation in Arterial blood", ("%", 850, 1000)),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", ("10*3/uL", 20, 220)),
)


class Corpus:
    """Resources of a fever clinic, each different."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def moment(self) -> str:
        pick = self.random.randint
        return (
            f"2026-{pick(1, 12):02}-{pick(1, 28):02}T{pick(0, 23):02}:{pick(0, 59):02}:{pick(0, 59):02}+09:00"
        )

    def reference(self, kind: str) -> fhir.Reference:
        return fhir.Reference(reference=f"{kind}/{self.id()}")

    def number(self, kind: str) -> fhir.Identifier:
        concept = coded(f"{HL7}/v2-0203", kind)
        return fhir.Identifier(
            use="usual", type=concept, system=f"{CLINIC}.{kind}", value=str(self.random.randint(10**7, 10**8))
        )

    def meta(self) -> fhir.Meta:
        return fhir.Meta(versionId="1", lastUpdated=self.moment(), source="urn:hl7v2:FEVER-07")

    def patient(self) -> fhir.Patient:
        pick = self.random.choice
        return fhir.Patient(
            id=self.id(),
            meta=self.meta(),
            identifier=[self.number("MR"), self.number("PI")],
            active=True,
            name=[
                fhir.HumanName(
                    use="official", family=pick(["Kim", "Snow"]), given=[pick(["Jiwoo", "John"]), "A"]
                )
            ],
            telecom=[
                fhir.ContactPoint(
                    system="phone", value=f"+82-10-{self.random.randint(0, 99999999):08}", use="mobile"
                ),
                fhir.ContactPoint(system="email", value=f"{self.id()}@example.org"),
            ],
            gender=pick(["female", "male"]),
            birthDate=self.moment()[:10],
            address=[
                fhir.Address(
                    use="home", line=["12 Broad Street"], city="London", district="Soho", postalCode="W1F"
                )
            ],
            maritalStatus=coded(f"{HL7}/v3-MaritalStatus", "M", "Married"),
            managingOrganization=self.reference("Organization"),
        )

    def encounter(self) -> fhir.Encounter:
        arrived = self.moment()
        place = fhir.EncounterLocation(location=self.reference("Location"), status="active")
        doctor = fhir.EncounterParticipant(
            type=[coded(f"{HL7}/v3-ParticipationType", "ATND", "attender")],
            individual=self.reference("Practitioner"),
        )
        return fhir.Encounter(
            id=self.id(),
            meta=self.meta(),
            identifier=[self.number("VN")],
            status="in-progress",
            class_=fhir.Coding(system=f"{HL7}/v3-ActCode", code="EMER", display="emergency"),
            priority=coded(f"{HL7}/v3-ActPriority", "UR", "urgent"),
            subject=self.reference("Patient"),
            participant=[doctor],
            period=fhir.Period(start=arrived),
            reasonCode=[fhir.CodeableConcept(text="fever and cough since yesterday, no rash")],
            location=[place],
            serviceProvider=self.reference("Organization"),
        )

    def observation(self) -> fhir.Observation:
        code, display, measured = self.random.choice(LABORATORY)
        found = fhir.Observation(
            id=self.id(),
            meta=self.meta(),
            identifier=[self.number("FILL")],
            status="final",
            category=[coded(f"{HL7}/observation-category", "laboratory", "Laboratory")],
            code=coded("http://loinc.org", code, display),
            subject=self.reference("Patient"),
            encounter=self.reference("Encounter"),
            effectiveDateTime=self.moment(),
            issued=self.moment(),
            performer=[self.reference("Organization")],
            interpretation=[coded(f"{HL7}/v3-ObservationInterpretation", "N", "Normal")],
        )
        if measured is None:
            found.valueCodeableConcept = coded("http://snomed.info/sct", "260373001", "Detected")
            return found
        unit, low, high = measured
        found.valueQuantity = quantity(self.random.randint(low, high), unit)
        found.referenceRange = [
            fhir.ObservationReferenceRange(low=quantity(low, unit), high=quantity(high, unit))
        ]
        return found

    def condition(self) -> fhir.Condition:
        return fhir.Condition(
            id=self.id(),
            meta=self.meta(),
            clinicalStatus=coded(f"{HL7}/condition-clinical", "active"),
            verificationStatus=coded(f"{HL7}/condition-ver-status", "provisional"),
            category=[coded(f"{HL7}/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
            code=coded(
                "http://hl7.org/fhir/sid/icd-10", "J11.1", "Influenza with other respiratory manifestations"
            ),
            subject=self.reference("Patient"),
            encounter=self.reference("Encounter"),
            recordedDate=self.moment(),
        )

    def diagnostic_report(self) -> fhir.DiagnosticReport:
        return fhir.DiagnosticReport(
            id=self.id(),
            meta=self.meta(),
            identifier=[self.number("FILL"), self.number("PLAC")],
            status="final",
            category=[coded(f"{HL7}/v2-0074", "MB", "Microbiology")],
            code=coded("http://loinc.org", "92142-9", "Influenza virus A RNA [Presence] by NAA"),
            subject=self.reference("Patient"),
            encounter=self.reference("Encounter"),
            effectiveDateTime=self.moment(),
            issued=self.moment(),
            performer=[self.reference("Organization")],
            result=[self.reference("Observation") for _ in range(4)],
        )

    def provenance(self) -> fhir.Provenance:
        agent = fhir.ProvenanceAgent(
            type=coded(f"{HL7}/provenance-participant-type", "transmitter", "Transmitter"),
            who=self.reference("Organization"),
        )
        message = fhir.ProvenanceEntity(role="source", what=fhir.Reference(identifier=self.number("MSH")))
        return fhir.Provenance(
            id=self.id(),
            meta=self.meta(),
            target=[self.reference("Patient"), self.reference("Encounter")],
            recorded=self.moment(),
            activity=coded(f"{HL7}/v3-DataOperation", "CREATE", "create"),
            agent=[agent],
            entity=[message],
        )

    def resources(self, count: int) -> list[fhir.Resource]:
        """Return resources in the stated shares."""
        makers: dict[str, Callable[[], fhir.Resource]] = {
            "Patient": self.patient,
            "Encounter": self.encounter,
            "Observation": self.observation,
            "Condition": self.condition,
            "DiagnosticReport": self.diagnostic_report,
            "Provenance": self.provenance,
        }
        kinds = self.random.choices(list(SHARES), weights=list(SHARES.values()), k=count)
        return [makers[kind]() for kind in kinds]


def coded(system: str, code: str, display: str | None = None) -> fhir.CodeableConcept:
    """Return a concept with one code."""
    return fhir.CodeableConcept(coding=[fhir.Coding(system=system, code=code, display=display)])


def quantity(tenths: int, unit: str) -> fhir.Quantity:
    """Return a quantity with one decimal place."""
    value = Decimal(tenths).scaleb(-1)
    return fhir.Quantity(value=value, unit=unit, system="http://unitsofmeasure.org", code=unit)


def as_sent(texts: Sequence[bytes], seed: int) -> list[bytes]:
    """Return the texts in the words of another system: `resourceType` first, all else in any order."""
    order = random.Random(seed)

    def shuffled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        order.shuffle(pairs)
        return dict(sorted(pairs, key=lambda pair: pair[0] != "resourceType"))

    trees = [json.loads(text, object_pairs_hook=shuffled) for text in texts]
    styles: tuple[dict[str, Any], ...] = ({"separators": (",", ":")}, {"indent": 2})
    return [json.dumps(tree, **styles[n % 2], ensure_ascii=False).encode() for n, tree in enumerate(trees)]


def rate(texts: Sequence[Any], work: Callable[[Any], object], rounds: int = ROUNDS) -> float:
    """Return how many texts `work` takes in a second of one core, the median of the rounds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for text in texts:
            work(text)
        times.append(time.process_time() - start)
    return len(texts) / statistics.median(times)


def measure_examples() -> dict[str, Any]:
    """Return the figures for all official examples, which are far larger than what a hub stores."""
    if not EXAMPLES.is_dir():
        return {"official examples": "not there (run make fhir-examples)"}
    texts = [path.read_bytes() for path in EXAMPLES.glob("*.json") if path.name != "package.json"]

    def attempt(text: bytes) -> None:
        with contextlib.suppress(fhir.Invalid):
            fhir.decode(text)

    found = rate(texts, attempt, rounds=3)
    return {
        "official examples": len(texts),
        "official examples, mean bytes": sum(map(len, texts)) // len(texts),
        "official examples, median bytes": round(statistics.median(map(len, texts))),
        "official examples decoded and checked per second": round(found),
        "official examples decoded and checked, MB/s": round(
            found * sum(map(len, texts)) / len(texts) / 1e6, 1
        ),
    }


def main() -> None:
    """Measure, print and keep the figures."""
    resources = Corpus(seed=1854).resources(COUNT)
    written = [fhir.encode(resource) for resource in resources]
    texts = as_sent(written, seed=1854)
    by_kind = collections.defaultdict(list)
    for resource, text in zip(resources, texts, strict=True):
        by_kind[type(resource).__name__].append(text)
    figures: dict[str, Any] = {
        "corpus": ", ".join(
            f"{SHARES[kind]} % {kind} ({sum(map(len, by_kind[kind])) // len(by_kind[kind])} bytes)"
            for kind in SHARES
        ),
        "mean bytes": sum(map(len, texts)) // len(texts),
        "mean bytes, as we write it": sum(map(len, written)) // len(written),
        "decoded and checked per second": round(rate(texts, fhir.decode)),
        "decoded and checked per second, as we write it": round(rate(written, fhir.decode)),
        "validated per second": round(rate(resources, fhir.validate)),
        "encoded per second": round(rate(resources, fhir.encode)),
        "decoded and checked per second, by type": {
            kind: round(rate(found, fhir.decode)) for kind, found in by_kind.items()
        },
    }
    figures |= measure_examples()
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    keep("fhir", figures)


if __name__ == "__main__":
    main()
