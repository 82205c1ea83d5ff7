"""The committed structs are what the generator makes of the published definitions."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "src/broadstreet/model/fhir/r4"


def test_generating_the_structs_again_changes_nothing(fhir_examples: Path) -> None:
    generate = runpy.run_path(str(ROOT / "tools/generate_fhir.py"))["generate"]
    committed = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.glob("*.py")}
    assert generate(fhir_examples) == committed
