"""Broad Street: a health hub for a city."""

__version__ = "0.1.0"
