"""The command line: one file a command or a small group of commands."""

from broadstreet.cli import (
    access,
    accounts,
    backup,
    city,
    compact,
    demo,
    detect,
    erase,
    followers,
    keys,
    quarantine,
    rebuild,
    send,
    serve,
    signing_in,
    status,
    verify,
)
from broadstreet.cli.program import app

__all__ = [
    "access",
    "accounts",
    "app",
    "backup",
    "city",
    "compact",
    "demo",
    "detect",
    "erase",
    "followers",
    "keys",
    "quarantine",
    "rebuild",
    "send",
    "serve",
    "signing_in",
    "status",
    "verify",
]
