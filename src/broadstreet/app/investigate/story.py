"""What was found, in sentences: for the page and for the terminal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.app.investigate import shares
from broadstreet.app.investigate.investigation import Investigation, best_times
from broadstreet.app.investigate.sentences import counted, percent

_LIKELY, _SURE = 0.5, 0.8
# Chains of the sampler that differ so much for a case (total variation) do not agree on it.
_APART = 0.3


@dataclass(frozen=True, slots=True)
class Tile:
    """A number, and what it counts."""

    number: str
    what: str


def lead(found: Investigation) -> list[str]:
    """Return what was found, the most important first."""
    said = [_cases(found)]
    if found.links is not None and found.belief.contradiction:
        said.append(found.belief.contradiction)
    if found.sites is not None:
        said.append(_site(found))
    if found.places is not None:
        said.append(_place(found))
    if found.links is not None:
        said += [_index(found), *([_links(found)] if len(found.cases.ids) > 1 else []), *_unsure(found)]
        if impossible := len(found.links.impossible["case"]):
            said.append(f"{counted(impossible, 'declared link')} cannot be.")
    if found.aside:
        said.append(
            f"{counted(len(found.aside), 'row')} of the files could not be used; each is listed below."
        )
    return said


def tiles(found: Investigation) -> list[Tile]:
    """Return the numbers that come first."""
    shown = [Tile(f"{(cases := len(found.cases.ids)):,}", f"case{'' if cases == 1 else 's'} analysed")]
    shown.append(Tile(f"{len(found.aside):,}", f"row{'' if len(found.aside) == 1 else 's'} set aside"))
    if found.links is not None:
        best = _best(found)
        shown.append(
            Tile(f"{sum(p >= _LIKELY for p in best):,}", "cases with a probable infector (50 % or more)")
        )
        shown.append(Tile(f"{sum(p >= _SURE for p in best):,}", "of them nearly sure (80 % or more)"))
    if found.places is not None:
        shown.append(
            Tile(percent(found.places.places["probability"][0]), f"for {found.places.places['place'][0]}")
        )
    if found.sites is not None:
        shown.append(
            Tile(percent(found.sites.sites["probability"][0]), f"for {found.sites.sites['site'][0]}")
        )
    return shown


def _cases(found: Investigation) -> str:
    cases = found.cases
    if not cases.ids:
        return "No case of the list could be used: each row is listed with its reason."
    onsets = [day for day in cases.days.get("onset", []) if day is not None]
    told = counted(len(cases.ids), "case")
    if not onsets:
        return f"{told}."
    first, last = cases.label(min(onsets)), cases.label(max(onsets))
    when = f"on {first}" if first == last else f"from {first} to {last}"
    missing = len(cases.ids) - len(onsets)
    return f"{told} fell ill {when}" + (
        f"; of {missing:,} the day of onset is not known." if missing else "."
    )


def _site(found: Investigation) -> str:
    assert found.sites is not None
    ranking = found.sites
    sites = {name: column[0] for name, column in ranking.sites.items()}
    how = "by walking" if ranking.walking else "as the crow flies"
    return (
        f"{sites['site']} explains where the cases are best, with a probability of "
        f"{percent(sites['probability'])}: "
        f"{counted(sites['nearest'], 'case has', 'cases have')} no nearer site {how}, where "
        f"{sites['expected']:.0f} were expected."
    )


def _place(found: Investigation) -> str:
    assert found.places is not None
    ranking = found.places
    top = {name: column[0] for name, column in ranking.places.items()}
    cases, expected = best_times(found)[top["place"]]
    when = f"on {top['first']}" if top["first"] == top["last"] else f"from {top['first']} to {top['last']}"
    return (
        f"A common source has a probability of {percent(ranking.common_source)}; the most probable one is "
        f"{top['place']} "
        f"{when}, with {percent(top['probability'])}: {cases} of "
        f"{counted(len(ranking.cases['case']), 'case')} report it then, "
        f"{expected:.1f} were expected; on all days {top['cases']} report it, "
        f"{top['expected']:.1f} were expected."
    )


def _index(found: Investigation) -> str:
    assert found.links is not None
    sources = found.links.sources
    likely = [
        f"{name} ({percent(chance)})"
        for name, chance in zip(sources["case"], sources["probability"], strict=True)
        if chance >= _LIKELY
    ]
    if not likely:
        return (
            "No case is probably one with which a chain begins; the likeliest is "
            f"{sources['case'][0]} ({percent(sources['probability'][0])})."
        )
    some = ", ".join(likely[:5]) + (f" and {len(likely) - 5} more" if len(likely) > 5 else "")
    word = "A chain begins" if len(likely) == 1 else "Chains begin"
    return f"{word}, with no case of the list before it, with: {some}."


def _links(found: Investigation) -> str:
    best = _best(found)
    return (
        f"For {sum(p >= _LIKELY for p in best):,} of {len(best):,} cases one infector of the list is more "
        "probable than "
        f"all others together. The probability of the best infector is {percent(float(np.mean(best)))} on "
        "average."
    )


def _unsure(found: Investigation) -> list[str]:
    """Return what makes probabilities of single links less sure than they look."""
    assert found.links is not None
    told, said = found.links.diagnostics, []
    if found.places is not None and found.places.common_source > _LIKELY:
        said.append(
            "The tree supposes that cases infect each other: it says little where a common source is so "
            "probable."
        )
    if (kept := told["share_of_pairs_kept"]) < 1.0:
        said.append(
            "So many pairs of cases fit the dates that of those that nothing but dates speaks for only "
            f"{percent(kept)} were weighed."
        )
    if told["sampler"] and told["sampler"].get("largest_difference_between_chains", 0.0) > _APART:
        said.append(
            "Who infected whom could not be settled for some cases: with another --seed other links come "
            "first."
        )
    return said


def _best(found: Investigation) -> NDArray[np.float64]:
    """Return the probability of each case's most probable infector in the list."""
    assert found.links is not None
    study = found.links.study
    best = np.zeros(len(found.cases.ids))
    np.maximum.at(best, study.pairs.case(), study.posterior.pair)
    return best


