"""With which condition a search begins, and what is then looked up for each candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from broadstreet.store.index import kinds
from broadstreet.store.query.sql import Dialect, Sql, sample
from broadstreet.store.query.terms import ORDERS, Has, Match, Slice, Term, Window, by_position, describe

SAMPLED: Final = 256
"""Rows that are read of a condition's index to guess how many there are."""
FEW: Final = 64
"""A condition with fewer rows is begun with, without a look at the others."""
MOST_READ: Final = 32_768
"""Rows of a second condition that are read as a whole: some 5 ms, by their keys alone."""
A_PROBE: Final = 32
"""So many of those rows cost what one probe does."""

UNKNOWN: Final = 16
"""So many times more rows than sampled are assumed where it cannot be told how far they reach."""

Run = Callable[[Sql], list[Any]]


@dataclass(frozen=True)
class Estimate:
    """About how many rows a condition has: exactly so many, or from how densely the first of them lie."""

    rows: int
    exact: bool
    blind: bool = False
    """Whether nothing tells how far they reach, and so many are merely assumed."""
    between: tuple[int, int] = (0, 0)
    """Between which positions those lie that were read to tell."""

    @property
    def reach(self) -> int:
        """Over how many positions those spread that were read to tell."""
        return self.between[1] - self.between[0]

    def __str__(self) -> str:
        return f"{self.rows:,} rows" if self.exact else f"about {self.rows:,} rows"


@dataclass(frozen=True)
class Step:
    """A condition in a plan.

    Attributes
    ----------
    condition
        What it asks for, without any value of it.
    table
        The index that answers it; empty where the position alone does.
    estimate
        How many rows it has, where that was asked.
    slices
        How many stretches of the clustered key are read and merged, if the search begins with it.
    """

    condition: str
    table: str
    estimate: Estimate | None = None
    slices: int = 0

    def __str__(self) -> str:
        told = f"{self.condition} ({self.table}" if self.table else f"{self.condition} (position"
        if self.slices:
            told += f", {self.slices} slice{'s' if self.slices > 1 else ''} of its key"
        return f"{told}; {self.estimate})" if self.estimate else f"{told})"


@dataclass(frozen=True)
class Plan:
    """How a search is done; `str` tells it in lines.

    Attributes
    ----------
    type, at
        What is searched, and at which position.
    drive
        The condition that the search begins with.
    probes
        What is looked up for each candidate, in this order.
    order
        In which order results come.
    most
        Rows that are examined for one page at most.
    whole
        The condition of which all rows are read instead, where few candidates meet what is probed.
    """

    type: str
    at: int
    drive: Step
    probes: tuple[Step, ...]
    order: str
    most: int
    whole: Step | None = None

    def __str__(self) -> str:
        lines = [f"{self.type} at position {self.at}", f"  read  {self.drive}"]
        lines += [f"  probe {step}" for step in self.probes]
        if self.whole:
            lines.append(f"  or read all of {self.whole}, where few candidates meet it")
        lines.append(f"  order {self.order}; at most {self.most:,} rows examined a page")
        return "\n".join(lines)


class Zone(NamedTuple):
    """Positions between which most rows of a condition are likely to lie."""

    first: int
    last: int


class Whole(NamedTuple):
    """A condition of which all rows are read, and where most of them lie, if that is a small part of all."""

    term: Has
    zone: Zone | None


