"""Split the text of an expression into tokens.

Source: https://hl7.org/fhirpath/N1/ (normative release 2.0.0), grammar.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from broadstreet.model.fhirpath.errors import SyntaxInvalid

MAX_LENGTH = 8_192  # characters; the longest expression of R4 has 3,300

_DATE = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
_TIME = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_ZONE = r"(?:Z|[+-][0-9]{2}:[0-9]{2})"

_TOKENS = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in (
            ("space", r"\s+|//[^\r\n]*|/\*.*?\*/"),
            ("unfinished", r"/\*"),
            ("datetime", rf"@{_DATE}T(?:{_TIME}{_ZONE}?)?"),
            ("date", rf"@{_DATE}"),
            ("time", rf"@T{_TIME}"),
            ("number", r"[0-9]+(?:\.[0-9]+)?"),
            ("string", r"'(?:[^'\\]|\\.)*'"),
            ("name", r"[A-Za-z_][A-Za-z0-9_]*"),
            ("quoted", r"`(?:[^`\\]|\\.)*`"),
            ("constant", r"%(?:[A-Za-z_][A-Za-z0-9_]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*')"),
            ("special", r"\$(?:this|index|total)\b"),
            ("sign", r"!=|!~|<=|>=|[-+*/&|<>=~.,()\[\]{}]"),
        )
    ),
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "'\"`/\\"}


class Token(NamedTuple):
    """A piece of the expression: what it is, its text, where it starts and ends."""

    kind: str
    text: str
    at: int
    end: int


def tokens(expression: str) -> list[Token]:
    """Return the tokens of an expression, at the end one of the kind `end`.

    Raises
    ------
    SyntaxInvalid
        If the expression is too long, or has a character that begins no token.
    """
    if len(expression) > MAX_LENGTH:
        raise SyntaxInvalid(f"an expression has at most {MAX_LENGTH} characters (has {len(expression)})")
    found = []
    at = 0
    while at < len(expression):
        match = _TOKENS.match(expression, at)
        if match is None or match.lastgroup == "unfinished":
            raise SyntaxInvalid(_what_is_wrong(expression[at]), at, expression)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at, match.end()))
        at = match.end()
    return [*found, Token("end", "", at, at)]


def unquote(token: Token) -> str:
    """Return what stands between the quotation marks, its escapes replaced.

    Raises
    ------
    SyntaxInvalid
        For an escape that FHIRPath does not know.
    """

    def replaced(match: re.Match[str]) -> str:
        escaped = match.group(1)
        if escaped[0] == "u" and len(escaped) == 5:
            return chr(int(escaped[1:], 16))
        if escaped not in _ESCAPED:
            raise SyntaxInvalid(f"unknown escape {match.group()!r}", token.at + 1 + match.start())
        return _ESCAPED[escaped]

    text = _ESCAPE.sub(replaced, token.text.strip("%")[1:-1])
    # Surrogates may be written as two escapes; one alone is no character.
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise SyntaxInvalid("half of a surrogate pair", token.at) from None


def _what_is_wrong(character: str) -> str:
    if character in "'`":
        return f"{character} is not closed"
    return "the comment is not closed" if character == "/" else f"unexpected {character!r}"
