"""The options that tell a run of the city, written once for all commands that ask for one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

Name = Annotated[
    str | None, typer.Argument(help="demo (50,000 people) or metropolis (1 million).", show_default=False)
]
NameOption = Annotated[str | None, typer.Option("--city", help="demo or metropolis.", show_default=False)]
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


class Told(NamedTuple):
    """What the options tell: a plan file, fields that go before it, and how a pathogen comes in."""

    plan: Path | None
    fields: dict[str, Any]
    imports: int | None = None
    source: str | None = None
    district: str | None = None

    def of(self, city: str | None) -> Told:
        """Return the same of a city of this name."""
        return self._replace(fields={**self.fields, "city": city})


def of_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run; it is called with its own, and with `told` instead of these."""
    options = list(inspect.signature(_told, eval_str=True).parameters.values())
    own = inspect.signature(command, eval_str=True).parameters
    # A command may take the city's name in another way, by its own parameter.
    options = [each for each in options if each.name not in own]
    names = [each.name for each in options]

    def called(**given: Any) -> None:
        told = _told(**{name: given.pop(name) for name in names})
        command(told=told, **given)

    parameters = [each for name, each in own.items() if name != "told"] + options
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    return called


def _told(  # noqa: PLR0913, PLR0917  each is an option
    city: NameOption = None,
    pathogen: Pathogens = None,
    imports: Imports = None,
    source: From = None,
    district: District = None,
    days: Days = None,
    population: Population = None,
    seed: Seed = None,
    plan: PlanFile = None,
) -> Told:
    fields = {
        "city": city, "population": population, "seed": seed, "days": days, "pathogens": tuple(pathogen or ())
    }  # fmt: skip
    return Told(plan, fields, imports, source, district)
