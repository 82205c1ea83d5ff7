"""`broadstreet investigate`: coordinates of cases that cannot be cost a point, never a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_investigate_columns import look

DEGREES = "expected degrees, lon within 360 and lat within 90, as 13.401 and 52.52"
NUMBERS = "expected numbers up to 1,000,000,000"


def placed(folder: Path, names: str, *points: str) -> dict[str, Any]:
    """Investigate cases at these points, one every ten days."""
    rows = [f"c{n},2026-0{n + 1}-01,{point}" for n, point in enumerate(points)]
    return look(folder, "\n".join([f"id,onset,{names}", *rows]))


@pytest.mark.parametrize(
    ("names", "cells", "expected"),
    [("x,y", "1e308,-1e308", NUMBERS), ("x,y", "inf,1", NUMBERS), ("lon,lat", "12,95", DEGREES)],
)
def test_a_point_that_cannot_be_is_told_and_its_case_stays(
    tmp_path: Path, names: str, cells: str, expected: str
) -> None:
    found = placed(tmp_path, names, "1,2", "2,2", cells)
    assert (found["cases"], found["why"]) == (3, {})
    point = cells.replace(",", " ")
    assert f'1 case has coordinates that cannot be (row 4: "{point}"), {expected}' in found["said"]
    assert "c2,4,2026-03-01,,\n" in (tmp_path / "out" / "cases.csv").read_text()


@pytest.mark.parametrize("point", ["390000,5810000", """"13°24'0""E","52°30'0""N\""""])
def test_columns_without_coordinates_are_told_and_not_used(tmp_path: Path, point: str) -> None:
    (tmp_path / "sites.csv").write_text("name,lon,lat\nA,1,1\n")
    rows = "".join(f"c{n},2026-0{n + 1}-01,{point}\n" for n in range(4)) + "c4,2026-05-03,13.4,52.5\n"
    found = look(tmp_path, f"id,onset,lon,lat\n{rows}", "--sites", tmp_path / "sites.csv")
    assert (found["cases"], found["why"]) == (5, {})
    assert 'The columns "lon" and "lat" hold no coordinates (row 2: "' in found["said"]
    assert DEGREES in found["said"]
    assert "Sites were not ranked: no case has coordinates." in found["said"]
    assert "as map" not in found["said"]
    assert "lon" not in (tmp_path / "out" / "cases.csv").read_text()


def test_degrees_of_zero_and_zero_are_missing_and_told(tmp_path: Path) -> None:
    found = placed(tmp_path, "lon,lat", "0,0.0", "13.4,52.5", "13.5,52.5")
    assert (found["cases"], found["why"]) == (3, {})
    assert "1 case is at lon 0 and lat 0 (row 2), which says that the place is not known" in found["said"]
    assert "5.91e" not in (tmp_path / "out" / "links.csv").read_text()
    assert "is at lon 0" not in placed(tmp_path, "x,y", "0,0", "1,1", "2,3")["said"]


def test_distances_are_told_in_kilometres_where_degrees_are_given(tmp_path: Path) -> None:
    rows = "id,onset,{}\na,2026-03-01,13.4,52.5\nb,2026-03-12,13.4,52.59\nc,2026-03-13,13.4,52.501\n"
    for names, far, near in (
        ("lon,lat", "10.0 km apart", "111 m apart"),
        ("x,y", "0.09 apart", "0.001 apart"),
    ):
        look(tmp_path, rows.format(names))
        links = (tmp_path / "out" / "links.csv").read_text()
        assert far in links
        assert near in links
