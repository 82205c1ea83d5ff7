"""Write the picture, the page and the tables of a run."""

from __future__ import annotations

from pathlib import Path

from broadstreet.app.city import picture
from broadstreet.app.city.page import page
from broadstreet.app.city.plan import Plan
from broadstreet.app.city.telling import courses
from broadstreet.app.city.whole import write_bytes, write_text
from broadstreet.app.city.writing import in_parts, write_table
from broadstreet.simulation.epidemic import Contamination, Outcome
from broadstreet.simulation.tables import line_list, truth_table

PICTURE, PAGE, TRUTH, LINE_LIST = "epidemic.png", "epidemic.html", "truth.csv", "linelist.csv"


def write_report(folder: Path, plan: Plan, outcome: Outcome) -> tuple[Path, ...]:
    """Write all; return where they are. With several pathogens each has a picture of its own.

    Raises
    ------
    LibraryMissing
        If matplotlib is not installed.
    """
    told, pictures = [], []
    for number, course in enumerate(courses(outcome)):
        wide = picture.as_png(picture.draw(outcome, course, number, picture.WIDE))
        narrow = picture.as_png(picture.draw(outcome, course, number, picture.NARROW))
        told.append((course, wide, narrow))
        where = folder / (PICTURE if number == 0 else f"epidemic-{course.name}.png")
        write_bytes(where, wide)
        pictures.append(where)
    names = " and ".join(course.title for course, _, _ in told)
    write_text(
        folder / PAGE, page(f"{names} in the city of {plan.city}, as simulated", asked(plan, outcome), told)
    )
    write_table(folder / TRUTH, in_parts(truth_table(outcome)))
    write_table(folder / LINE_LIST, in_parts(line_list(outcome)))
    return (*pictures, folder / PAGE, folder / TRUTH, folder / LINE_LIST)


def asked(plan: Plan, outcome: Outcome) -> list[tuple[str, str]]:
    """Return what was asked for, as names and values."""
    city, scenario = outcome.city, outcome.scenario
    first = city.configuration.first_day
    came = [
        f"{entry.count} imported with {entry.pathogen} on {_days(entry.first_day, entry.last_day)}"
        for entry in scenario.imports
    ]
    came += [
        f"{source.pathogen} from {_where(source)}, days {source.first_day} to {source.last_day}"
        for source in scenario.sources
    ]
    return [
        ("City", f"{plan.city}, {len(city.people):,} people in {len(city.districts)} districts"),
        ("Days", f"{scenario.days} from {first}"),
        ("How it came", "; ".join(came)),
        ("Seed", str(plan.seed)),
    ]


def _days(first: int, last: int | None) -> str:
    return f"day {first}" if last is None or last == first else f"each of the days {first} to {last}"


def _where(source: Contamination) -> str:
    if source.place is not None:
        return "one place"
    return f"{'the water of' if source.reach is None else 'a pump in'} {source.district}"
