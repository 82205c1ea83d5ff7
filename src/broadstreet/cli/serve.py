"""`serve`: run the hub."""

from __future__ import annotations

from typing import Annotated

import typer

from broadstreet.app import hub
from broadstreet.app.words import counted
from broadstreet.cli.program import Config, Data, Mistake, app, console, log_to_stderr, settings_of


@app.command()
def serve(
    config: Config = None,
    data: Data = None,
    host: Annotated[
        str | None, typer.Option(help="Address of the MLLP door (setting: mllp.host).", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the MLLP door (setting: mllp.port).", show_default=False)
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The city's time zone (setting: zone).", show_default=False)
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(help="system, or driven: by requests only (setting: clock).", show_default=False),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Instant at which a driven clock begins (setting: clock_start).", show_default=False
        ),
    ] = None,
    attached: Annotated[
        bool, typer.Option("--attached", help="Stop as well when standard input ends.")
    ] = False,
) -> None:
    """Run the hub until Ctrl-C or SIGTERM.

    It listens for HL7 v2 over MLLP on this machine only. Everything it keeps is in one folder.
    """
    given = {"mllp__host": host, "mllp__port": port, "zone": zone, "clock": clock, "clock_start": start}
    settings = settings_of(config, data, **given)
    log_to_stderr(settings)

    def ready(host: str, port: int) -> None:
        console.print(f"Listening for HL7 v2 (MLLP) on {host}:{port}. Data: {settings.folder}. Stop: Ctrl-C.")

    try:
        ended = hub.run(settings, ready, attached=attached)
    except ValueError as error:
        raise Mistake(str(error)) from error
    console.print(_farewell(ended))


def _farewell(ended: hub.Ended) -> str:
    told = (
        f"Stopped cleanly: {counted(ended.added, 'entry', 'entries')} since the start, {ended.head:,} in all;"
        " everything that was acknowledged is on the disk."
    )
    if ended.behind:
        behind = counted(ended.behind, "entry", "entries")
        told += f" Followers have {behind} to go: they go on at the next start."
    return told
