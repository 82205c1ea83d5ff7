"""Investigations are opened and closed by investigators; with one, whatever was approved for it is over."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from broadstreet.model import records
from broadstreet.model.clock import instant
from broadstreet.model.records import Investigation
from broadstreet.store.entry import Draft
from broadstreet.store.transaction import Transaction, Wants
from broadstreet.trust.principals import Principal
from broadstreet.trust.requests import ASKS, Refused, require_person

SOURCE = "trust.investigations@1"
MOST_CASES = 10_000
_TYPE = records.entry_type(Investigation)


@dataclass(frozen=True)
class Open:
    """The work of opening an investigation about cases: ids of residents, who may be read for it.

    Raises
    ------
    Refused
        When applied: if the principal is no investigator, or it has no title or too many cases.
    """

    principal: Principal
    title: str
    cases: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read: nothing, it is new."""
        return Wants()

    def apply(self, tx: Transaction) -> Investigation:
        """Put the investigation; return it."""
        require_person(self.principal, ASKS)
        if not self.title.strip():
            raise Refused("an investigation has a title, such as `Measles, northern district`")
        if len(self.cases) > MOST_CASES:
            raise Refused(f"an investigation has at most {MOST_CASES:,} cases (got {len(self.cases):,})")
        opened = Investigation(
            id=tx.new_id(), status="open", title=self.title.strip(), opened=instant(tx.at),
            signals=self.signals, cases=tuple(dict.fromkeys(self.cases)), lead=self.principal.name,
        )  # fmt: skip
        _put(tx, opened, self.principal)
        return opened


@dataclass(frozen=True)
class Close:
    """The work of closing an investigation.

    Raises
    ------
    Refused
        When applied: if the principal is no investigator, or there is no open investigation.
    """

    principal: Principal
    investigation: str
    finding: str
    weight: int = 1
    size: int = 1_000

    def wants(self) -> Wants:
        """Say what it will read."""
        return Wants(resources=((_TYPE, self.investigation),))

    def apply(self, tx: Transaction) -> Investigation:
        """Put the end; return the investigation."""
        require_person(self.principal, ASKS)
        entry = tx.current(_TYPE, self.investigation)
        held = records.decode(entry.body) if entry is not None and entry.body else None
        if not isinstance(held, Investigation) or held.status != "open":
            raise Refused(f"there is no open investigation {self.investigation!r}")
        closed = replace(held, status="closed", closed=instant(tx.at), finding=self.finding)
        _put(tx, closed, self.principal)
        return closed


def _put(tx: Transaction, held: Investigation, principal: Principal) -> None:
    tx.put(
        Draft(
            type=_TYPE,
            id=held.id,
            body=records.encode(held),
            source=SOURCE,
            key=f"{held.id}:{held.status}",
            actor=principal.name,
        )
    )
