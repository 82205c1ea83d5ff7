"""What may be seen, from first principles: the policy's table read anew, no code shared with its compiler."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

from broadstreet.trust.principals import Principal, Purpose

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 86_400_000_000
WINDOW = 9
"""Days, from START, of which movements are approved."""
RESIDENTS = [f"resident-{n:02}" for n in range(12)]
ORGANISATIONS, DISTRICTS, CODES = ["org-1", "org-2", ""], ["D01", "D02", ""], ["c1", "c2", "c3"]
CASE, APPROVED = RESIDENTS[:3], RESIDENTS[2:4]
MESSAGES: dict[str, Literal["held", "released"]] = {
    "message-1": "held", "message-2": "held", "message-3": "released",
}  # fmt: skip
LOOKED_EACH = 3
MOVED = [f"moved-{number:02}" for number in range(12)]
TYPES = ("Patient", "Condition", "Observation", "Encounter")
MOVING = ("Observation", "Encounter")
"""Types that have a date here."""
SEARCHED = {"Patient": "gender", "Condition": "code", "Observation": "code", "Encounter": "class"}
GENDERS = ["female", "male", "other"]
ORDER = ["count", "pseudonymous", "limited", "full"]
SENSITIVITY = {"normal": 1, "restricted": 2, "very-restricted": 3}


def table(name: str) -> list[dict[str, str]]:
    text = (files("broadstreet.trust") / "tables" / f"{name}.tsv").read_text()
    return list(csv.DictReader([x for x in text.splitlines() if not x.startswith("#")], delimiter="\t"))


CATEGORIES = table("categories")
POLICY = table("policy")


@dataclass
class Thing:
    """A version of a resource and what is true of it."""

    seq: int
    type: str
    id: str
    resident: str
    organisation: str
    district: str
    category: str
    sensitivity: int
    code: str
    day: int
    is_newest: bool = True


class Oracle:
    """Says what may be seen, from first principles."""

    def __init__(self, principal: Principal, purpose: Purpose) -> None:
        self.principal, self.purpose = principal, purpose
        fit = [r for r in POLICY if r["role"] in principal.roles and r["purpose"] == purpose.name]
        self.view = max((r["view"] for r in fit), key=ORDER.index, default="count")
        self.rules = [r for r in fit if r["view"] == self.view]

    def may(self, thing: Thing, days: range | None = None) -> bool:
        """Say whether a thing may be seen, of whoever asks for what was on these days."""
        return any(self._fits(rule, thing, days) for rule in self.rules)

    def may_record(self, category: str) -> bool:
        return any(category in names(r["category"]) and r["scope"] == "city" for r in self.rules)

    def may_know_who_looked(self, resident: str) -> bool:
        own = self.principal.resident == resident != ""
        return self.may_record("access") or (
            own and any("access" in names(r["category"]) and r["scope"] == "self" for r in self.rules)
        )

    def _fits(self, rule: dict[str, str], thing: Thing, days: range | None) -> bool:
        who = self.principal
        in_scope = {
            "self": thing.resident == who.resident != "",
            "case": self.purpose.about == "open" and thing.resident in CASE,
            "approved": self.purpose.about == "open"
            and thing.resident in APPROVED
            and days is not None
            and days.start >= 0
            and days.stop <= WINDOW,
            "organisation": thing.organisation == who.organisation != "",
            "district": thing.district == who.district != "",
            "city": True,
        }[rule["scope"]]
        return (
            in_scope
            and thing.category in names(rule["category"])
            and thing.sensitivity <= SENSITIVITY[rule["most"]]
        )


def names(words: str) -> list[str]:
    if words in ("personal", "impersonal"):
        wanted = "yes" if words == "personal" else "no"
        return [row["category"] for row in CATEGORIES if row["personal"] == wanted]
    return words.split(",")
