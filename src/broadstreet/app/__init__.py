"""Wiring: the hub and its settings."""
