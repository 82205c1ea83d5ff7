"""Read the tables of syndromes, and say in which line of which table something is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from broadstreet.model.syndromes.folding import Folding

LANGUAGES = ("en", "ko", "zh", "es")
NO_FINDING = "-"


class TableError(ValueError):
    """A line of a table cannot be used."""


class Row(NamedTuple):
    """A line of a table: its cells by column, and where it stands."""

    place: str
    cells: dict[str, str]

    def error(self, message: str) -> TableError:
        """Return an error that names the place of this line."""
        return TableError(f"{self.place}: {message}")


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a syndrome means, for whom, and who says so."""

    titles: dict[str, str]
    definition: str
    rule: str
    source: str
    population: str
    version: str
    name: str = ""


class Measure(NamedTuple):
    """A class of numbers, such as a temperature in degrees Celsius that is a fever."""

    name: str
    least: float
    below: float
    decimal: bool


def read_text(name: str) -> str:
    """Return the text of the table `name`."""
    return files(__package__).joinpath("tables", name).read_text(encoding="utf-8")


def read_rows(name: str) -> Iterator[Row]:
    """Yield the lines of a tab-separated table; its first line names the columns, `#` begins a comment line.

    Raises
    ------
    TableError
        When a line has more cells than there are columns.
    """
    columns: list[str] = []
    for number, line in enumerate(read_text(name).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if not columns:
            columns = cells
            continue
        row = Row(f"{name}:{number}", dict(zip(columns, [*cells, *[""] * len(columns)], strict=False)))
        if len(cells) > len(columns):
            raise row.error(f"expected {len(columns)} cells ({', '.join(columns)}), found {len(cells)}")
        yield row


@cache
def definitions() -> dict[str, Definition]:
    """Return the definition of each syndrome by name."""
    table = msgspec.convert(tomllib.loads(read_text("definitions.toml")), dict[str, Definition])
    return {name: msgspec.structs.replace(row, name=name) for name, row in table.items()}


@cache
def folding() -> Folding:
    """Return the folding of characters, traditional Chinese included."""
    pairs: dict[str, str] = {}
    for row in read_rows("characters.tsv"):
        traditional, simplified = row.cells["traditional"], row.cells["simplified"]
        if len(traditional) != len(simplified):
            raise row.error("expected as many simplified characters as traditional ones")
        pairs.update(zip(traditional, simplified, strict=True))
    return Folding(pairs)


@cache
def measures() -> tuple[Measure, ...]:
    """Return the classes of numbers."""
    return tuple(
        Measure(
            row.cells["measure"],
            float(row.cells["least"]),
            float(row.cells["below"]),
            row.cells["decimal"] == "yes",
        )
        for row in read_rows("measures.tsv")
    )


@cache
def groups() -> dict[str, str]:
    """Return the word lists that patterns name in braces, as alternatives."""
    return {row.cells["group"]: row.cells["words"] for row in read_rows("groups.tsv")}
