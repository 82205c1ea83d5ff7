"""Who infected whom: what an inference found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.columns import Table, read
from broadstreet.analysis.frame import Frame
from broadstreet.analysis.transmission.arborescence import most_probable
from broadstreet.analysis.transmission.dates import is_missing
from broadstreet.analysis.transmission.impossible import impossible_links
from broadstreet.analysis.transmission.linelist import key_of
from broadstreet.analysis.transmission.reasons import Reasons
from broadstreet.analysis.transmission.scoring import Evaluation, combine, score_case

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHOWN = 0.001
_LEAD = 4.0


@dataclass
class Transmission:
    """Who infected whom, with probabilities.

    Tables are :class:`~broadstreet.analysis.frame.Frame`: mappings of columns that any library with the Arrow
    PyCapsule interface takes. Ids are text. Days are ISO dates where dates were given, else numbers.
    """

    study: Study
    draws: Ints = field(repr=False)

    @cached_property
    def infectors(self) -> Frame:
        """Return `case, infector, probability, reasons`, the most probable of each case first.

        `infector` None means: imported, or infected by someone who is not in the list.
        """
        pairs, found = self.study.pairs, self.study.posterior
        nobody = found.nobody()
        reasons = self._reasons
        rows: list[tuple[str, str | None, float, str]] = []
        for case, name in enumerate(self._names):
            first, last = pairs.start[case], pairs.start[case + 1]
            chance = np.append(found.pair[first:last], nobody[case])
            for at in np.argsort(-chance, kind="stable").tolist():
                if chance[at] < _SHOWN:
                    break
                if at == last - first:
                    told = reasons.nobody(
                        float(found.outside[case]), float(found.unseen[:, case].sum()), int(at)
                    )
                    rows.append((name, None, float(chance[at]), told))
                    continue
                infector = int(pairs.infector[first + at])
                rows.append((name, self._names[infector], float(chance[at]), reasons.link(infector, case)))
        names = ("case", "infector", "probability", "reasons")
        return Frame({column: [row[k] for row in rows] for k, column in enumerate(names)})

    @cached_property
    def tree(self) -> Frame:
        """Return the most probable tree: `case, infector, probability, onset, infector_onset, unseen`.

        `unseen` is the most probable number of unseen cases between, where the infector is None and not
        imported.
        """
        pairs, found = self.study.pairs, self.study.posterior
        size = pairs.size
        nobody = found.nobody()
        source = np.concatenate([pairs.infector.astype(np.int64), np.full(size, size)])
        target = np.concatenate([pairs.case().astype(np.int64), np.arange(size)])
        chance = np.concatenate([found.pair, nobody])
        held = (chance > 1e-6) | (source == size)
        source, target, chance = source[held], target[held], chance[held]
        edge = most_probable(source, target, np.log(np.maximum(chance, 1e-12)), size)
        infector = source[edge]
        links = np.argmax(np.vstack([found.outside, found.unseen]), axis=0) if size else np.zeros(0, np.int64)
        onset = self._onset
        return Frame(
            {
                "case": self._names,
                "infector": [None if j == size else self._names[j] for j in infector.tolist()],
                "probability": chance[edge],
                "onset": onset,
                "infector_onset": [None if j == size else onset[j] for j in infector.tolist()],
                "unseen": [
                    int(links[i]) if j == size and links[i] else None for i, j in enumerate(infector.tolist())
                ],
            }
        )

    @cached_property
    def sources(self) -> Frame:
        """Return `case, probability, unseen, onset`: of being an index case (infected from outside), highest
        first.

        `unseen` is the probability of an infector who is not in the list, but infected by one of the list.
        """
        outside, unseen = self.study.posterior.outside, self.study.posterior.unseen.sum(axis=0)
        order = np.argsort(-outside, kind="stable").tolist()
        return Frame(
            {
                "case": [self._names[i] for i in order],
                "probability": outside[order],
                "unseen": unseen[order],
                "onset": [self._onset[i] for i in order],
            }
        )

    @cached_property
    def impossible(self) -> Frame:
        """Return declared links that cannot be: `infector, case, row, why`."""
        study = self.study
        return impossible_links(study.cases, study.contacts, study.serial, _LEAD)

    @cached_property
    def reproduction(self) -> Reproduction:
        """Return how many cases of the list each case infected, and over time."""
        return Reproduction(*_reproduction(self))

    @cached_property
    def generation(self) -> Generation:
        """Return the interval from case to case as learned, and which generation each case belongs to."""
        return Generation(*_generation(self))

    @property
    def set_aside(self) -> Frame:
        """Return the rows that could not be used: `table, row, id, why`."""
        rows = [*self.study.cases.set_aside, *self.study.contacts.set_aside, *self.study.stays.set_aside]
        return Frame({name: [getattr(row, name) for row in rows] for name in ("table", "row", "id", "why")})

    @property
    def diagnostics(self) -> dict[str, Any]:
        """Return how the result came about: method, rounds, fitted rates, and what was noticed."""
        return self.study.diagnostics()

    def evaluate(self, truth: Table, *, nobody: bool = False) -> Evaluation:
        """Score the infectors against the truth.

        Parameters
        ----------
        truth : table
            Columns `case` and `infector`; a missing infector means that no case of the list infected it.
        nobody : bool
            Whether cases without an infector in the list are scored too: "nobody in the list" is then the
            truth, and one of the answers. Else probabilities are those given that the infector is in the
            list.

        Raises
        ------
        ValueError
            If no case can be scored.
        """
        held = read(truth, "truth", ("case", "infector"))
        position = {name: at for at, name in enumerate(self._names)}
        pairs, found = self.study.pairs, self.study.posterior
        none = found.nobody()
        scores = []
        for case, infector in zip(held["case"].tolist(), held["infector"].tolist(), strict=True):
            at = position.get(key_of(case))
            by = None if is_missing(infector) else position.get(key_of(infector))
            if at is None or (by is None and not nobody):
                continue
            first, last = pairs.start[at], pairs.start[at + 1]
            chance = np.append(found.pair[first:last], none[at] if nobody else 0.0)
            chance = chance / max(float(chance.sum()), 1e-300)
            among = (
                np.flatnonzero(pairs.infector[first:last] == by)
                if by is not None
                else np.array([last - first])
            )
            scores.append(score_case(chance, int(among[0]) if among.size else -1))
        return combine(scores)

    def update(
        self,
        cases: Table | None = None,
        *,
        contacts: Table | None = None,
        visits: Table | None = None,
        remove: Iterable[Any] = (),
    ) -> Transmission:
        """Return the result with new facts, without beginning again.

        Parameters
        ----------
        cases : table, optional
            New cases, and cases known before whose row has changed: whole rows.
        contacts, visits : table, optional
            Further rows.
        remove : iterable of ids
            Cases that turned out to be none.
        """
        from broadstreet.analysis.transmission.renewed import updated  # noqa: PLC0415  it builds on this

        return updated(self, cases, contacts, visits, remove)

    def plot(self) -> Figure:
        """Draw the most probable tree on a time axis.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed: the extra `plot`.
        """
        from broadstreet.analysis.transmission.picture import draw  # noqa: PLC0415  matplotlib is optional

        return draw(self)

    @cached_property
    def _names(self) -> list[str]:
        return [key_of(value) for value in self.study.cases.ids]

    @cached_property
    def _onset(self) -> list[Any]:
        return self.study.labels(self.study.cases.days["onset"])

    @cached_property
    def _reasons(self) -> Reasons:
        study = self.study
        declared = set(zip(study.contacts.source.tolist(), study.contacts.target.tolist(), strict=True))
        return Reasons(
            study.cases,
            study.stays,
            study.serial,
            study.settings.disease,
            declared,
            study.evidence.timing.mechanistic,
        )


@dataclass(frozen=True)
class Reproduction:
    """Cases infected by each case of the list, among the list.

    cases : `case, onset, mean, lower, upper` with 95 % credible intervals
    over_time : `day, cases, mean, lower, upper`, by day of the infector's onset
    dispersion : the shape of the gamma distribution of infectiousness; below 1 a few infect most
    """

    cases: Frame
    over_time: Frame
    dispersion: float | None


@dataclass(frozen=True)
class Generation:
    """Intervals, `day, prior, learned`, and generations, `case, mean`: 0 for a case infected from outside."""

    interval: Frame
    number: Frame
    mean: float
    sd: float


def offspring(draws: Ints, size: int) -> Ints:
    """Return how many each case infected in each draw, shape (draws, cases)."""
    counts = np.zeros((len(draws), size), np.int64)
    rows = np.repeat(np.arange(len(draws)), draws.shape[1] if draws.ndim == 2 else 0)
    flat = draws.ravel()
    np.add.at(counts, (rows[flat >= 0], flat[flat >= 0]), 1)
    return counts


def _reproduction(found: Transmission) -> tuple[Frame, Frame, float | None]:
    study = found.study
    mean = np.zeros(study.pairs.size)
    np.add.at(mean, study.pairs.infector, study.posterior.pair)
    counts = offspring(found.draws, study.pairs.size)
    lower, upper = np.quantile(counts, [0.025, 0.975], axis=0) if study.pairs.size else (mean, mean)
    by_case = Frame(
        {"case": found._names, "onset": found._onset, "mean": mean, "lower": lower, "upper": upper}
    )
    day = np.floor(study.evidence.timing.onset)
    days, at = np.unique(day, return_inverse=True)
    cases = np.bincount(at, minlength=len(days))
    by_day = np.zeros((len(counts), len(days)))
    for row, drawn in zip(by_day, counts, strict=True):
        row[:] = np.bincount(at, drawn, minlength=len(days)) / np.maximum(cases, 1)
    low, high = np.quantile(by_day, [0.025, 0.975], axis=0) if len(days) else (days, days)
    average = np.bincount(at, mean, minlength=len(days)) / np.maximum(cases, 1)
    over_time = Frame(
        {"day": study.labels(days), "cases": cases, "mean": average, "lower": low, "upper": high}
    )
    return by_case, over_time, study.dispersion


def _generation(found: Transmission) -> tuple[Frame, Frame, float, float]:
    from scipy.sparse import csr_array, eye_array  # noqa: PLC0415  a heavy part of scipy, seldom needed
    from scipy.sparse.linalg import spsolve  # noqa: PLC0415

    study = found.study
    size = study.pairs.size
    table = csr_array((study.posterior.pair, study.pairs.infector, study.pairs.start), shape=(size, size))
    hidden = study.posterior.unseen
    steps = np.asarray(table.sum(axis=1)).ravel() + hidden.T @ np.arange(2, len(hidden) + 2)
    number = spsolve((eye_array(size) - table).tocsc(), steps) if size else np.zeros(0)
    prior, learned = study.given_serial, study.serial
    low = min(prior.first, learned.first)
    days = np.arange(low, max(prior.first + len(prior.p), learned.first + len(learned.p)))
    interval = Frame({"day": days, "prior": prior.at(days), "learned": learned.at(days)})
    return interval, Frame({"case": found._names, "mean": np.atleast_1d(number)}), learned.mean, learned.sd
