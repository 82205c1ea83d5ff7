"""Name the syndromes of a visit from its chief complaint and its codes, and show why."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import chain, islice
from typing import NamedTuple

from broadstreet.model.syndromes import tables
from broadstreet.model.syndromes.codes import CodeEntry, CodeTable
from broadstreet.model.syndromes.context import reasons
from broadstreet.model.syndromes.lexicon import Entry, Lexicon, Match
from broadstreet.model.syndromes.patterns import Patterns, Sequence, word_class_member
from broadstreet.model.syndromes.rules import Rule, compile_rule, findings_of
from broadstreet.model.syndromes.spelling import Speller
from broadstreet.model.syndromes.tables import LANGUAGES, NO_FINDING, Definition, Row, TableError
from broadstreet.model.syndromes.tokens import END, START, Token

LENGTH = 10_000  # characters of a complaint that are read
CODES = 200  # codes of a visit that are read
_REMEMBERED = 65_536
_REMEMBERED_LENGTH = 400  # longer complaints are not kept, which bounds the memory

NAMES: tuple[str, ...] = tuple(tables.definitions())
_CUES = frozenset({"negation", "family", "past", "vaccination", "hypothetical"})
_KINDS = _CUES | {"mask", "comma", "stop", "sentence", "or", "join"}
_STANDS = frozenset({"before", "after", "both"})
_SCOPES = frozenset({"next", "item", "list"})


class Evidence(NamedTuple):
    """Why a syndrome is named, or why a finding does not count.

    Attributes
    ----------
    syndrome, finding
        What the line speaks of.
    source
        The pattern or the code of the table, with its place.
    text
        What stands in the complaint, or the code as it came.
    start, end
        Where, as a slice of the complaint in Unicode NFC (0, 0 for a code).
    negated
        None when the finding counts; else the cue that takes it away, its words and its row, such as
        `negation: denies (context.tsv:21)`.
    """

    syndrome: str
    finding: str
    source: str
    text: str
    start: int
    end: int
    negated: str | None


class _Hit(NamedTuple):
    finding: str
    entry: Entry
    start: int
    end: int
    taken: str | None


def classify(
    complaint: str | None = None, codes: Iterable[str] = (), language: str | None = None
) -> frozenset[str]:
    """Name the syndromes of one visit.

    Parameters
    ----------
    complaint
        The chief complaint or triage note; the first `LENGTH` characters are read.
    codes
        Codes of ICD-10 or ICD-10-CM, with or without a dot; the first `CODES` are read.
        Unknown codes say nothing.
    language
        `en`, `ko`, `zh` or `es` to use that language's patterns only; None for all of them together.

    Returns
    -------
    frozenset of str
        Names out of `NAMES`.

    Raises
    ------
    ValueError
        When `language` is none of `LANGUAGES`.
    """
    _check(language)
    found = _remembered(complaint, language) if complaint else frozenset()
    if codes:
        found = found.union(*(entry.findings for _, entry in _coded(codes)))
    return _syndromes(found)


def explain(
    complaint: str | None = None, codes: Iterable[str] = (), language: str | None = None
) -> list[Evidence]:
    """Show why `classify` names what it names: each finding that counts, and each that was taken away.

    Parameters and errors are those of `classify`.

    Returns
    -------
    list of Evidence
        Findings that count stand under each syndrome that holds; findings taken away under each syndrome
        that they could have supported.
    """
    _check(language)
    text = unicodedata.normalize("NFC", complaint[:LENGTH]) if complaint else ""
    hits, coded = list(_hits(text, language)), list(_coded(codes))
    counting = {hit.finding for hit in hits if hit.taken is None}
    holding = _syndromes(frozenset(chain(counting, *(entry.findings for _, entry in coded))))
    lines = [line for hit in hits for line in _evidence(hit, text, holding)]
    for code, entry in coded:
        source = f"{entry.place} {entry.code} {entry.term}"
        lines += [
            Evidence(syndrome, finding, source, code, 0, 0, None)
            for finding in entry.findings
            for syndrome in _supported(finding)
            if syndrome in holding
        ]
    return lines


def definition(name: str) -> Definition:
    """Return the definition of the syndrome `name`.

    Raises
    ------
    KeyError
        When there is no syndrome of this name.
    """
    try:
        return tables.definitions()[name]
    except KeyError:
        raise KeyError(f"no syndrome is named {name!r}; there are: {', '.join(NAMES)}") from None


def _check(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)} or None, not {language!r}")


def _remembered(complaint: str, language: str | None) -> frozenset[str]:
    if len(complaint) <= _REMEMBERED_LENGTH:
        return _remember_findings(complaint, language)
    return _findings(complaint, language)


def _findings(complaint: str, language: str | None) -> frozenset[str]:
    text = unicodedata.normalize("NFC", complaint[:LENGTH])
    matches, _ = lexicon(language).match(tables.folding().fold(text))
    kinds = {match.entry.kind for match in matches}
    if "finding" not in kinds:
        return frozenset()
    taken = [None] * len(matches) if kinds.isdisjoint(_CUES) else reasons(matches)
    return frozenset(
        finding
        for match, cue in zip(matches, taken, strict=True)
        if cue is None and not match.entry.absent
        for finding in match.entry.findings
    )


_remember_findings = lru_cache(maxsize=_REMEMBERED)(_findings)


def forget() -> None:
    """Forget the complaints that were read before."""
    _remember_findings.cache_clear()


def _hits(text: str, language: str | None) -> Iterator[_Hit]:
    matches, tokens = lexicon(language).match(tables.folding().fold(text))
    for match, cue in zip(matches, reasons(matches), strict=True):
        entry = match.entry
        start, end = _span(match, tokens)
        by = match if entry.absent else cue
        taken = None if by is None else _cue_text(by, text[slice(*_span(by, tokens))])
        for finding in entry.findings:
            yield _Hit(finding, entry, start, end, taken)


def _span(match: Match, tokens: list[Token]) -> tuple[int, int]:
    return tokens[match.first][START], tokens[match.behind - 1][END]


def _cue_text(cue: Match, text: str) -> str:
    kind = "negation" if cue.entry.absent else cue.entry.kind
    return f"{kind}: {text} ({cue.entry.place})"


def _evidence(hit: _Hit, text: str, holding: frozenset[str]) -> Iterator[Evidence]:
    source = f"{hit.entry.place} {hit.entry.pattern}"
    for syndrome in _supported(hit.finding):
        if hit.taken or syndrome in holding:
            yield Evidence(
                syndrome, hit.finding, source, text[hit.start : hit.end], hit.start, hit.end, hit.taken
            )


def _coded(codes: Iterable[str]) -> Iterator[tuple[str, CodeEntry]]:
    table = code_table()
    for code in islice(codes, CODES):
        entry = table.look_up(code)
        if entry is not None and entry.findings:
            yield code, entry


@cache
def _supported(finding: str) -> tuple[str, ...]:
    """Return the syndromes that speak of `finding` (a syndrome's own name speaks for itself)."""
    rules = tables.definitions().items()
    return tuple(name for name, row in rules if finding == name or finding in findings_of(row.rule))


@lru_cache(maxsize=4096)
def _syndromes(found: frozenset[str]) -> frozenset[str]:
    if not found:
        return found
    return frozenset(name for name, rule in _rules() if name in found or rule(found))


@cache
def _rules() -> tuple[tuple[str, Rule], ...]:
    return tuple((name, compile_rule(row.rule)) for name, row in tables.definitions().items())


@cache
def code_table() -> CodeTable:
    """Return the table of codes."""
    table = CodeTable()
    if unknown := table.findings() - _known_findings():
        raise TableError(f"icd10.tsv: no rule speaks of {', '.join(sorted(unknown))}")
    return table


@cache
def _known_findings() -> frozenset[str]:
    rules = (findings_of(row.rule) for row in tables.definitions().values())
    return frozenset(NAMES).union(*rules)


@cache
def lexicon(language: str | None) -> Lexicon:
    """Compile the patterns of one language, or of all."""
    chosen = LANGUAGES if language is None else (language,)
    patterns = Patterns(tables.groups(), tables.folding())
    complaints = (_finding(row) for name in chosen for row in tables.read_rows(f"complaints_{name}.tsv"))
    cues = (_cue(row) for row in tables.read_rows("context.tsv") if row.cells["language"] in (*chosen, "any"))
    entries: list[tuple[Sequence, Entry]] = []
    for row, entry in chain(complaints, cues):
        try:
            entries += [(sequence, entry) for sequence in patterns.expand(row.cells["pattern"])]
        except ValueError as error:
            raise row.error(str(error)) from error
    spelt = {key for sequence, _ in entries for key in sequence if key.isalpha() and key.isascii()}
    real = (word for row in tables.read_rows("real_words.tsv") for word in row.cells["words"].split())
    return Lexicon(entries, tables.measures(), _classes(), Speller(spelt, real))


def _classes() -> dict[str, list[str]]:
    classes: dict[str, list[str]] = {}
    for group, words in tables.groups().items():
        for word in filter(word_class_member, words.split("|")):
            classes.setdefault(word, []).append("{" + group + "}")
    return classes


def _finding(row: Row) -> tuple[Row, Entry]:
    names = row.cells["finding"]
    if names == NO_FINDING:
        return row, Entry("mask", row.cells["pattern"], row.place)
    absent = names.startswith("no ")
    findings = tuple(names.removeprefix("no ").split())
    if unknown := set(findings) - _known_findings():
        raise row.error(f"no rule in definitions.toml speaks of {', '.join(sorted(unknown))}")
    return row, Entry("finding", row.cells["pattern"], row.place, findings, absent)


def _cue(row: Row) -> tuple[Row, Entry]:
    kind, stands, scope = row.cells["kind"], row.cells["stands"], row.cells["scope"]
    if kind not in _KINDS:
        raise row.error(f"kind must be one of {', '.join(sorted(_KINDS))}, not {kind!r}")
    if kind in _CUES and (stands not in _STANDS or scope not in _SCOPES):
        raise row.error(
            f"a cue stands before, after or both, with scope next, item or list; found {stands!r}, {scope!r}"
        )
    return row, Entry(kind, row.cells["pattern"], row.place, stands=stands, scope=scope)
