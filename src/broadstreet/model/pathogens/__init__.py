"""Pathogens as rows of tables: each constant beside its source, version and population."""

from broadstreet.model.pathogens.bands import Bands
from broadstreet.model.pathogens.pathogen import (
    SETTINGS,
    Curve,
    Disease,
    Incubation,
    Pathogen,
    PointSource,
    Range,
)
from broadstreet.model.pathogens.reading import NAMES, diseases, pathogen_from, pathogen_named, point_sources
from broadstreet.model.pathogens.table import Constant, TableError

__all__ = [
    "NAMES",
    "SETTINGS",
    "Bands",
    "Constant",
    "Curve",
    "Disease",
    "Incubation",
    "Pathogen",
    "PointSource",
    "Range",
    "TableError",
    "diseases",
    "pathogen_from",
    "pathogen_named",
    "point_sources",
]
