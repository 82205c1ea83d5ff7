"""An inference with all that it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadstreet.analysis.transmission.alike import kinds
from broadstreet.analysis.transmission.belief import Belief
from broadstreet.analysis.transmission.chains import Sampled, State
from broadstreet.analysis.transmission.declared import Declared
from broadstreet.analysis.transmission.evidence import Evidence
from broadstreet.analysis.transmission.intervals import Interval
from broadstreet.analysis.transmission.linelist import LineList
from broadstreet.analysis.transmission.pairs import Pairs
from broadstreet.analysis.transmission.posterior import Posterior
from broadstreet.analysis.transmission.rates import Rates
from broadstreet.analysis.transmission.settings import Settings
from broadstreet.analysis.transmission.stays import Stays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Study:
    """Cases, evidence, fitted rates and probabilities. `tables` are what came in, for a later update.

    `independent` are the rates as fitted before sampling, each case by itself; `news` is how many cases were
    new, changed or gone since the last fresh run.
    """

    settings: Settings
    cases: LineList
    contacts: Declared
    stays: Stays
    evidence: Evidence
    rates: Rates
    independent: Rates
    posterior: Posterior
    serial: Interval
    rounds: int
    cyclic: bool = False
    belief: Belief | None = None
    dispersion: float | None = None
    news: int = 0
    sampler: dict[str, Any] = field(default_factory=dict)
    state: State = field(default_factory=State)
    tables: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def with_sampled(self, sampled: Sampled) -> Study:
        """Take what chains say."""
        self.posterior, self.rates, self.state = sampled.posterior, sampled.rates, sampled.state
        self.dispersion, self.sampler = sampled.dispersion, sampled.diagnostics
        return self

    def kinds(self) -> Ints:
        """Return the kind of each case: those of one kind are told apart by nothing."""
        return kinds(self.cases, self.contacts, self.stays)

    @property
    def pairs(self) -> Pairs:
        """Return the candidate pairs."""
        return self.evidence.pairs

    @property
    def given_serial(self) -> Interval:
        """Return the serial interval as given."""
        return self.settings.serial

    def labels(self, days: Floats) -> list[Any]:
        """Return days as people write them: ISO dates where dates were given."""
        if not self.cases.dated:
            return [None if np.isnan(day) else int(day) for day in days.tolist()]
        return [None if np.isnan(day) else str(np.datetime64(int(day), "D")) for day in days.tolist()]

    def diagnostics(self) -> dict[str, Any]:
        """Return how the result came about."""
        rates, evidence = self.rates, self.evidence
        held = {
            "method": self.posterior.method,
            "cases": self.pairs.size,
            "candidate_pairs": len(self.pairs.infector),
            "share_of_pairs_kept": self.pairs.thinned,
            "rounds": self.rounds,
            "score": self.posterior.score,
            "rates": self._relative_rates(),
            "reach": rates.reach if evidence.distance.size else None,
            "share_from_outside": float(self.posterior.outside.mean()) if self.pairs.size else None,
            "share_seen": rates.reported,
            "share_seen_95": self.settings.priors.reported.middle(),
            "share_seen_from": "as believed: a line list does not tell how many cases are missing from it",
            "contacts_recalled": rates.recall if evidence.declared.size else None,
            "contacts_false": rates.false if evidence.declared.size else None,
            "dispersion": self.dispersion,
            "serial_interval": (self.serial.mean, self.serial.sd),
            "onsets_missing": int(np.isnan(self.cases.days["onset"]).sum()),
            "sampler": self.sampler or None,
        }
        return held

    def _relative_rates(self) -> dict[str, float]:
        """Return how much likelier a pair of each kind is a link than any two cases."""
        rates, base = self.rates, max(self.rates.anyone, 1e-300)
        told = {"any two cases": 1.0}
        for name, found, exposure in zip(
            self.cases.groups, rates.groups, self.evidence.exposure_groups, strict=True
        ):
            mean = float((found * exposure).sum() / exposure.sum()) if exposure.sum() > 0.0 else 0.0
            told[f"same {name}"] = (mean + rates.anyone) / base
        if self.evidence.distance.size:
            told["next to each other"] = (rates.near + rates.anyone) / base
        return told
