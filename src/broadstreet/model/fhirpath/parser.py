"""Read an expression into a tree (precedence climbing).

Source: https://hl7.org/fhirpath/N1/grammar.html
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from broadstreet.model.fhirpath import temporal
from broadstreet.model.fhirpath.errors import FhirpathError, SyntaxInvalid
from broadstreet.model.fhirpath.lexer import Token, tokens, unquote
from broadstreet.model.fhirpath.syntax import (
    Binary,
    Call,
    Constant,
    Expression,
    Focus,
    Index,
    Literal,
    Path,
    TypeTest,
    Unary,
)
from broadstreet.model.fhirpath.values import Quantity

MAX_DEPTH = 100  # of the tree; the deepest expression of R4 has 34 levels
MAX_INTEGER = 2**31 - 1
MAX_DIGITS = 40

# How tightly an operator binds; all of them bind to the left.
PRECEDENCE = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    **dict.fromkeys(("=", "~", "!=", "!~"), 5),
    **dict.fromkeys(("<", ">", "<=", ">="), 6),
    "|": 7,
    "is": 8,
    "as": 8,
    **dict.fromkeys(("+", "-", "&"), 9),
    **dict.fromkeys(("*", "/", "div", "mod"), 10),
}
CALENDAR = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR_WORDS = {*CALENDAR, *(f"{unit}s" for unit in CALENDAR)}
_TEMPORAL = {"date": temporal.parse_date, "datetime": temporal.parse_datetime, "time": temporal.parse_time}


@lru_cache(maxsize=256)
def parse(expression: str) -> Expression:
    """Return the tree of an expression.

    Raises
    ------
    SyntaxInvalid
        With the place where something else was expected.
    """
    try:
        return _Parser(tokens(expression)).whole()
    except FhirpathError as error:
        raise error.within(expression) from None
    except RecursionError:
        raise SyntaxInvalid("nested too deep", None, expression) from None


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.next = 0
        self.level = 0
        self.depths: dict[int, int] = {}

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.token
        self.next += 1
        return token

    def expect(self, sign: str) -> Token:
        if self.token.text != sign or self.token.kind not in ("sign", "end"):
            raise SyntaxInvalid(f"expected {sign!r}", self.token.at)
        return self.take()

    def whole(self) -> Expression:
        node = self.expression(0)
        if self.token.kind != "end":
            raise SyntaxInvalid(f"expected an operator or the end, got {self.token.text!r}", self.token.at)
        return node

    def made(self, node: Expression, *below: Expression) -> Expression:
        """Keep how deep the tree of a node is, and refuse one that is too deep."""
        depth = 1 + max((self.depths.get(id(child), 0) for child in below), default=0)
        if depth > MAX_DEPTH:
            raise SyntaxInvalid(f"nested deeper than {MAX_DEPTH} levels", node.at)
        self.depths[id(node)] = depth
        return node

    def expression(self, binding: int) -> Expression:
        self.level += 1
        if self.level > MAX_DEPTH:
            raise SyntaxInvalid(f"nested deeper than {MAX_DEPTH} levels", self.token.at)
        left = self.signed()
        while self.token.kind in ("sign", "name") and PRECEDENCE.get(self.token.text, 0) > binding:
            left = self.operation(left, self.take())
        self.level -= 1
        return left

    def operation(self, left: Expression, operator: Token) -> Expression:
        sign = operator.text
        if sign in ("is", "as"):
            return self.made(TypeTest(sign=sign, left=left, type=self.type_name(), at=operator.at), left)
        right = self.expression(PRECEDENCE[sign])
        return self.made(Binary(sign=sign, left=left, right=right, at=operator.at), left, right)

    def signed(self) -> Expression:
        if self.token.text not in ("+", "-") or self.token.kind != "sign":
            return self.invocations()
        sign = self.take()
        operand = self.expression(PRECEDENCE["*"])
        return self.made(Unary(sign=sign.text, operand=operand, at=sign.at), operand)

    def type_name(self) -> str:
        name = self.identifier()
        while self.token.text == "." and self.token.kind == "sign":
            self.take()
            name = f"{name}.{self.identifier()}"
        return name

    def identifier(self) -> str:
        token = self.take()
        if token.kind not in ("name", "quoted"):
            raise SyntaxInvalid(f"expected a name, got {token.text!r}", token.at)
        return token.text if token.kind == "name" else unquote(token)

    def invocations(self) -> Expression:
        node = self.term()
        while self.token.kind == "sign" and self.token.text in (".", "["):
            sign = self.take()
            if sign.text == ".":
                node = self.member(node)
                continue
            index = self.expression(0)
            self.expect("]")
            node = self.made(Index(left=node, index=index, at=sign.at), node, index)
        return node

    def member(self, left: Expression) -> Expression:
        at = self.token.at
        name = self.identifier()
        if self.token.kind != "sign" or self.token.text != "(":
            return self.made(Path(left=left, name=name, at=at), left)
        self.take()
        arguments = []
        while self.token.text != ")" or self.token.kind != "sign":
            arguments.append(self.expression(0))
            if self.token.text != "," or self.token.kind != "sign":
                break
            self.take()
        self.expect(")")
        return self.made(Call(left=left, name=name, arguments=tuple(arguments), at=at), left, *arguments)

    def term(self) -> Expression:
        return _TERMS.get(self.token.kind, _Parser.bracketed)(self)

    def named(self) -> Expression:
        if self.token.kind == "name" and self.token.text in ("true", "false"):
            return self.literal(self.token, self.take().text == "true")
        return self.member(Focus(name="", at=self.token.at))

    def special(self) -> Expression:
        token = self.take()
        return self.made(Focus(name=token.text[1:], at=token.at))

    def constant(self) -> Expression:
        token = self.take()
        quoted = token.text[1] in "`'"
        return self.made(Constant(name=unquote(token) if quoted else token.text[1:], at=token.at))

    def string(self) -> Expression:
        return self.literal(self.token, unquote(self.take()))

    def bracketed(self) -> Expression:
        token = self.take()
        if token.text == "{" and token.kind == "sign":
            self.expect("}")
            return self.literal(token, None)
        if token.text != "(" or token.kind != "sign":
            came = "the end" if token.kind == "end" else repr(token.text)
            raise SyntaxInvalid(f"expected a value, a name or '(', got {came}", token.at)
        node = self.expression(0)
        self.expect(")")
        return node

    def literal(self, token: Token, value: Any) -> Expression:
        return self.made(Literal(value=value, at=token.at))

    def number(self) -> Expression:
        token = self.take()
        if len(token.text) > MAX_DIGITS:
            raise SyntaxInvalid(f"a number has at most {MAX_DIGITS} digits", token.at)
        if self.token.kind == "string":
            return self.literal(token, Quantity(Decimal(token.text), unquote(self.take())))
        if self.token.kind == "name" and self.token.text in CALENDAR_WORDS:
            return self.literal(token, Quantity(Decimal(token.text), self.take().text, calendar=True))
        if "." in token.text:
            return self.literal(token, Decimal(token.text))
        if int(token.text) > MAX_INTEGER + 1:
            raise SyntaxInvalid(f"an integer is at most {MAX_INTEGER}", token.at)
        return self.literal(token, int(token.text))

    def temporal(self) -> Expression:
        token = self.take()
        value = _TEMPORAL[token.kind](token.text.lstrip("@").removeprefix("T"))
        if value is None:
            raise SyntaxInvalid(f"not a {token.kind}: {token.text!r}", token.at)
        return self.literal(token, value)


_TERMS = {
    "name": _Parser.named,
    "quoted": _Parser.named,
    "special": _Parser.special,
    "constant": _Parser.constant,
    "string": _Parser.string,
    "number": _Parser.number,
    **dict.fromkeys(_TEMPORAL, _Parser.temporal),
}
