"""From the message at the door to the count: the real mapping and the real table of syndromes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from broadstreet.connectors.hl7v2.writer import Raw
from broadstreet.model import fhir
from broadstreet.store.followers import Followers
from broadstreet.workflows.surveillance import Counts
from broadstreet.workflows.surveillance.tables import COUNT
from tests.hl7v2_hub import PID, PV1, ZONE, Hub

LIVES = PID | {"11": Raw("1 Broad Street^^City^^04021^KOR^H^^D07")}
TEMPERATURE = {"2": "NM", "3": Raw("8310-5^Body temperature^LN"), "6": Raw("Cel^^UCUM"), "11": "F"}
COUGH = ("PV2", {"3": Raw("^cough and sore throat")})


def send(hub: Hub, event: str, *more: tuple[str, dict[str, Any]], **pid: Any) -> None:
    assert hub.send(f"ADT^{event}", ("PID", LIVES | pid), ("PV1", PV1), *more).code == "AA"


def counted(hub: Hub) -> dict[str, set[str]]:
    """Return the places under which each stream counts the one visit of 5 January."""
    followers = Followers.begun(hub.store, hub.committer, [Counts(ZONE)])
    while followers.step():
        assert followers.faults == {}
    found: dict[str, set[str]] = {}
    for stream, place, stratum, day, n in hub.store.select(COUNT, {"stratum": "all"}):
        assert (stratum, date(1970, 1, 1) + timedelta(days=int(day or 0)), n) == ("all", date(2026, 1, 5), 1)
        found.setdefault(str(stream), set()).add(str(place).partition(":")[2] or str(place))
    return found


def test_a_registered_visit_counts_by_district_facility_and_complaint(hub: Hub) -> None:
    send(hub, "A04", COUGH, ("OBX", TEMPERATURE | {"1": "1", "5": "38.4"}))
    clinic = hub.one(fhir.Organization).id
    places = {"city", "D07", clinic}
    assert counted(hub) == {"visits": places, "fever": places, "influenza_like_illness": places}


def test_a_diagnosis_that_follows_is_counted_with_the_visit(hub: Hub) -> None:
    send(hub, "A04", ("PV2", {"3": Raw("^feels unwell")}))
    assert set(counted(hub)) == {"visits"}
    send(hub, "A08", ("DG1", {"1": "1", "3": Raw("A09.9^Gastroenteritis^I10"), "6": "W"}))
    assert set(counted(hub)) == {"visits", "gastrointestinal"}


def test_a_visit_that_is_cancelled_is_counted_no_more(hub: Hub) -> None:
    send(hub, "A04", COUGH)
    assert counted(hub)
    send(hub, "A11")
    assert counted(hub) == {}


def test_a_merge_counts_the_visit_where_the_survivor_lives(hub: Hub) -> None:
    send(hub, "A04", COUGH)
    survivor = LIVES | {"3": Raw("8000^^^CLINIC^MR"), "11": Raw("2 Broad Street^^City^^^KOR^H^^D09")}
    assert hub.send("ADT^A40", ("PID", survivor), ("MRG", {"1": PID["3"]})).code == "AA"
    assert "D09" in counted(hub)["visits"]
    assert "D07" not in counted(hub)["visits"]
