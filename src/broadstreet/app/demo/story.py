"""The outcome of a demonstration in sentences, the same for the terminal and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broadstreet.app.demo.conductor import Plan
from broadstreet.app.demo.page import Rows, Story
from broadstreet.app.demo.verdict import Found, Verdict
from broadstreet.app.status import alarm_of
from broadstreet.app.words import counted, group_in_words, in_words, stream_in_words
from broadstreet.model.records import Signal, Stratum

MOST_OTHERS = 40


@dataclass(frozen=True)
class Numbers:
    """How the run went; `rate` in messages a second while the clinics sent."""

    messages: int
    accepted: int
    refused: int
    rate: float
    seconds: float


def story_of(plan: Plan, verdict: Verdict, numbers: Numbers, names: Mapping[str, str]) -> Story:
    """Return what is to be told.

    Parameters
    ----------
    plan, verdict, numbers
        What was done, what came out, how it went.
    names
        Names of districts by code.
    """
    truth = verdict.truth
    where = f"{names.get(truth.district, truth.district)} ({truth.district})"
    return Story(
        title="An outbreak in a simulated city, and how soon it was seen",
        lead=lead(verdict, where),
        injected=injected(verdict, where),
        found=_found(verdict, names),
        others=_others(verdict, names),
        limits=limits(verdict),
        run=_run(plan, numbers),
        alt=_alt(verdict, where),
    )


def lead(verdict: Verdict, where: str) -> str:
    """Return the outcome in one or two sentences."""
    truth, first = verdict.truth, verdict.first
    what = f"{truth.size} extra visits ({stream_in_words(truth.syndrome)}) around {where}"
    hidden = f"{what} were hidden among the messages of the clinics"
    if first is None:
        return f"{hidden}. They were not found."
    place = "the city" if first.evidence.where.place == "city" else where
    return f"{hidden}. The hub signalled them in {place} {_days(first.late)} after they began."


def injected(verdict: Verdict, where: str) -> Rows:
    """Return what was injected."""
    truth = verdict.truth
    length = (truth.end - truth.start).days + 1
    return (
        ("Cause", truth.cause or "not told"),
        ("Syndrome", stream_in_words(truth.syndrome)),
        ("Home district", where),
        ("When", f"{truth.start} to {truth.end} ({_days(length)})"),
        ("Visits", str(truth.size)),
    )


def _found(verdict: Verdict, names: Mapping[str, str]) -> Rows:
    if not verdict.found:
        return (("Signals of it", "none: it was missed"),)
    rows = [(_of_whom(each.evidence.where, names), _one_found(each)) for each in verdict.found]
    return tuple(rows)


def _of_whom(where: Stratum, names: Mapping[str, str]) -> str:
    return group_in_words(where.place, where.stratum, names)


def _one_found(found: Found) -> str:
    evidence = found.evidence
    seen = f": {evidence.observed} visits, {evidence.expected:.1f} expected ({evidence.method})"
    return f"signalled at the close of {found.alarm}, {_days(found.late)} after the start{seen}"


def _others(verdict: Verdict, names: Mapping[str, str]) -> Sequence[str]:
    if not (verdict.echoes or verdict.others or verdict.withdrawn):
        return []
    signals = sorted((*verdict.echoes, *verdict.others), key=lambda each: each.since)
    told = [_one_other(signal, names) for signal in signals]
    more = [f"and {len(told) - MOST_OTHERS} more"] if len(told) > MOST_OTHERS else []
    return [f"{summary(verdict)}.", *told[:MOST_OTHERS], *more]


def summary(verdict: Verdict) -> str:
    """Return how many other signals there were, honestly."""
    others = Counter("the city" if s.where.place == "city" else "districts" for s in verdict.others)
    count = len(verdict.others)
    text = f"{count} false alarm{'s' if count != 1 else ''}"
    if count:
        text += f" ({', '.join(f'{n} in {place}' for place, n in sorted(others.items()))})"
    if verdict.echoes:
        text += f"; {len(verdict.echoes)} at the place and time of the outbreak under another syndrome"
    if verdict.withdrawn:
        text += f"; {len(verdict.withdrawn)} withdrawn when counts were corrected"
    if verdict.silent:
        text += f"; {counted(len(verdict.silent), 'source')} sent less than usual for some days"
    return text


def limits(verdict: Verdict) -> Sequence[str]:
    """Return how far the signals may be trusted, and what they do not tell."""
    of_it, beside = len(verdict.found), len(verdict.echoes)
    total = of_it + beside + len(verdict.others)
    more = f", {beside} more at its place and time under another syndrome" if beside else ""
    shares = f"{of_it} of {total} signals in this run are of the outbreak{more}. " if total else ""
    return (
        f"{shares}A signal is a reason to look, not proof of an outbreak: many series are tested"
        " each day, and some stand out by chance.",
        "It does not say what the cause is, who infected whom or where: a place is where the patients live.",
        "Visits are counted by what complaints and diagnoses say, unconfirmed;"
        " who sought no care is not counted.",
        "The days of an outbreak enter what is expected of later days, though they count for less: a second"
        " wave soon after may be missed.",
        "The city is simulated, and only therefore the truth is known here.",
    )


def _one_other(signal: Signal, names: Mapping[str, str]) -> str:
    return in_words(alarm_of(signal), names)


def _run(plan: Plan, numbers: Numbers) -> Rows:
    return (
        ("Clinics", f"{plan.clinics}, each a process of its own"),
        ("Days", f"{plan.days} from {plan.start} ({plan.zone})"),
        ("Messages", f"{numbers.messages:,} HL7 v2 over MLLP"),
        ("Accepted", f"{numbers.accepted:,}; {numbers.refused:,} refused into quarantine"),
        ("Rate", f"{numbers.rate:,.0f} messages a second, each durable before it was acknowledged"),
        ("Duration", f"{numbers.seconds:.0f} seconds"),
        ("Seed", f"{plan.seed} (the hub never saw it)"),
    )


def _alt(verdict: Verdict, where: str) -> str:
    truth = verdict.truth
    first = f"The first signal is on {verdict.first.alarm}." if verdict.first else "There is no signal of it."
    return (
        f"Two charts of daily visits for {stream_in_words(truth.syndrome)}, in {where} and in the whole city,"
        f" with the expected number and the band of quiet days. The outbreak from {truth.start} to"
        f" {truth.end} is shaded. {first} The tables below hold the numbers."
    )


def _days(number: int) -> str:
    return f"{number} day{'s' if number != 1 else ''}"
