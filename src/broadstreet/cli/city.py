"""`city`: a synthetic city is built, checked, run, exported, and asked what if."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from broadstreet.app.city.exporting import MOVEMENTS, TABLES, Wish
from broadstreet.app.city.messages import write_messages
from broadstreet.app.city.plan import (
    Imported,
    Impossible,
    Plan,
    Source,
    built,
    read_plan,
    scenario_of,
    with_options,
)
from broadstreet.app.city.reporting import asked, write_report
from broadstreet.app.city.telling import courses, lead, rows
from broadstreet.app.city.writing import Columns, LibraryMissing, in_parts, write_table
from broadstreet.cli.program import Mistake, app, console
from broadstreet.simulation.clinics import Clinics
from broadstreet.simulation.clinics.cases import cases_of
from broadstreet.simulation.epidemic import Outcome, run
from broadstreet.simulation.population import City, Kind
from broadstreet.simulation.tables import people_table, places_table

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


@group.command("build")
def build_city(
    city: Name = None, plan: PlanFile = None, population: Population = None, seed: Seed = None,
    out: Out = _FOLDER,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
) -> None:  # fmt: skip
    """Build a city, and write its people and places as tables."""
    made = _built(_plan(plan, city=city, population=population, seed=seed))
    _tell_city(made)
    _form(form)
    for name, table in (("people", people_table(made)), ("places", places_table(made))):
        _write(out / f"{name}.{form}", in_parts(table))


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
    asked_for = _asked(plan, city, pathogen, imports, source, district, days, population, seed)
    outcome = _run(asked_for)
    console.print()
    _tell_run(asked_for, outcome)
    try:
        written = write_report(out, asked_for, outcome)
    except LibraryMissing as error:
        raise Mistake(str(error)) from error
    for path in written:
        console.print(f"Written: {path}", soft_wrap=True, markup=False)


@group.command("export")
def export_city(  # noqa: PLR0913, PLR0917  each is an option
    tables: Annotated[list[str], typer.Argument(help=f"Of messages, {', '.join(TABLES)}.")],
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
    strange = sorted(set(tables) - {"messages", *TABLES})
    if strange:
        raise Mistake(f"tables must be of messages, {', '.join(TABLES)} (there is {', '.join(strange)})")
    _form(form)
    asked_for = _asked(plan, city, pathogen, imports, source, district, days, population, seed)
    outcome = _run(asked_for)
    wish = Wish(outcome, first_day, first_day if last_day is None else last_day)
    _check_days(wish, tables)
    for name in tables:
        if name == "messages":
            _send_to_file(out / "messages.hl7", outcome)
        else:
            _write(out / f"{name}.{form}", TABLES[name](wish))


def _asked(  # noqa: PLR0913, PLR0917  each is an option
    plan: Path | None,
    city: str | None,
    pathogen: list[str] | None,
    imports: int | None,
    source: str | None,
    district: str | None,
    days: int | None,
    population: int | None,
    seed: int | None,
) -> Plan:
    comes = () if imports is None else (Imported(count=imports, district=None if source else district),)
    leaks = () if source is None else (Source(kind=source, district=district),)
    return _plan(
        plan, city=city, population=population, seed=seed, days=days, pathogens=tuple(pathogen or ()),
        imports=comes, sources=leaks,
    )  # fmt: skip


def _plan(path: Path | None, **options: object) -> Plan:
    try:
        return with_options(read_plan(path) if path else Plan(), **options)
    except Impossible as error:
        raise Mistake(str(error)) from error


def _built(plan: Plan) -> City:
    try:
        with console.status(f"Building the city of {plan.city} ..."):
            return built(plan)
    except Impossible as error:
        raise Mistake(str(error)) from error


def _run(plan: Plan) -> Outcome:
    city = _built(plan)
    try:
        scenario = scenario_of(plan, city)
        with _watched("Days", scenario.days) as tell:
            return run(
                city, scenario, progress=lambda day, infections: tell(day + 1, f"{infections:,} infected")
            )
    except (Impossible, ValueError) as error:
        raise Mistake(str(error)) from error


@contextmanager
def _watched(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show a bar; the function that comes with it says how far it is, and a few words."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[words]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


def _tell_city(city: City) -> None:
    places = city.places
    console.print(f"{len(city.people):,} people in {len(city.districts)} districts, {len(places):,} places:")
    for kind in Kind:
        count = int((places.kind == kind).sum())
        if count:
            console.print(f"  {kind.name.lower().replace('_', ' '):<12} {count:>9,}")


def _tell_run(plan: Plan, outcome: Outcome) -> None:
    for name, value in asked(plan, outcome):
        console.print(f"{name + ':':<13} {value}", soft_wrap=True, markup=False)
    for course in courses(outcome):
        console.print()
        console.print(course.title, style="bold")
        for name, value in rows(course):
            console.print(f"  {name + ':':<18} {value}", soft_wrap=True, markup=False)
        console.print(lead(course), style="bold", soft_wrap=True, markup=False)
    console.print()


def _form(form: str) -> None:
    if form not in {"csv", "parquet"}:
        raise Mistake(f"format must be csv or parquet (it is {form!r})")


def _check_days(wish: Wish, tables: list[str]) -> None:
    if not set(tables) & set(MOVEMENTS):
        return
    if wish.last_day < wish.first_day or wish.last_day >= wish.outcome.scenario.days:
        raise Mistake(
            f"first-day and last-day must be days of the run, 0 to {wish.outcome.scenario.days - 1}, in this"
            f" order (they are {wish.first_day} and {wish.last_day})"
        )


def _write(path: Path, parts: Iterable[Columns]) -> None:
    try:
        with console.status(f"Writing {path} ..."):
            count = write_table(path, parts)
    except LibraryMissing as error:
        raise Mistake(str(error)) from error
    console.print(f"Written: {path} ({count:,} rows)", soft_wrap=True, markup=False)


def _send_to_file(path: Path, outcome: Outcome) -> None:
    clinics = Clinics(outcome.city, outcome.scenario.days, cases_of(outcome))
    with _watched("Messages", clinics.days) as tell:
        count = write_messages(path, clinics, lambda day: tell(day + 1, ""))
    console.print(
        f"Written: {path} ({count:,} messages of {len(clinics)} clinics)", soft_wrap=True, markup=False
    )
