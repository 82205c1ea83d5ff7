"""`broadstreet investigate`: the tables beside the page, and those of an earlier run in the same folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadstreet.app.investigate.kinds import TABLES
from broadstreet.cli import app

SITES = "name,x,y\nA,1,1\nB,2,2\n"
MAPPED = "id,onset,x,y\na,2026-03-01,1,1\nb,2026-03-12,2,2\nc,2026-03-13,2,1\n"


def run(folder: Path, text: str, *options: object) -> str:
    """Investigate a list; return what is told."""
    folder.mkdir(exist_ok=True)
    (folder / "list.csv").write_text(text)
    given = ["investigate", folder / "list.csv", *options, "--out", folder / "out"]
    result = CliRunner().invoke(app, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def everything(folder: Path) -> str:
    """Investigate with all that may come beside a list, so that each table is written."""
    folder.mkdir(exist_ok=True)
    (folder / "sites.csv").write_text(SITES)
    (folder / "contacts.csv").write_text("infector,case\na,zz\n")
    (folder / "visits.csv").write_text("id,place,day\na,bar,2026-02-19\nb,bar,2026-03-01\nk,bar,2026-03-01\n")
    (folder / "controls.csv").write_text("id\nk\nl\n")
    beside = [
        word
        for name in ("sites", "contacts", "visits", "controls")
        for word in (f"--{name}", folder / f"{name}.csv")
    ]
    return run(folder, MAPPED, "--disease", "measles", *beside)


def test_tables_of_an_earlier_run_leave_with_it_and_that_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "earlier run" not in everything(tmp_path)
    assert {path.stem for path in out.glob("*.csv")} == set(TABLES)
    (out / "notes.csv").write_text("mine\n")
    said = run(tmp_path, "id,onset\nz,2026-05-01\n")
    assert {path.stem for path in out.glob("*.csv")} == {"cases", "set_aside", "notes"}
    assert {path.stem for path in out.glob("*.parquet")} <= {"cases", "set_aside"}
    assert "Tables of an earlier run were removed: links, tree, sources," in said


def test_a_file_of_the_same_name_that_no_run_wrote_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "sites.csv").write_text(SITES)
    (out / "links.csv").write_bytes(b"\xff\x00\n")
    assert "earlier run" not in run(tmp_path, "id,onset\nz,2026-05-01\n")
    assert (out / "sites.csv").read_text() == SITES
    assert (out / "links.csv").exists()


def test_every_column_has_the_same_type_in_every_run(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    kinds = {"text": "string", "whole": "int64", "number": "double"}
    everything(tmp_path / "full")
    run(tmp_path / "bare", "id,onset,x,y,ward\na,1,,,\nb,2,,,\n", "--disease", "measles")
    for folder in ("full", "bare"):
        for path in (tmp_path / folder / "out").glob("*.parquet"):
            schema = parquet.read_schema(path)
            expected = TABLES[path.stem]
            assert path.stem == "cases" or schema.names == list(expected)
            found = dict(zip(schema.names, map(str, schema.types), strict=True))
            assert found == {name: kinds[expected.get(name, "text")] for name in found}, path.name
