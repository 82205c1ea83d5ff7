"""Where settings come from: one TOML file, then the environment, then the command line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from broadstreet.app.settings import PREFIX, Settings, described

FILE = "broadstreet.toml"
NOT_SETTINGS = frozenset(
    {
        "BROADSTREET_CONFIG",
        "BROADSTREET_SHARED",
        "BROADSTREET_SOAK",
        "BROADSTREET_STRICT_SKIPS",
        "BROADSTREET_TOKEN",
        "BROADSTREET_TOKEN_FILE",
    }
)
"""Variables with our prefix that are none: the file's path, and what only the tests read."""


class SettingsError(Exception):
    """A setting is unknown, of the wrong type or out of range; the text names it."""


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings of this run.

    Parameters
    ----------
    path
        The TOML file; by default `BROADSTREET_CONFIG`, or `broadstreet.toml` in the data folder that the
        command line names, or here.
    environment
        Variables such as `BROADSTREET_MLLP_PORT`; by default the process's.
    given
        What the command line says, by dotted name; None says nothing.

    Raises
    ------
    SettingsError
        If something is unknown, of the wrong type or out of range; the text says which, what was
        expected, what came and from where.
    """
    environment = os.environ if environment is None else environment
    path = path or _usual_path(environment, given or {})
    tree: dict[str, Any] = {} if path is None else _from_file(path)
    origins: dict[str, str] = {}
    for name, text, variable in _from_environment(environment):
        _put(tree, name, _value_of(name, text))
        origins[name] = variable
    for name, value in (given or {}).items():
        if value is not None:
            _put(tree, name, value)
            origins[name] = "the command line"
    try:
        return msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(_told(str(error), tree, origins, str(path))) from error


def _usual_path(environment: Mapping[str, str], given: Mapping[str, object]) -> Path | None:
    named = environment.get("BROADSTREET_CONFIG")
    if named:
        return Path(named)
    folders = [Path(str(given["data"]))] if given.get("data") else []
    return next((folder / FILE for folder in (*folders, Path()) if (folder / FILE).exists()), None)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a TOML file: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    names = {setting.variable: setting.name for setting in described()}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in names:
            raise SettingsError(
                f"{variable}: expected the name of a setting (see docs/settings.md), got an unknown one"
            )
        yield names[variable], text, variable


def _value_of(name: str, text: str) -> object:
    """Read a variable's text as TOML where the setting is not a text."""
    kind = next(setting.takes for setting in described() if setting.name == name)
    if kind.startswith(("text", "one of", "instant")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(tree: dict[str, Any], name: str, value: object) -> None:
    *sections, last = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise SettingsError(f"{section}: expected a section, got {tree!r}")
    tree[last] = value


_PLACE = re.compile(r" - at `\$\.?(.*?)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_OURS = re.compile(r"(\w+): (.*)", re.DOTALL)


def _told(text: str, tree: dict[str, Any], origins: Mapping[str, str], file: str) -> str:
    place = _PLACE.search(text)
    section, text = place.group(1) if place else "", _PLACE.sub("", text)
    if unknown := _UNKNOWN.fullmatch(text):
        name = _dotted(section, unknown.group(1))
        said = "expected the name of a setting (docs/settings.md lists them), got an unknown one"
    elif ours := _OURS.fullmatch(text):
        name, said = _dotted(section, ours.group(1)), ours.group(2)
    else:
        name = section.partition("[")[0]
        takes = {setting.name: setting.takes for setting in described()}
        said = f"expected {takes.get(name, 'a section')}, got {_found(tree, name)!r}"
    return f"{name}: {said} (from {_origin(name, origins, file)})"


def _dotted(section: str, name: str) -> str:
    return f"{section}.{name}".lstrip(".")


def _origin(name: str, origins: Mapping[str, str], file: str) -> str:
    return next((o for n, o in origins.items() if n == name or n.startswith(f"{name}.")), file)


def _found(tree: Any, name: str) -> Any:
    for part in name.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    return tree
