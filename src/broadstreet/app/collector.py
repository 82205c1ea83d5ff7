"""How often Python's collector looks for garbage in processes that work on messages."""

from __future__ import annotations

import gc

GARBAGE = (100_000, 20, 100)
"""When garbage is looked for: a message makes thousands of objects that die with it, hardly any in a ring.
Python's own thresholds cost about a sixth of the rate."""


def spare_the_collector() -> None:
    """Take what lives as long as the process (tables, decoders) out of the collector's rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
