"""Write what the clinics of a city send, as one file that `broadstreet send` takes."""

from __future__ import annotations

from collections.abc import Callable
from heapq import merge
from pathlib import Path

from broadstreet.app.city.whole import whole_file
from broadstreet.simulation.clinics import Clinics


def write_messages(path: Path, clinics: Clinics, progress: Callable[[int], None]) -> int:
    """Write all messages in order of sending as one whole file; return how many.

    Parameters
    ----------
    path
        Where to.
    clinics
        Who sends.
    progress
        Called after each day with its number.
    """
    desks, count = list(clinics), 0
    with whole_file(path) as part, part.open("wb") as file:
        for day in range(clinics.days):
            for _, message in merge(*(desk.messages(day) for desk in desks)):
                file.write(message + b"\n")
                count += 1
            progress(day)
    return count
