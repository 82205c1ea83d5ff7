"""`compact`: give back the room of what was removed."""

from __future__ import annotations

from broadstreet.app.core import Core
from broadstreet.app.reach import require_store
from broadstreet.app.words import counted
from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of


@app.command()
def compact(config: Config = None, data: Data = None) -> None:
    """Purge superseded index rows, then write the store anew without what was removed; not while a hub runs.

    This needs as much room again as the store takes, for as long as it runs.
    """
    settings = settings_of(config, data)
    require_store(settings)
    core = Core(settings, followers=())
    try:
        before = core.store.volume()
        size = sum(before.bytes.values())
        if before.free is not None and before.free < 2 * size:
            raise Mistake(
                f"expected {2 * size / 1e6:,.1f} MB of free room for the new copy, there are"
                f" {before.free / 1e6:,.1f} MB: make room, or move the store to a larger disk"
            )
        purged = core.housekeeper.purge()
        core.committer.between(lambda writer: writer.compact())
        after = sum(core.store.volume().bytes.values())
    finally:
        core.close()
    console.print(
        f"Removed {counted(purged, 'superseded index row')};"
        f" the store takes {after / 1e6:,.1f} MB (before: {size / 1e6:,.1f} MB)."
    )