def cautions(found: Investigation) -> list[str]:
    """Return what must be kept in mind."""
    said = []
    if found.links is not None:
        said += [
            "A link is a probability, not a fact: it says who fits best among the cases of this list by "
            "what the list "
            "tells. It does not prove that one person infected another, and is no ground to blame anybody.",
            "Cases that are not in the list cannot be named as infectors. Where many are missing, a link "
            f"may skip one. {shares.caution(found)}",
            "More chains begin than are named: of an infector who is not in the list it is supposed that the "
            "list leads to them.",
            "Dates told wrongly move links: an onset that is a few days off makes another infector look "
            "better.",
        ]
        kept = found.links.diagnostics["share_of_pairs_kept"]
        if kept < 1.0:
            said.append(
                "Pairs of cases were left out evenly where nothing but dates speaks for them: a true "
                "infector may be among them. Divide the list, by area or by time."
            )
        if not found.cases.groups and not found.links.study.contacts.source.size:
            said.append(
                "Only dates tell the cases of this list apart. Many infectors then fit alike: ask for "
                "household, ward, "
                "workplace or contacts before acting on a single link."
            )
        if "exposed_from" in found.cases.days:
            said.append(
                "Exposure windows were written down by people who may have had an infector in mind; what "
                "agrees with "
                "them is not independent of that."
            )
    if found.places is not None:
        said += [
            "Cases remember the place that they suspect better than others do: ask cases and controls with "
            "the same "
            "questions. Places with the same visitors cannot be told apart by visits alone.",
            "That a place comes first among those reported does not mean that the source is among them.",
        ]
    if found.sites is not None:
        said += [
            "Cases in one house are not independent, so that probabilities on the map are surer than they "
            "should be; "
            "their order is not affected.",
            "Without a population, people are taken to live evenly along the streets"
            + ("." if found.sites.walking else ", or over the rectangle of the map."),
        ]
    said.append(
        "Who was not tested or did not seek care is not in the list; the newest cases may not be in yet."
    )
    return said