@dataclass(frozen=True)
class Chosen:
    """The drive of a search, by its number among those that it could begin with, and the rest."""

    number: int
    drive: Has
    others: tuple[Term, ...]
    estimates: dict[int, Estimate] = field(default_factory=dict)

    def told(self, type: str, at: int, most: int, dialect: Dialect) -> Plan:
        """Return the plan for people."""
        drive = self._read(self.drive)
        second = self.second(MOST_READ // A_PROBE, most, at) if dialect.intersects else None
        probes = tuple(
            Step(describe(term), _tables(term), self.estimates.get(id(term))) for term in self.others
        )
        whole = self._read(second.term) if second else None
        return Plan(type, at, drive, probes, ORDERS[self.drive.kind].told, most, whole)

    def estimated(self, run: Run, dialect: Dialect) -> Chosen:
        """Return the same with estimates of all that is probed and could be read as a whole."""
        estimates = dict(self.estimates)
        readable = [term for term in self.others if isinstance(term, Has) and term.drives]
        for term in (self.drive, *readable) if readable else ():
            if id(term) not in estimates:
                estimates[id(term)] = _estimate(term, run, dialect)
        return replace(self, estimates=estimates)

    def second(self, candidates: int, chunk: int, at: int) -> Whole | None:
        """Return the condition of which reading all rows is likely to cost less than so many probes.

        Where its rows are in the order of positions, of `at`, none are read but those between the candidates
        of a chunk.
        """
        most = min(MOST_READ, candidates * A_PROBE)
        share = self._share(chunk, at)
        known = [(self._read_of(term, share), number) for number, term in enumerate(self.others)]
        fit = [(rows, number) for rows, number in known if rows is not None and rows <= most]
        term = self.others[min(fit)[1]] if fit else None
        return Whole(term, self._zone(term, chunk, at)) if isinstance(term, Has) else None

    def at_once(self, wanted: int, chunk: int, at: int) -> Whole | None:
        """Return the condition of which all rows are read from the first, for no more than few can meet it.

        So it is where its rows lie in a zone, while candidates come from all positions.
        """
        drive, whole = self.estimates.get(id(self.drive)), self.second(chunk, chunk, at)
        if drive is None or drive.exact or whole is None or whole.zone is None or self._share(chunk, at) < 1:
            return None
        needed = wanted * at // max(whole.zone.last - whole.zone.first, 1)
        return whole if self.estimates[id(whole.term)].rows <= min(needed, chunk) * A_PROBE else None

    def _share(self, chunk: int, at: int) -> float:
        """Return over about which part of all positions so many candidates spread."""
        drive = self.estimates.get(id(self.drive))
        if drive is None or drive.exact:
            return 1
        return min(drive.reach * chunk / (SAMPLED * max(at, 1)), 1)

    def _zone(self, term: Has, chunk: int, at: int) -> Zone | None:
        """Return where most rows of a term lie, if few candidates do; what is later is taken to lie later."""
        estimate = self.estimates[id(term)]
        if by_position(term.kind) or estimate.exact:
            return None
        first, last = estimate.between
        reach = estimate.reach * estimate.rows // SAMPLED
        zone = Zone(first - reach - reach // 4, last + reach // 4)
        inside = (zone.last - zone.first) * chunk / max(at, 1)
        return zone if inside * A_PROBE < estimate.rows / 4 else None

    def _read_of(self, term: Term, share: float) -> int | None:
        """Return about how many rows of a term are read beside candidates; None if that is not known."""
        estimate = self.estimates.get(id(term))
        if estimate is None or estimate.blind or not isinstance(term, Has):
            return None
        return int(estimate.rows * share) if by_position(term.kind) else estimate.rows

    def _read(self, term: Has) -> Step:
        slices = sum(len(rows.slices) for rows in term.rows)
        return Step(describe(term), term.kind.table, self.estimates.get(id(term)), slices)


def choose(
    terms: Sequence[Term], every: Has, at: int, run: Run, dialect: Dialect, number: int | None = None
) -> Chosen:
    """Choose the condition that the fewest rows have; or the one with a number, as on the page before.

    Raises
    ------
    ValueError
        If there is no drive of that number.
    """
    within = _window(terms, at)
    drives = [term for term in terms if isinstance(term, Has) and term.drives]
    if not drives or len(within) > 1:
        drives.append(every)
    if number is not None and number >= len(drives):
        raise ValueError("the page token belongs to another search: begin again without it")
    bounded = [_bounded(drive, within) for drive in drives]
    guesses: dict[int, Estimate] = {}
    if number is None:
        guesses = _estimates(bounded, run, dialect) if len(drives) > 1 else {}
        number = min(guesses, key=lambda n: (guesses[n].rows, n)) if guesses else 0
    others = tuple(term for term in terms if term is not drives[number])
    told = {id(bounded[n] if n == number else drives[n]): guess for n, guess in guesses.items()}
    return Chosen(number, bounded[number], tuple(sorted(others, key=_cost)), told)


def _window(terms: Sequence[Term], at: int) -> tuple[Match, ...]:
    """Return the bounds on positions that all terms together set."""
    windows = [term for term in terms if isinstance(term, Window)]
    last = min([at, *(window.last for window in windows)])
    upper = (Match("since", "<=", last),)
    first = max((window.first for window in windows), default=0)
    return (*upper, Match("since", ">=", first)) if windows else upper


def _bounded(drive: Has, within: tuple[Match, ...]) -> Has:
    """Bound the positions that are read, where rows are in their order."""
    if not by_position(drive.kind):
        return drive
    rows = tuple(
        replace(one, slices=tuple(Slice(slice.fixed, slice.bounds + within) for slice in one.slices))
        for one in drive.rows
    )
    return replace(drive, rows=rows)


def _estimates(drives: Sequence[Has], run: Run, dialect: Dialect) -> dict[int, Estimate]:
    """Estimate drives, those first that are likely to have few rows; one that has few ends it."""
    found: dict[int, Estimate] = {}
    for number in sorted(range(len(drives)), key=lambda n: _PRIORITY[drives[n].kind]):
        found[number] = _estimate(drives[number], run, dialect)
        if found[number].rows <= FEW:
            break
    return found


def _estimate(drive: Has, run: Run, dialect: Dialect) -> Estimate:
    """Count the first rows; if there are more, go by the part of the whole stretch that those cover."""
    ((count, low, high, first, last),) = run(sample(drive, SAMPLED, dialect))
    if count < SAMPLED:
        return Estimate(count, exact=True)
    begin = _begin(drive)
    if isinstance(high, str) or begin is None or high <= low:
        return Estimate(SAMPLED * UNKNOWN, exact=False, blind=True, between=(first, last))
    rows = int(SAMPLED * max((high - begin) / (high - low), 1))
    return Estimate(rows, exact=False, between=(first, last))


def _begin(drive: Has) -> Any:
    """Return the lowest value that the bounds of a drive leave open; None if there is no such bound."""
    if by_position(drive.kind):
        return 0
    tests = [test for rows in drive.rows for slice in rows.slices[:1] for test in slice.bounds]
    return max((test.value for test in tests if test.operator.startswith(">")), default=None)


def _tables(term: Term) -> str:
    if isinstance(term, Has):
        return term.kind.table
    if isinstance(term, Window):
        return ""
    inner = (term.term,) if not hasattr(term, "terms") else term.terms
    return ", ".join(dict.fromkeys(name for one in inner if (name := _tables(one))))


def _cost(term: Term) -> int:
    """Order probes: positions first, then one key, then whatever is made of several."""
    if isinstance(term, Window):
        return 0
    return len(term.rows) if isinstance(term, Has) else 1_000


_PRIORITY: Final = {
    kinds.REFERENCE: 0,
    kinds.COMPOSITE: 1,
    kinds.URI: 2,
    kinds.TOKEN: 3,
    kinds.STRING: 4,
    kinds.QUANTITY: 5,
    kinds.NUMBER: 6,
    kinds.DATE: 7,
}
"""Which conditions are likely to have few rows."""
