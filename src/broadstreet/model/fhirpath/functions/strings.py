"""Strings: indexOf, substring, startsWith, replace, split, encode ...

Source: https://hl7.org/fhirpath/N1/#string-manipulation; encode, escape, split, join and trim are of the
additions that are for trial use.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from broadstreet.model.fhirpath.errors import EvaluationError, TooCostly
from broadstreet.model.fhirpath.evaluation import MAX_TEXT, Items, of_type, text_of
from broadstreet.model.fhirpath.functions.function import BOOLEAN, INTEGER, STRING, Function

Source = TypeVar("Source")
Made = TypeVar("Made")

_JSON_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\.", re.DOTALL)


def _of_text(name: str, make: Callable[..., str | bool | int | list[str]]) -> Callable[..., Items]:
    """Return the function of strings that is empty if the string or an argument is."""

    def call(items: Items, *arguments: Items) -> Items:
        texts = [of_type(part, f"{name}()", str) for part in (items, *arguments)]
        if None in texts:
            return []
        made = make(*texts)
        if isinstance(made, list):
            return list(made)
        return text_of(made) if isinstance(made, str) else [made]

    return call


def _substring(items: Items, start: Items, length: Items | None = None) -> Items:
    text = of_type(items, "substring()", str)
    first = of_type(start, "the start of substring()", int)
    count = of_type(length or [], "the length of substring()", int)
    if text is None or first is None or not 0 <= first < len(text):
        return []
    return [text[first:] if count is None else text[first : first + max(0, count)]]


def _replace(text: str, pattern: str, by: str) -> str:
    most = len(text) + (text.count(pattern) if pattern else len(text) + 1) * len(by)
    if most > MAX_TEXT:
        raise TooCostly(f"a string would have more than {MAX_TEXT:,} characters")
    return text.replace(pattern, by)


def _join(items: Items, separator: Items | None = None) -> Items:
    between = of_type(separator or [], "the separator of join()", str) or ""
    texts = [of_type([item], "join()", str) for item in items]
    return text_of(between.join(text for text in texts if text is not None))


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _encode(text: str, form: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    encoders: dict[str, Callable[[bytes], str]] = {
        "hex": bytes.hex,
        "base64": _base64,
        "urlbase64": _urlbase64,
    }
    return _form(encoders, form, "encode()")(data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _urlbase64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decode(text: str, form: str) -> str:
    decoders: dict[str, Callable[[str], bytes]] = {
        "hex": bytes.fromhex,
        "base64": lambda written: base64.b64decode(written, validate=True),
        "urlbase64": lambda written: base64.b64decode(written, altchars=b"-_", validate=True),
    }
    try:
        return _form(decoders, form, "decode()")(text).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        if isinstance(error, EvaluationError):
            raise
        raise EvaluationError(f"decode() expected {form} of UTF-8 text") from None


def _form(forms: Mapping[str, Callable[[Source], Made]], form: str, name: str) -> Callable[[Source], Made]:
    if form not in forms:
        raise EvaluationError(f"{name} takes one of {', '.join(forms)} (got {form!r})")
    return forms[form]


def _escape(text: str, form: str) -> str:
    escapes: dict[str, Callable[[str], str]] = {"html": html.escape, "json": _to_json}
    return _form(escapes, form, "escape()")(text)


def _to_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _unescape(text: str, form: str) -> str:
    unescapes: dict[str, Callable[[str], str]] = {
        "html": html.unescape,
        "json": lambda written: _JSON_ESCAPE.sub(_from_json, written),
    }
    return _form(unescapes, form, "unescape()")(text)


def _from_json(match: re.Match[str]) -> str:
    try:
        return str(json.loads(f'"{match.group()}"'))
    except ValueError:
        raise EvaluationError(f"unescape() met {match.group()!r}, which JSON does not know") from None


def _contains(text: str, part: str) -> bool:
    return part in text


# name: (what it does, number of arguments, type of the result)
_SIMPLE: dict[str, tuple[Callable[..., str | bool | int | list[str]], int, str]] = {
    "indexOf": (str.find, 1, INTEGER),
    "lastIndexOf": (str.rfind, 1, INTEGER),
    "startsWith": (str.startswith, 1, BOOLEAN),
    "endsWith": (str.endswith, 1, BOOLEAN),
    "contains": (_contains, 1, BOOLEAN),
    "upper": (str.upper, 0, STRING),
    "lower": (str.lower, 0, STRING),
    "replace": (_replace, 2, STRING),
    "length": (len, 0, INTEGER),
    "toChars": (list, 0, STRING),
    "trim": (str.strip, 0, STRING),
    "split": (_split, 1, STRING),
    "encode": (_encode, 1, STRING),
    "decode": (_decode, 1, STRING),
    "escape": (_escape, 1, STRING),
    "unescape": (_unescape, 1, STRING),
}

FUNCTIONS = {
    **{
        name: Function(_of_text(name, make), n, n, result=result)
        for name, (make, n, result) in _SIMPLE.items()
    },
    "substring": Function(_substring, 1, 2, result=STRING),
    "join": Function(_join, 0, 1, result=STRING),
}
