"""Resources to search for, and how tests put and find them."""

from __future__ import annotations

from typing import Any

import msgspec

from broadstreet.model import fhir
from broadstreet.store.committer import Committer
from broadstreet.store.entry import NO_ROWS, UNKNOWN, Labels
from broadstreet.store.query import Condition, Searching

from .conftest import Do, draft

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
TEMPERATURE = {"coding": [{"system": LOINC, "code": "8310-5"}]}
PULSE = {"coding": [{"system": LOINC, "code": "8867-4"}]}


def put(
    committer: Committer, store: Searching, id: str, *, labels: Labels = UNKNOWN, type: str, **elements: Any
) -> int:
    """Put a resource; return the seq of its version."""
    resource = fhir.decode(msgspec.json.encode({"resourceType": type, "id": id, **elements}))
    rows, body = store.indexer.rows(resource), fhir.encode(resource)
    new = {"type": f"fhir/{type}", "id": id, "body": body, "rows": rows, "labels": labels}
    seq: int = committer.commit(Do(lambda tx: tx.put(draft(key=tx.new_id(), **new))))
    return seq


def delete(committer: Committer, type: str, id: str) -> None:
    """Delete a resource."""
    gone = {"type": f"fhir/{type}", "id": id, "body": None, "rows": NO_ROWS}
    committer.commit(Do(lambda tx: tx.put(draft(key=tx.new_id(), **gone))))


def measure(committer: Committer, store: Searching, id: str, **more: Any) -> int:
    """Put an Observation, a temperature if nothing else is said."""
    return put(committer, store, id, type="Observation", **{"status": "final", "code": TEMPERATURE} | more)


def quantity(value: float, code: str = "Cel", **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, "unit": code} | more


def ids(store: Searching, type: str, *conditions: Condition, **more: Any) -> list[str]:
    """Return the ids on the first page of a search."""
    return [entry.id for entry in store.search(type, conditions, **more).entries]
