"""What can be wrong with a message, and where: the words of an ERR segment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ErrorCode(Enum):
    """Name a message error condition; `value` is the code and `display` the standard's wording.

    Source: HL7 table 0357, code system http://terminology.hl7.org/CodeSystem/v2-0357 (CC0).
    """

    display: str

    def __new__(cls, code: str, display: str) -> ErrorCode:
        """Keep the display beside the code."""
        member = object.__new__(cls)
        member._value_ = code
        member.display = display
        return member

    ACCEPTED = "0", "Message accepted"
    SEGMENT_SEQUENCE = "100", "Segment sequence error"
    REQUIRED_FIELD_MISSING = "101", "Required field missing"
    DATA_TYPE = "102", "Data type error"
    TABLE_VALUE_NOT_FOUND = "103", "Table value not found"
    VALUE_TOO_LONG = "104", "Value too long"
    CARDINALITY = "198", "Non-Conformant Cardinality"
    OTHER_HL7_ERROR = "199", "Other HL7 Error"
    UNSUPPORTED_MESSAGE_TYPE = "200", "Unsupported message type"
    UNSUPPORTED_EVENT = "201", "Unsupported event code"
    UNSUPPORTED_PROCESSING_ID = "202", "Unsupported processing id"
    UNSUPPORTED_VERSION = "203", "Unsupported version id"
    UNKNOWN_KEY = "204", "Unknown key identifier"
    DUPLICATE_KEY = "205", "Duplicate key identifier"
    RECORD_LOCKED = "206", "Application record locked"
    INTERNAL = "207", "Application error"


@dataclass(frozen=True, slots=True)
class Location:
    """Point at a place in a message, counted from 1 as in ERR-2.

    Parameters
    ----------
    segment : segment name (``PID``)
    sequence : which of the segments of that name
    field, repetition, component, subcomponent : None where the whole of the level above is meant
    """

    segment: str
    sequence: int = 1
    field: int | None = None
    repetition: int | None = None
    component: int | None = None
    subcomponent: int | None = None

    def __str__(self) -> str:
        place = self.segment if self.sequence == 1 else f"{self.segment}[{self.sequence}]"
        if self.field is None:
            return place
        place += f"-{self.field}"
        if self.repetition is not None and self.repetition > 1:
            place += f"[{self.repetition}]"
        return place + "".join(f".{n}" for n in (self.component, self.subcomponent) if n is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """Say what is wrong, for one ERR segment.

    Parameters
    ----------
    text : one sentence without personal data: what was expected, what came, what to do
    code : the error condition
    location : where, or None for the message as a whole
    severity : ``"E"`` error or ``"W"`` warning (HL7 table 0516)
    diagnostic : further detail for the sender's engineers, or empty
    """

    text: str
    code: ErrorCode = ErrorCode.OTHER_HL7_ERROR
    location: Location | None = None
    severity: str = "E"
    diagnostic: str = ""


class Malformed(ValueError):
    """Report a message that cannot be read, with the place and the reason."""

    def __init__(
        self,
        segment: str,
        sequence: int,
        field: int | None,
        reason: str,
        code: ErrorCode = ErrorCode.OTHER_HL7_ERROR,
    ) -> None:
        super().__init__(segment, sequence, field, reason, code)
        self.location = Location(segment, sequence, field)
        self.reason = reason
        self.code = code

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"

    @property
    def segment(self) -> str:
        """Return the name of the segment."""
        return self.location.segment

    @property
    def sequence(self) -> int:
        """Return which of the segments of that name, counted from 1."""
        return self.location.sequence

    @property
    def field(self) -> int | None:
        """Return the number of the field, or None for the whole segment."""
        return self.location.field

    @property
    def problem(self) -> Problem:
        """Return the same as a problem to acknowledge with."""
        return Problem(self.reason, self.code, self.location)
