"""`city`: a synthetic city is built, checked, run, exported, and asked what if."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from broadstreet.cli.program import AsJson, app

group = typer.Typer(
    no_args_is_help=True, help="Build, check, run and export a synthetic city, and ask it what if."
)
app.add_typer(group, name="city")

Name = Annotated[
    str | None, typer.Argument(help="demo (50,000 people) or metropolis (1 million).", show_default=False)
]
PlanFile = Annotated[
    Path | None,
    typer.Option(
        "--plan", help="TOML file that tells city, pathogens, imports, sources.", show_default=False
    ),
]
Population = Annotated[int | None, typer.Option(help="Another number of people.", show_default=False)]
Seed = Annotated[int | None, typer.Option(min=0, help="What decides all chance (1).", show_default=False)]
Days = Annotated[int | None, typer.Option(help="How many days pass (120).", show_default=False)]
Pathogens = Annotated[
    list[str] | None, typer.Option("--pathogen", help="Which one; may be given again.", show_default=False)
]
Imports = Annotated[
    int | None,
    typer.Option("--imports", help="Residents who come back infected on day 0 (5).", show_default=False),
]
From = Annotated[
    str | None, typer.Option("--source", help="A point source: pump, kitchen or market.", show_default=False)
]
District = Annotated[
    str | None,
    typer.Option(help="Where the source or the imports are (a code such as D01).", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder for what is written.")]
_FOLDER = Path("broadstreet-city")
_TABLES = (
    "messages, people, places, truth, linelist, recalled, contacts, visits, pings, payments, checkins,"
    " sightings, encounters"
)


@group.command("build")
def build_city(
    city: Name = None, plan: PlanFile = None, population: Population = None, seed: Seed = None,
    out: Out = _FOLDER,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
) -> None:  # fmt: skip
    """Build a city, and write its people and places as tables."""
    _work().build(plan, {"city": city, "population": population, "seed": seed}, form, out)


@group.command("check")
def check_city(
    city: Name = None, plan: PlanFile = None, population: Population = None, seed: Seed = None
) -> None:
    """Compare a city with published tables: household sizes, ages, contacts a day, mixing by age.

    Exit code 1 if a comparison fails.
    """
    _work().check(plan, {"city": city, "population": population, "seed": seed})


@group.command("run")
def run_city(  # noqa: PLR0913, PLR0917  each is an option
    city: Name = None,
    pathogen: Pathogens = None,
    imports: Imports = None,
    source: From = None,
    district: District = None,
    days: Days = None,
    population: Population = None,
    seed: Seed = None,
    plan: PlanFile = None,
    out: Out = _FOLDER,
) -> None:
    """Run an epidemic through a city; write a map with the curve, a page, the truth and the line list."""
    _work().show(plan, _options(city, pathogen, days, population, seed), imports, source, district, out)


@group.command("export")
def export_city(  # noqa: PLR0913, PLR0917  each is an option
    tables: Annotated[list[str], typer.Argument(help=f"Of {_TABLES}.")],
    city: Annotated[str | None, typer.Option(help="demo or metropolis.", show_default=False)] = None,
    pathogen: Pathogens = None,
    imports: Imports = None,
    source: From = None,
    district: District = None,
    days: Days = None,
    population: Population = None,
    seed: Seed = None,
    plan: PlanFile = None,
    first_day: Annotated[int, typer.Option(min=0, help="First day of movements.")] = 0,
    last_day: Annotated[
        int | None, typer.Option(min=0, help="Last day of movements (the first).", show_default=False)
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    out: Out = _FOLDER,
) -> None:
    """Export what a run leaves: HL7 v2 messages, line list, truth, visits, and samples of devices.

    Movements (visits, pings, payments, checkins, sightings, encounters) are of single days: see
    --first-day and --last-day. Each file is written whole or not at all.
    """
    days_wanted = (first_day, first_day if last_day is None else last_day)
    told = _options(city, pathogen, days, population, seed)
    _work().export(tables, plan, told, imports, source, district, days_wanted, form, out)


@group.command("what-if")
def what_if_city(  # noqa: PLR0913, PLR0917  each is an option
    actions: Annotated[
        list[str],
        typer.Argument(
            help="Such as 'isolate adherence=0.9', 'quarantine traced=0.5 first_day=20', 'close kind=class',"
            " 'test district=D01 coverage=0.1', 'vaccinate pathogen=measles doses=500'."
        ),
    ],
    city: Annotated[str | None, typer.Option(help="demo or metropolis.", show_default=False)] = None,
    pathogen: Pathogens = None,
    imports: Imports = None,
    source: From = None,
    district: District = None,
    days: Days = None,
    population: Population = None,
    seed: Seed = None,
    plan: PlanFile = None,
    runs: Annotated[int, typer.Option(min=2, max=1_000, help="Pairs of runs.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Ask what would follow from actions: pairs of runs that differ by the actions alone.

    In each pair people have the same days, contacts and courses unless the actions change them, so that the
    difference is due to the actions; its interval is of 95 %.
    """
    told = _options(city, pathogen, days, population, seed)
    _work().ask(actions, plan, told, imports, source, district, runs, as_json)


def _options(
    city: str | None, pathogen: list[str] | None, days: int | None, population: int | None, seed: int | None
) -> dict[str, Any]:
    return {
        "city": city, "population": population, "seed": seed, "days": days, "pathogens": tuple(pathogen or ())
    }  # fmt: skip


def _work() -> ModuleType:
    from broadstreet.cli import city_work  # noqa: PLC0415 - the city is heavy, and no other command's

    return city_work
