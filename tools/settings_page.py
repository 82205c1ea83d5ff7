"""Write docs/settings.md from the settings themselves: `python tools/settings_page.py`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.app.settings import Setting, described

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"

_HEAD = """# Settings

<!-- Written by tools/settings_page.py from src/broadstreet/app/settings.py; do not edit. -->

Every setting has a default. Values come from one TOML file, are overridden by environment variables, and
these by options of the command line. The file is the one that `--config` or `BROADSTREET_CONFIG` names;
otherwise `broadstreet.toml` in the folder that `--data` names, or in the current folder, if there is one.
An unknown name, a wrong type or a value out of range is refused with its name, what was expected, what came
and from where.

```toml
zone = "America/New_York"

[mllp]
port = 2575

[senders.zones]
RIVERSIDE = "America/Chicago"
```

In an environment variable, tables are written as in TOML: `BROADSTREET_SENDERS_ZONES='{RIVERSIDE = "UTC"}'`.

| Setting | Environment variable | Takes | Default | Meaning |
|---|---|---|---|---|
"""

_FOOT = """
Some variables with this prefix are no settings: `BROADSTREET_CONFIG` names the file, and the tests read
`BROADSTREET_SHARED` and a few others.
"""


def text() -> str:
    """Return the page."""
    return _HEAD + "".join(f"{_row(setting)}\n" for setting in described()) + _FOOT


def _row(setting: Setting) -> str:
    default = "none" if setting.default is None else f"`{msgspec.json.encode(setting.default).decode()}`"
    cells = (f"`{setting.name}`", f"`{setting.variable}`", setting.takes, default, setting.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
