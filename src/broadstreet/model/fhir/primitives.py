"""The primitive types of FHIR R4, each with the format that the standard gives it.

Source: https://hl7.org/fhir/R4/datatypes.html (regular expressions and bounds). Every pattern here runs in
time linear in its input; where the published expression does not (base64Binary), it is written anew to accept
the same.
"""

from __future__ import annotations

import decimal
import re
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from msgspec import Meta

MAX_STRING = 1_048_576  # "strings SHALL NOT exceed 1MB (1024*1024 characters) in size"
MAX_DIGITS = 1_000  # ours: the standard sets no bound; 18 digits are what it asks systems to handle
MAX_EXPONENT = 400  # ours: a decimal lies within 1e-400 .. 1e400, as every IEEE double does
OUT_OF_BOUNDS = (
    f"a number must have at most {MAX_DIGITS} characters and lie within 1e{-MAX_EXPONENT} .. 1e{MAX_EXPONENT}"
)
_TOO_LARGE = 10 ** (MAX_EXPONENT + 1)

# White space is what XML and Java's \s mean by it: a no-break space, which an official example has in a code,
# is not.
_WHITE = r"(?a:\s)"
_DARK = r"(?a:\S++)"
_YEAR = r"(?!0000)[0-9]{4}"
_MONTH = r"(?:0[1-9]|1[0-2])"
# "Dates SHALL be valid dates", which the published expressions do not ask for: no 30 February, no 31 June.
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    r"(?:0[1-9]|1[0-9]|2[0-8]"
    rf"|29(?<!-02-29)|29(?<={_LEAP_YEAR}-02-29)"
    r"|30(?<!-02-30)"
    r"|31(?<!-02-31)(?<!-04-31)(?<!-06-31)(?<!-09-31)(?<!-11-31))"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]++)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"


FORMATS: dict[str, str] = {}  # the primitive that each pattern stands for, to name it in an error


def _matching(name: str, pattern: str, at_most: int | None = MAX_STRING) -> Meta:
    whole = rf"\A(?:{pattern})\Z"
    FORMATS[whole] = name
    return Meta(pattern=whole, max_length=at_most)


Item = TypeVar("Item")
Many = Annotated[list[Item], Meta(min_length=1)]

Boolean: TypeAlias = bool
Integer = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
PositiveInt = Annotated[int, Meta(ge=1, le=2**31 - 1)]
UnsignedInt = Annotated[int, Meta(ge=0, le=2**31 - 1)]

String = Annotated[str, Meta(min_length=1, max_length=MAX_STRING)]
Markdown = Annotated[str, Meta(min_length=1, max_length=MAX_STRING)]
Xhtml = Annotated[str, Meta(min_length=1)]
Id = Annotated[str, _matching("id", r"[A-Za-z0-9\-.]{1,64}")]
Code = Annotated[str, Meta(max_length=MAX_STRING)]  # these four: see CODE and URI below
Uri = Annotated[str, Meta(max_length=MAX_STRING)]
Url = Annotated[str, Meta(max_length=MAX_STRING)]
Canonical = Annotated[str, Meta(max_length=MAX_STRING)]
Oid = Annotated[str, _matching("oid", r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*+))++")]
Uuid = Annotated[
    str, _matching("uuid", r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
]
Date = Annotated[str, _matching("date", rf"{_YEAR}(?:-{_MONTH}(?:-{_DAY})?)?")]
DateTime = Annotated[str, _matching("dateTime", rf"{_YEAR}(?:-{_MONTH}(?:-{_DAY}(?:T{_TIME}{_ZONE})?)?)?")]
Instant = Annotated[str, _matching("instant", rf"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}")]
Time = Annotated[str, _matching("time", _TIME)]
Base64Binary = Annotated[str, _matching("base64Binary", r"\s*+(?:[0-9a-zA-Z+/=]{4}\s*+)++", at_most=None)]

# Every resource is full of codes and URIs, and few are new: matching a pattern each time took half the time
# of decoding. The structs look first whether they have seen one, so these two are matched by `rules`.
CODE = re.compile(rf"{_DARK}(?:{_WHITE}{_DARK})*+")
URI = re.compile(_DARK)

if TYPE_CHECKING:
    Decimal: TypeAlias = decimal.Decimal
else:

    class _OfDecimal(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, decimal.Decimal)

    class Decimal(metaclass=_OfDecimal):
        """Stand for `decimal.Decimal`, so that the decoder asks `decimal_from` instead of taking strings."""


def decimal_from_text(text: str) -> decimal.Decimal:
    """Return the decimal of a JSON number with a fraction or an exponent, its trailing zeros kept.

    Raises
    ------
    ValueError
        If it has more than `MAX_DIGITS` characters or lies outside of 1e-400 .. 1e400 (`MAX_EXPONENT`).
    """
    if len(text) <= MAX_DIGITS:
        try:
            number = decimal.Decimal(text)
        except decimal.InvalidOperation:
            raise ValueError(OUT_OF_BOUNDS) from None
        if -MAX_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
            return number
    raise ValueError(OUT_OF_BOUNDS)


def decimal_from(_type: type, value: object) -> decimal.Decimal:
    """Return the decimal of a JSON number; refuse anything else, a string above all.

    Raises
    ------
    ValueError
        If `value` did not come from a JSON number, or lies outside of 1e-400 .. 1e400.
    """
    if isinstance(value, decimal.Decimal):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"Expected `decimal`, got `{type(value).__name__}`")
    if not -_TOO_LARGE < value < _TOO_LARGE:
        raise ValueError(OUT_OF_BOUNDS)
    return decimal.Decimal(value)
