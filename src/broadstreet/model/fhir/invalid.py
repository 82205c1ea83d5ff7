"""Say what is wrong with a resource, and where, in FHIR's words."""

from __future__ import annotations

import re

import msgspec

from broadstreet.model.fhir.primitives import FORMATS
from broadstreet.model.fhir.rules import RuleError

LONGEST_REASON = 300

# What the decoder says, and how FHIR says it: (message, element below the path, reason, issue code).
# The codes are those of OperationOutcome.issue.code: https://hl7.org/fhir/R4/valueset-issue-type.html
MESSAGES = tuple(
    (re.compile(message, re.DOTALL), element, reason, code)
    for message, element, reason, code in (
        (r"Object contains unknown field `(.*)`", r"\1", "unknown field", "structure"),
        (r"Object missing required field `(.*)`", r"\1", "required, and absent", "required"),
        (r"Expected `array(?: \| null)?` of length >= 1", "", "an array must not be empty", "structure"),
        (r"Expected `str(?: \| null)?` of length >= 1", "", "a string must not be empty", "value"),
        (r"Expected `str(?: \| null)?` of length (<= \d+)", "", r"a string must have length \1", "too-long"),
        (r"Expected `int(?: \| null)?` ([<>]= -?\d+)", "", r"expected an integer \1", "value"),
        (r"Integer value out of range", "", "an integer must fit in 32 bits", "value"),
        (r"Expected `(.*?)(?: \| null)?`, got `(.*)`", "", r"expected \1, got \2", "structure"),
        (r"Expected `str`", "", "expected a string", "structure"),
        (r"Invalid value '(.*)'", "", r"no such type of resource: '\1'", "structure"),
        (r"JSON is malformed: (.*)", "", r"malformed JSON: \1", "structure"),
        (r"Input data was truncated", "", "malformed JSON: it ends too early", "structure"),
    )
)
_NOT_MATCHING = re.compile(r"Expected `str(?: \| null)?` matching regex '(.*)'", re.DOTALL)
_WORDS = {
    "str": "string",
    "int": "integer",
    "float": "decimal",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_TYPE = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")


class Invalid(ValueError):
    """A resource that FHIR R4 does not allow.

    Attributes
    ----------
    path
        The element, as in `Patient.name[0].family`.
    reason
        What is wrong with it.
    code
        The code for `OperationOutcome.issue.code`: structure, required, value, too-long or too-costly.
    """

    def __init__(self, path: str, reason: str, code: str = "structure") -> None:
        self.path = _shortened(path)
        self.reason = _shortened(reason)
        self.code = code
        super().__init__(f"{self.path}: {self.reason}")

    def __reduce__(self) -> tuple[type[Invalid], tuple[str, str, str]]:
        return type(self), (self.path, self.reason, self.code)


def translate(error: Exception, root: str) -> Invalid:
    """Return the decoder's error with its path below `root` (a resource's or datatype's name)."""
    message, path = str(error), root
    if isinstance(error, msgspec.ValidationError) and message.endswith("`") and " - at `$" in message:
        message, _, below = message.rpartition(" - at `$")
        path = root + below[:-1]
    if isinstance(cause := error.__cause__, RuleError):
        return Invalid(f"{path}.{cause.element}", cause.reason, cause.code)
    if found := _NOT_MATCHING.fullmatch(message):
        return Invalid(path, f"not a valid {FORMATS.get(_pattern(found[1]), 'value')}", "value")
    for pattern, element, reason, code in MESSAGES:
        if found := pattern.fullmatch(message):
            below = f".{found.expand(element)}" if element else ""
            return Invalid(path + below, _in_words(found.expand(reason)), code)
    return Invalid(path, message, "value")


def _pattern(quoted: str) -> str:
    return quoted.replace("\\\\", "\\")


def _in_words(reason: str) -> str:
    if not reason.startswith("expected "):
        return reason
    return _TYPE.sub(lambda word: _WORDS[word[0]], reason)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + " ..."
