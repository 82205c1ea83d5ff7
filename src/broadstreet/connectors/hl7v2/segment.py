"""A segment and its parts; each is split only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import lru_cache

from broadstreet.connectors.hl7v2.delimiters import Delimiters
from broadstreet.connectors.hl7v2.escapes import unescaper
from broadstreet.connectors.hl7v2.paths import component_path, field_path
from broadstreet.connectors.hl7v2.problems import ErrorCode, Malformed
from broadstreet.connectors.hl7v2.timestamps import Timestamp, timestamp

NULL = '""'  # how a sender says "delete what you hold"; an empty value says nothing
_NEVER = "\r"  # stands for a delimiter that a sender does not use: no segment holds a carriage return

Read = Callable[[str, int, int, int], str | None]


class Grammar:
    """Hold what the parts of one message share: its delimiters, and how a value is read with them."""

    __slots__ = (
        "component",
        "delimiters",
        "most_fields",
        "read",
        "repetition",
        "separator",
        "subcomponent",
        "text",
    )

    def __init__(self, delimiters: Delimiters, codec: str, most_fields: int) -> None:
        self.delimiters = delimiters
        self.separator = delimiters.field
        self.repetition = delimiters.repetition or _NEVER
        self.component = delimiters.component or _NEVER
        self.subcomponent = delimiters.subcomponent or _NEVER
        self.most_fields = most_fields
        self.text = _text_reader(delimiters, codec)
        self.read = _value_reader(self)


def _text_reader(delimiters: Delimiters, codec: str) -> Callable[[str], str | None]:
    escape_sign = delimiters.escape or _NEVER
    unescape = unescaper(delimiters, codec) if delimiters.escape else str

    def text(raw: str) -> str | None:
        if escape_sign in raw:
            return unescape(raw)
        return "" if raw == NULL else raw or None

    return text


def _value_reader(shared: Grammar) -> Read:
    """Return the function that reads ``(field, repetition, component, subcomponent)``, steps from 0.

    It is one closure without further calls, since each value of each message goes through it.
    """
    repetition_sign, component_sign, subcomponent_sign = (
        shared.repetition,
        shared.component,
        shared.subcomponent,
    )
    escape_sign, text = shared.delimiters.escape or _NEVER, shared.text

    def read(raw: str, repetition: int, component: int, subcomponent: int) -> str | None:
        try:
            if repetition_sign in raw:
                raw = raw.split(repetition_sign, repetition + 1)[repetition]
            elif repetition:
                return None
            if component_sign in raw:
                raw = raw.split(component_sign, component + 1)[component]
            elif component:
                return "" if raw == NULL else None
            if subcomponent_sign in raw:
                raw = raw.split(subcomponent_sign, subcomponent + 1)[subcomponent]
            elif subcomponent:
                return "" if raw == NULL else None
        except IndexError:
            return None
        if escape_sign in raw:
            return text(raw)
        return "" if raw == NULL else raw or None

    return read


@lru_cache(maxsize=256)
def grammar(delimiters: Delimiters, codec: str, most_fields: int) -> Grammar:
    """Return the grammar of messages with these delimiters and character set."""
    return Grammar(delimiters, codec, most_fields)


class Component:
    """A component of a field."""

    __slots__ = ("_grammar", "raw")

    def __init__(self, raw: str, shared: Grammar) -> None:
        self.raw = raw
        self._grammar = shared

    @property
    def text(self) -> str | None:
        """Return the whole component as text; None if empty, ``""`` if explicitly null."""
        return self._grammar.text(self.raw)

    @property
    def subcomponents(self) -> list[str | None]:
        """Return the text of each sub-component."""
        return [self._grammar.text(part) for part in self.raw.split(self._grammar.subcomponent)]


class Repetition:
    """One repetition of a field."""

    __slots__ = ("_grammar", "raw")

    def __init__(self, raw: str, shared: Grammar) -> None:
        self.raw = raw
        self._grammar = shared

    def value(self, path: str) -> str | None:
        """Return the text at ``component[.subcomponent]``; None if empty, ``""`` if explicitly null."""
        return self._grammar.read(self.raw, 0, *component_path(path))

    @property
    def text(self) -> str | None:
        """Return the whole repetition as text, with the delimiters that it holds."""
        return self._grammar.text(self.raw)

    @property
    def components(self) -> list[Component]:
        """Return the components."""
        return [Component(part, self._grammar) for part in self.raw.split(self._grammar.component)]


class Field(Repetition):
    """A field; as a repetition, it is its first."""

    __slots__ = ("whole",)

    def __init__(self, raw: str, shared: Grammar) -> None:
        super().__init__(raw.split(shared.repetition, 1)[0], shared)
        self.whole = raw

    @property
    def is_null(self) -> bool:
        """Say whether the sender asks to delete what is held."""
        return self.whole == NULL

    @property
    def repetitions(self) -> list[Repetition]:
        """Return the repetitions; none for an empty field."""
        if not self.whole:
            return []
        return [Repetition(part, self._grammar) for part in self.whole.split(self._grammar.repetition)]

    def __bool__(self) -> bool:
        return bool(self.whole)


class Segment:
    """A segment of a message.

    A path (``"3[2].4.1"``: field, repetition, component, sub-component) that stops early means the first
    of what it leaves open. A value is None if the sender said nothing, and ``""`` if the sender said
    explicitly null (``\"\"``, delete what you hold); both are false.
    """

    __slots__ = ("_fields", "_grammar", "raw", "sequence")

    def __init__(self, raw: str, sequence: int, shared: Grammar) -> None:
        self.raw = raw
        self.sequence = sequence
        self._grammar = shared
        self._fields: list[str] | None = None

    @property
    def name(self) -> str:
        """Return the segment's name, such as ``PID``."""
        return self.raw[:3]

    def _split(self) -> list[str]:
        fields = self.raw.split(self._grammar.separator, self._grammar.most_fields + 1)
        if len(fields) > self._grammar.most_fields + 1:
            raise self.malformed(None, f"holds more than {self._grammar.most_fields} fields")
        self._fields = fields
        return fields

    def _raw(self, number: int) -> str:
        fields = self._fields or self._split()
        return fields[number] if number < len(fields) else ""

    @property
    def encoded(self) -> list[str]:
        """Return the fields by their numbers, as they are encoded; before the first stands the name."""
        return self._fields or self._split()

    def __getitem__(self, number: int) -> Field:
        """Return a field by its number, an empty one if the segment ends before."""
        if number < 1:
            raise IndexError(f"fields count from 1 (is {number})")
        return Field(self._raw(number), self._grammar)

    @property
    def size(self) -> int:
        """Return the number of fields."""
        return len(self._fields or self._split()) - 1

    def value(self, path: str) -> str | None:
        """Return the text at a path; None if empty, ``""`` if explicitly null."""
        return self.pick(*field_path(path))

    def pick(self, number: int, repetition: int, component: int, subcomponent: int) -> str | None:
        """Return the text at the steps of a path: field from 1, the others from 0."""
        fields = self._fields or self._split()
        if number >= len(fields):
            return None
        raw = fields[number]
        return self._grammar.read(raw, repetition, component, subcomponent) if raw else None

    def values(self, path: str) -> list[str | None]:
        """Return the text at a path (without repetition) in each repetition of its field."""
        number, _, component, subcomponent = field_path(path)
        raw = self._raw(number)
        read = self._grammar.read
        parts = raw.split(self._grammar.repetition) if raw else []
        return [read(part, 0, component, subcomponent) for part in parts]

    def repetitions(self, number: int) -> list[Repetition]:
        """Return the repetitions of a field; none for an empty field."""
        return self[number].repetitions

    def text(self, number: int) -> str | None:
        """Return a whole field as text, with the delimiters that it holds: for notes and reports."""
        return self._grammar.text(self._raw(number))

    def time(self, path: str, zone: tzinfo) -> Timestamp | None:
        """Return the time at a path, None if there is none.

        Raises
        ------
        Malformed
            If the text is not an HL7 time; the error names the place.
        """
        text = (self.value(path) or "").strip()  # some senders pad
        if not text:
            return None
        try:
            return timestamp(text, zone)
        except ValueError as error:
            raise self.malformed(field_path(path)[0], str(error), code=ErrorCode.DATA_TYPE) from None

    def malformed(
        self, field: int | None, reason: str, *, code: ErrorCode = ErrorCode.OTHER_HL7_ERROR
    ) -> Malformed:
        """Return the error that names this segment and the field."""
        return Malformed(self.name, self.sequence, field, reason, code=code)


class Header(Segment):
    """The MSH segment: its first field is the separator itself, its second is never split."""

    __slots__ = ()

    def _split(self) -> list[str]:
        fields = super()._split()
        fields.insert(1, self._grammar.separator)
        return fields

    def pick(self, number: int, repetition: int, component: int, subcomponent: int) -> str | None:
        """Return the text at the steps of a path: field from 1, the others from 0."""
        fields = self._fields or self._split()
        if number >= len(fields):
            return None
        raw = fields[number]
        if number == 2:
            return raw
        return self._grammar.read(raw, repetition, component, subcomponent) if raw else None

    def text(self, number: int) -> str | None:
        """Return a whole field as text, with the delimiters that it holds."""
        return self._raw(2) if number == 2 else super().text(number)
