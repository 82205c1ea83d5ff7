"""The work of `city`: what its commands do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from broadstreet.app.city.exporting import MOVEMENTS, TABLES, Wish
from broadstreet.app.city.messages import write_messages
from broadstreet.app.city.plan import (
    Imported,
    Impossible,
    Plan,
    Source,
    action_of,
    built,
    read_plan,
    scenario_of,
    with_options,
)
from broadstreet.app.city.reporting import asked, write_report
from broadstreet.app.city.telling import courses, lead, rows
from broadstreet.app.city.writing import Columns, LibraryMissing, in_parts, write_table
from broadstreet.cli.city_options import Told
from broadstreet.cli.program import REFUSED, Mistake, console, show_table
from broadstreet.simulation.clinics import Clinics
from broadstreet.simulation.clinics.cases import cases_of
from broadstreet.simulation.days import check_city
from broadstreet.simulation.epidemic import Outcome, run
from broadstreet.simulation.epidemic.answering import what_if
from broadstreet.simulation.population import City, Kind
from broadstreet.simulation.tables import people_table, places_table

_USUAL_IMPORTS = Imported().count


def build(told: Told, form: str, out: Path) -> None:
    """Build a city and write its people and places."""
    _form(form)
    made = _built(_asked(told))
    _tell_city(made)
    for name, table in (("people", people_table(made)), ("places", places_table(made))):
        _write(out / f"{name}.{form}", in_parts(table))


def check(told: Told) -> None:
    """Show a city beside published tables; leave with code 1 if a comparison fails."""
    made = _built(_asked(told))
    with console.status("Counting contacts ..."):
        found = check_city(made)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "topic", "what", "city", "published", "allowed", "source"):
        table.add_column(name, justify="right" if name in {"city", "published"} else "left")
    for each in found:
        allowed = f"{each.low:.3g} to {each.high:.3g}"
        cells = (each.topic, each.what, f"{each.city:.3g}", f"{each.published:.3g}", allowed, each.source)
        table.add_row("pass" if each.passed else "FAIL", *cells)
    show_table(table)
    failed = sum(not each.passed for each in found)
    console.print(f"{len(found) - failed} of {len(found)} comparisons pass.", style="bold")
    if failed:
        raise typer.Exit(REFUSED)


def show(told: Told, out: Path) -> None:
    """Run an epidemic, tell its numbers and write the report."""
    asked_for = _asked(told)
    outcome = _run(asked_for)
    console.print()
    _tell_run(asked_for, outcome)
    try:
        written = write_report(out, asked_for, outcome)
    except LibraryMissing as error:
        raise Mistake(str(error)) from error
    for path in written:
        console.print(f"Written: {path}", soft_wrap=True, markup=False)


def export(tables: Sequence[str], told: Told, days: tuple[int, int], form: str, out: Path) -> None:
    """Write what a run leaves."""
    strange = sorted(set(tables) - {"messages", *TABLES})
    if strange:
        raise Mistake(f"tables must be of messages, {', '.join(TABLES)} (there is {', '.join(strange)})")
    _form(form)
    outcome = _run(_asked(told))
    wish = Wish(outcome, *days)
    _check_days(wish, tables)
    for name in tables:
        if name == "messages":
            _send_to_file(out / "messages.hl7", outcome)
        else:
            _write(out / f"{name}.{form}", TABLES[name](wish))


def ask(actions: Sequence[str], told: Told, runs: int, as_json: bool) -> None:
    """Show what would follow from actions."""
    asked_for = _asked(told)
    city = _built(asked_for)
    try:
        wanted = tuple(action_of(text) for text in actions)
        scenario = scenario_of(asked_for, city)
        with console.status(f"{runs} pairs of runs ..."):
            answer = what_if(city, scenario, wanted, runs=runs)
    except (Impossible, ValueError) as error:
        raise Mistake(str(error)) from error
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "without", "with", "difference", "95 % interval"):
        table.add_column(name, justify="left" if not name else "right")
    for name, number in answer.numbers.items():
        interval = f"{number.low:,.1f} to {number.high:,.1f}"
        values = (number.without, number.with_actions, number.difference)
        table.add_row(name.replace("_", " "), *(f"{value:,.1f}" for value in values), interval)
    show_table(table)
    console.print(f"Means of {answer.runs} pairs of runs; each pair differs by the actions alone.")


def _asked(told: Told) -> Plan:
    try:
        plan = read_plan(told.plan) if told.plan else Plan()
        return with_options(plan, **told.fields, **_from_outside(told))
    except Impossible as error:
        raise Mistake(str(error)) from error


def _from_outside(told: Told) -> dict[str, Any]:
    if told.source is not None:
        leaks = (Source(kind=told.source, district=told.district),)
        return {"sources": leaks, "imports": _imported(told.imports, None)}
    wanted = _USUAL_IMPORTS if told.imports is None and told.district is not None else told.imports
    return {"imports": _imported(wanted, told.district)}


def _imported(count: int | None, district: str | None) -> tuple[Imported, ...]:
    return () if count is None else (Imported(count=count, district=district),)


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


def _check_days(wish: Wish, tables: Sequence[str]) -> None:
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
