"""Settings as the text of a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def as_toml(settings: Mapping[str, Any], section: str = "") -> str:
    """Return settings as the text of a TOML file; what is None is left out."""
    plain = {k: v for k, v in settings.items() if v is not None and not isinstance(v, Mapping)}
    lines = [f"[{section}]"] if section and plain else []
    lines += [f"{_key(name)} = {msgspec.json.encode(value).decode()}" for name, value in plain.items()]
    for name, value in settings.items():
        if isinstance(value, Mapping):
            lines.append(as_toml(value, f"{section}.{_key(name)}".lstrip(".")))
    return "\n".join(line for line in lines if line) + "\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else msgspec.json.encode(name).decode()
