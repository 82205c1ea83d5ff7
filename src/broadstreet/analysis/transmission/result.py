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
from broadstreet.analysis.transmission.answers import infectors_table
from broadstreet.analysis.transmission.dates import is_missing
from broadstreet.analysis.transmission.draws import independent_draws
from broadstreet.analysis.transmission.generation import Generation, generation, interval_ranges
from broadstreet.analysis.transmission.impossible import impossible_links
from broadstreet.analysis.transmission.linelist import key_of
from broadstreet.analysis.transmission.reasons import Reasons
from broadstreet.analysis.transmission.reproduction import Reproduction, reproduction
from broadstreet.analysis.transmission.scoring import Evaluation, combine, score_case
from broadstreet.analysis.transmission.sources import sources_table
from broadstreet.analysis.transmission.trees import tree_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from broadstreet.analysis.transmission.study import Study

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Transmission:
    """Who infected whom, with probabilities.

    Tables are :class:`~broadstreet.analysis.frame.Frame`: mappings of columns that any library with the Arrow
    PyCapsule interface takes. Ids are text. Days are ISO dates where dates were given, else numbers.
    """

    study: Study
    sampled: Ints | None = field(default=None, repr=False)

    @cached_property
    def draws(self) -> Ints:
        """Return infectors by number, shape (draws, cases), -1 for none of the list: equally likely ones."""
        if self.sampled is not None:
            return self.sampled
        return independent_draws(self.study.pairs, self.study.posterior, self.study.settings.seed)

    @cached_property
    def infectors(self) -> Frame:
        """Return `case, infector, probability, reasons`, the most probable of each case first.

        `infector` None means: imported, or infected by someone who is not in the list. That is one answer
        where the list has many: it comes first only where it is more probable than all others together.
        Each case has as many rows as it takes to reach 99.9 %; below 0.1 % reasons are empty.
        """
        return infectors_table(self.study, self._names, self._reasons)

    @cached_property
    def tree(self) -> Frame:
        """Return the most probable tree.

        Columns `case, infector, probability, nobody, onset, infector_onset, unseen`.

        Whether a case has an infector in the list is decided first: it is a root only where `nobody`, the
        probability that it has none, is above one half, or where its links would close a cycle. Then each
        has its most probable infector, as far as cycles allow. At a root `probability` is that of `nobody`,
        and `unseen` the most probable number of unseen cases between it and the list, None where that none of
        the list came before it is more probable.
        """
        return tree_table(self.study, self._names, self._onset)

    @cached_property
    def sources(self) -> Frame:
        """Return `case, probability, unseen, onset`: where chains of the list begin, most probable first.

        `probability` is that of an index case: it has no infector in the list, nor a known one before it
        through up to three unseen. `unseen` is the probability of an infector outside of the list: they are
        taken to descend from it, so that rather too few cases are likely beginnings than too many (`python -m
        bench unseen`). At least one chain begins somewhere.
        """
        return sources_table(self.study, self.draws, self._names, self._onset)

    @cached_property
    def impossible(self) -> Frame:
        """Return declared links that cannot be: `infector, case, row, why`."""
        study = self.study
        return impossible_links(study.cases, study.contacts, study.serial)

    @cached_property
    def reproduction(self) -> Reproduction:
        """Return how many cases of the list each case infected, and over time."""
        return reproduction(self.study, self.draws, self._names, self._onset)

    @cached_property
    def generation(self) -> Generation:
        """Return the interval from case to case as learned, and which generation each case belongs to."""
        return generation(self.study, self.draws, self._names)

    @property
    def set_aside(self) -> Frame:
        """Return the rows that could not be used: `table, row, id, why`."""
        rows = [*self.study.cases.set_aside, *self.study.contacts.set_aside, *self.study.stays.set_aside]
        return Frame({name: [getattr(row, name) for row in rows] for name in ("table", "row", "id", "why")})

    @property
    def diagnostics(self) -> dict[str, Any]:
        """Return how the result came about: method, rounds, fitted rates, and what was noticed."""
        mean, sd = interval_ranges(self.study, self.draws)
        return self.study.diagnostics() | {"serial_interval_mean_95": mean, "serial_interval_sd_95": sd}

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

        Rates are fitted again, from those of before. Where more than 5 % of the cases are new, changed or
        gone since the last fresh run, it is a fresh run.

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
            study.settings.unit,
            declared,
            study.evidence.timing.mechanistic,
        )
