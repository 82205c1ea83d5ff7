"""Write docs/images/demo.png, the picture of the README: `python tools/readme_picture.py`.

It runs the whole demonstration with a fixed seed, and draws what the hub's store then holds.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from broadstreet.app.demo.conductor import Plan, conducted
from broadstreet.app.demo.outcome import concluded
from broadstreet.app.demo.picture import WIDE, as_png, draw
from broadstreet.cli.demo import CITY_ZONE, FIRST_DAY

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "demo.png"
SEED = 8


def main() -> None:
    """Run the demonstration and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(SEED, FIRST_DAY, 120, 20, CITY_ZONE, Path(folder))
        with conducted(plan) as conductor:
            for _ in conductor.days():
                pass
            outcome = concluded(plan, conductor.hub.settings)
    truth = outcome.verdict.truth
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(as_png(draw(outcome.panels, (truth.start, truth.end), WIDE)))


if __name__ == "__main__":
    main()
