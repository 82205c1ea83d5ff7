"""Write the picture and the page of a demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from broadstreet.app.demo import picture
from broadstreet.app.demo.page import Story, page
from broadstreet.app.demo.picture import Panel
from broadstreet.app.demo.verdict import Verdict

PICTURE, PAGE = "outbreak.png", "outbreak.html"


class PictureMissing(Exception):
    """The picture needs a library that is not installed."""


def write_report(folder: Path, story: Story, panels: Sequence[Panel], verdict: Verdict) -> tuple[Path, Path]:
    """Write both; return where they are.

    Raises
    ------
    PictureMissing
        If matplotlib is not installed.
    """
    injected = (verdict.truth.start, verdict.truth.end)
    try:
        wide = picture.draw(panels, injected, picture.WIDE)
    except ImportError as error:
        raise PictureMissing(
            "the picture needs matplotlib: install it with `pip install 'broadstreet[plot]'`"
        ) from error
    narrow = picture.draw(panels, injected, picture.NARROW)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PICTURE).write_bytes(picture.as_png(wide))
    text = page(story, panels, picture.as_svg(wide), picture.as_svg(narrow))
    (folder / PAGE).write_text(text, encoding="utf-8")
    return folder / PICTURE, folder / PAGE
