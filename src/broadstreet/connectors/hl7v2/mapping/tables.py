"""The tables of the mapping, read once: tab-separated files in the folder `tables`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

V2 = "http://terminology.hl7.org/CodeSystem/v2-"


@dataclass(frozen=True, slots=True)
class Code:
    """What a value of an HL7 table stands for; `system` is empty for a plain FHIR code."""

    code: str
    display: str
    system: str


@dataclass(frozen=True, slots=True)
class Event:
    """What an event (MSH-9) does: to the patient, to the visit, to its places and diagnoses.

    Parameters
    ----------
    needs : segments that must be there
    patient : update, merge, rename, retire; refuse for an event that is not taken
    visit : update, move, rename, refer, ignore
    status : the visit's new status, or keep
    only_from : the statuses that the visit must have for that; empty means any
    location : moved, back, ignored
    diagnoses : whether DG1 counts
    """

    message: str
    event: str
    meaning: str
    needs: tuple[str, ...]
    patient: str
    visit: str
    status: str
    only_from: frozenset[str]
    location: str
    diagnoses: bool
    remark: str

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass to another process by name: it has the same table."""
        return _event, (self.message, self.event)


def _event(message: str, event: str) -> Event:
    return events()[message, event]


def rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table by column name; a cell that is left out is empty."""
    text = files(__package__).joinpath("tables", f"{name}.tsv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, restval=""):
        yield {column: cell.strip() for column, cell in row.items()}


@cache
def codes(table: str) -> Mapping[str, Code]:
    """Return the rows of `codes.tsv` of one HL7 table, such as ``0001``, by value in capitals."""
    return _codes().get(table, {})


@cache
def _codes() -> dict[str, dict[str, Code]]:
    found: dict[str, dict[str, Code]] = {}
    for row in rows("codes"):
        code = Code(row["code"], row["display"], row["system"])
        found.setdefault(row["table"], {})[row["value"].upper()] = code
    return found


@cache
def events() -> Mapping[tuple[str, str], Event]:
    """Return what each event does, by message type and event."""
    return {
        (row["message"], row["event"]): Event(
            row["message"],
            row["event"],
            row["meaning"],
            tuple(row["needs"].split()),
            row["patient"],
            row["visit"],
            row["status"],
            frozenset(row["only from"].split()),
            row["location"],
            row["diagnoses"] == "yes",
            row["remark"],
        )
        for row in rows("events")
    }


@cache
def pairs(name: str, key: str, value: str) -> Mapping[str, str]:
    """Return two columns of a table as a dictionary, the first in capitals."""
    return {row[key].upper(): row[value] for row in rows(name)}
