"""`city`: a synthetic city is built, checked, run, exported, and asked what if."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from broadstreet.cli.city_options import Name, PlanFile, Population, Seed, Told, of_a_run
from broadstreet.cli.program import AsJson, app

group = typer.Typer(
    no_args_is_help=True, help="Build, check, run and export a synthetic city, and ask it what if."
)
app.add_typer(group, name="city")

Out = Annotated[Path, typer.Option(help="Folder for what is written.")]
Form = Annotated[str, typer.Option("--format", help="csv or parquet.")]
_FOLDER = Path("broadstreet-city")
_TABLES = (
    "messages, people, places, truth, linelist, recalled, contacts, visits, pings, payments, checkins,"
    " sightings, encounters"
)


@group.command("build")
def build_city(
    city: Name = None, plan: PlanFile = None, population: Population = None, seed: Seed = None,
    form: Form = "csv", out: Out = _FOLDER,
) -> None:  # fmt: skip
    """Build a city, and write its people and places as tables."""
    _work().build(Told(plan, {"city": city, "population": population, "seed": seed}), form, out)


@group.command("check")
def check_city(
    city: Name = None, plan: PlanFile = None, population: Population = None, seed: Seed = None
) -> None:
    """Compare a city with published tables: household sizes, ages, contacts a day, mixing by age.

    Exit code 1 if a comparison fails.
    """
    _work().check(Told(plan, {"city": city, "population": population, "seed": seed}))


@group.command("run")
@of_a_run
def run_city(told: Told, city: Name = None, out: Out = _FOLDER) -> None:
    """Run an epidemic through a city; write a map with the curve, a page, the truth and the line list."""
    _work().show(told.of(city), out)


@group.command("export")
@of_a_run
def export_city(
    told: Told,
    tables: Annotated[list[str], typer.Argument(help=f"Of {_TABLES}.")],
    first_day: Annotated[int, typer.Option(min=0, help="First day of movements.")] = 0,
    last_day: Annotated[
        int | None, typer.Option(min=0, help="Last day of movements (the first).", show_default=False)
    ] = None,
    form: Form = "csv",
    out: Out = _FOLDER,
) -> None:
    """Export what a run leaves: HL7 v2 messages, line list, truth, visits, and samples of devices.

    Movements (visits, pings, payments, checkins, sightings, encounters) are of single days: see
    --first-day and --last-day. Each file is written whole or not at all.
    """
    _work().export(tables, told, (first_day, first_day if last_day is None else last_day), form, out)


@group.command("what-if")
@of_a_run
def what_if_city(
    told: Told,
    actions: Annotated[
        list[str],
        typer.Argument(
            help="Such as 'isolate adherence=0.9', 'quarantine traced=0.5 first_day=20', 'close kind=class',"
            " 'test district=D01 coverage=0.1', 'vaccinate pathogen=measles doses=500'."
        ),
    ],
    runs: Annotated[int, typer.Option(min=2, max=1_000, help="Pairs of runs.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Ask what would follow from actions: pairs of runs that differ by the actions alone.

    In each pair people have the same days, contacts and courses unless the actions change them, so that the
    difference is due to the actions; its interval is of 95 %.
    """
    _work().ask(actions, told, runs, as_json)


def _work() -> ModuleType:
    from broadstreet.cli import city_work  # noqa: PLC0415 - the city is heavy, and no other command's

    return city_work
