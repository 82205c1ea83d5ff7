"""Which share of the cases is in the list, and which was infected from outside: as believed, as learned."""

from __future__ import annotations

from broadstreet.analysis.transmission.settings import Share
from broadstreet.app.investigate.investigation import Investigation
from broadstreet.app.investigate.sentences import percent


def seen(found: Investigation) -> str:
    """Say which share of the cases is taken to be in the list."""
    assert found.links is not None
    share = percent(found.links.diagnostics["share_seen"])
    return (
        f"{share}, believed: the list cannot tell it"
        if isinstance(found.reported, tuple)
        else f"{share}, as given"
    )


def outside(found: Investigation) -> str:
    """Say which share of the cases is taken to be infected from outside."""
    assert found.links is not None
    return _share(found.importation, found.links.diagnostics["share_from_outside"])


def caution(found: Investigation) -> str:
    """Say how far the share of cases in the list can be trusted."""
    assert found.links is not None
    share = percent(found.links.diagnostics["share_seen"])
    if not isinstance(found.reported, tuple):
        return f"{share} of the cases are taken to be in the list, as given: if that is wrong, so are links."
    return (
        f"{share} of the cases are taken to be in the list. The list cannot tell that, and how probable"
        " nobody of it is as an infector follows from it: where it is known, as from a survey or from"
        " contacts who were all tested, say --reported SHARE."
    )


def _share(believed: Share, learned: float) -> str:
    if not isinstance(believed, tuple):
        return f"{percent(believed)}, as given"
    share, weight = believed
    believed_first = f"{percent(share)} believed beforehand (as {weight:g} cases tell)"
    return f"{believed_first}; with these cases {percent(learned)}"
