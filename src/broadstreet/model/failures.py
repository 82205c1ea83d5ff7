"""What may be told about an exception: its kind and where it arose, never its text.

The text of an exception often repeats the value that caused it, and that may be a patient's name. Only our
own sentences, which are written without personal data, may be told as well.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

PACKAGE = "broadstreet"
MOST_FRAMES = 12


def traced(error: BaseException) -> str:
    """Return kind and place of an exception, such as `ValueError in project (store/outbox.py:41)`.

    Parameters
    ----------
    error
        An exception that was raised; its text is left out.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    ours = [frame for frame in frames if PACKAGE in PurePath(frame.filename).parts]
    through = f", from {_place(ours[-1])}" if ours and ours[-1] is not frames[-1] else ""
    return f"{type(error).__name__} in {_place(frames[-1])}{through}"


def frames_of(error: BaseException) -> list[str]:
    """Return where an exception went through, the innermost frame last, at most 12 of them."""
    return [_place(frame) for frame in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]]


def _place(frame: traceback.FrameSummary) -> str:
    parts = PurePath(frame.filename).parts
    start = len(parts) - 1 - parts[::-1].index(PACKAGE) if PACKAGE in parts else len(parts) - 2
    return f"{frame.name} ({'/'.join(parts[start + 1 :] or parts[-1:])}:{frame.lineno})"
