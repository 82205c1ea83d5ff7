"""Poison for the process that receives: a message that holds such a word ends it, or lets it hang.

On the path of a process and its children, where Python looks for it at its start.
"""

from __future__ import annotations

import os
import signal
import sys

if any("broadstreet.app.receiving" in word for word in sys.orig_argv):
    from broadstreet.connectors.hl7v2.door import Door

    _read = Door._read

    def _poisoned(self, raw, *more):  # type: ignore[no-untyped-def]
        if b"POISON-ENDS" in raw:
            os.kill(os.getpid(), signal.SIGKILL)
        while b"POISON-HANGS" in raw:
            pass
        return _read(self, raw, *more)

    Door._read = _poisoned  # type: ignore[method-assign]
