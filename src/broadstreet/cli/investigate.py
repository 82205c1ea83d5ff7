"""`investigate`: a line list in; who infected whom, where it began, and one page of it out. No hub."""

from __future__ import annotations

from pathlib import Path

from broadstreet.cli import investigate_options as option
from broadstreet.cli.program import AsJson, app

_FOLDER = Path("broadstreet-investigation")


@app.command(name="investigate")
def command(  # noqa: PLR0913, PLR0917  each is an option
    file: option.File,
    contacts: option.Contacts = None,
    visits: option.Visits = None,
    controls: option.Controls = None,
    sites: option.Sites = None,
    streets: option.Streets = None,
    population: option.Population = None,
    counts: option.Counts = None,
    disease: option.Disease = None,
    serial_interval: option.Serial = None,
    incubation: option.Incubation = None,
    window: option.Window = None,
    reported: option.Reported = None,
    importation: option.Importation = None,
    column: option.ColumnOf = None,
    dates: option.Order = None,
    encoding: option.Encoding = "utf-8-sig",
    seed: option.Seed = 1854,
    out: option.Out = _FOLDER,
    as_json: AsJson = False,
) -> None:
    """Find who infected whom and where it began, and write one page and its tables.

    Columns are recognised by their names, in several languages; --column says it where they are not.
    Rows that contradict themselves are named and set aside.
    """
    from broadstreet.cli import investigate_work  # noqa: PLC0415 - heavy, and no other command's

    investigate_work.look_into(
        file, (contacts, visits, controls, sites, streets, population, counts), disease=disease,
        serial_interval=serial_interval, incubation=incubation, window=window, reported=reported,
        importation=importation, column=column or [], dates=dates, encoding=encoding, seed=seed,
        out=out, as_json=as_json,
    )  # fmt: skip
