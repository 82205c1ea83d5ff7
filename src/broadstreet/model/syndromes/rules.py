"""Rules over findings, as they stand in the table: `influenza or (fever and (cough or sore_throat))`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Rule = Callable[[frozenset[str]], bool]

_WORD = re.compile(r"\s*(\(|\)|[a-z_]+|\S)")


def findings_of(rule: str) -> frozenset[str]:
    """Return the names of the findings that `rule` speaks of."""
    return frozenset(re.findall(r"[a-z_]+", rule)) - {"and", "or", "not"}


def compile_rule(rule: str) -> Rule:
    """Compile a rule of names, `and`, `or`, `not` and parentheses.

    Raises
    ------
    ValueError
        When the rule is not well formed; the message names the word at fault.
    """
    words = [*_WORD.findall(rule), ""]
    reader = iter(words)
    parser = _Parser(reader, rule)
    compiled = parser.disjunction()
    if parser.word:
        raise ValueError(f"expected the end of the rule {rule!r}, found {parser.word!r}")
    return compiled


class _Parser:
    def __init__(self, words: Iterator[str], rule: str) -> None:
        self._words, self._rule = words, rule
        self.word = next(words)

    def disjunction(self) -> Rule:
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda found: any(part(found) for part in parts)

    def _conjunction(self) -> Rule:
        parts = [self._term()]
        while self._took("and"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda found: all(part(found) for part in parts)

    def _term(self) -> Rule:
        if self._took("not"):
            term = self._term()
            return lambda found: not term(found)
        if self._took("("):
            inner = self.disjunction()
            if not self._took(")"):
                raise ValueError(f"expected ')' in the rule {self._rule!r}, found {self.word!r}")
            return inner
        name = self.word
        if not re.fullmatch(r"[a-z_]+", name) or name in {"and", "or"}:
            raise ValueError(f"expected a finding in the rule {self._rule!r}, found {name!r}")
        self.word = next(self._words)
        return lambda found: name in found

    def _took(self, word: str) -> bool:
        if self.word != word:
            return False
        self.word = next(self._words)
        return True
