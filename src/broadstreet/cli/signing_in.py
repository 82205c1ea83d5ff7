"""`sign-in` and `sign-out`: who is at the command line, once there are accounts."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from broadstreet.app import requests
from broadstreet.app.callers import Callers
from broadstreet.app.reach import hub_of
from broadstreet.app.settings import Settings
from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of
from broadstreet.trust.accounts import Accounts, write_private
from broadstreet.trust.tokens import ACCESS, SECOND

TOKEN = "BROADSTREET_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE = "BROADSTREET_TOKEN_FILE"  # noqa: S105 - the name of a variable
MINUTES = ACCESS // SECOND // 60


@app.command("sign-in")
def sign_in(
    name: Annotated[str, typer.Argument(help="Name of the account.", show_default=False)],
    config: Config = None,
    data: Data = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password from standard input: one line.")
    ] = False,
) -> None:
    """Sign in for a quarter of an hour; asks for the password.

    The token is kept in a file that only you may open: that which BROADSTREET_TOKEN_FILE names, or one in
    your home.
    """
    settings = settings_of(config, data)
    password = sys.stdin.readline().rstrip("\r\n") if stdin else typer.prompt("Password", hide_input=True)
    _sign_in(settings, name, str(password))
    console.print(f"Signed in as {name} for {MINUTES} minutes.", markup=False)


@app.command("sign-out")
def sign_out(config: Config = None, data: Data = None) -> None:
    """Forget the token."""
    _file(settings_of(config, data)).unlink(missing_ok=True)
    console.print("Signed out.")


def token_of(settings: Settings) -> str:
    """Return the token of who is at the command line; empty as long as there are no accounts.

    It is that of BROADSTREET_TOKEN, or of the file; without one, a terminal is asked for name and password.

    Raises
    ------
    Mistake
        If nobody is signed in, and nobody can be asked.
    """
    try:
        if not Accounts(settings.folder).configured:
            return ""
    except ValueError as error:
        raise Mistake(str(error)) from error
    if held := os.environ.get(TOKEN):
        return held
    if (token := _kept(settings)) is not None:
        return token
    if not sys.stdin.isatty():
        raise Mistake(
            "there are accounts, so somebody must be signed in: `broadstreet sign-in NAME`, or a token in"
            f" {TOKEN}"
        )
    name = str(typer.prompt("Name"))
    return _sign_in(settings, name, str(typer.prompt("Password", hide_input=True)))


def _sign_in(settings: Settings, name: str, password: str) -> str:
    """Return the token, which is kept in the file; the hub counts the attempts, if one runs."""
    client = hub_of(settings)
    if client is not None:
        with client:
            token = str(client.ask(requests.SignIn(name=name, password=password))["token"])
    else:
        try:
            token = Callers(settings.folder).sign_in(name, password).access
        except ValueError as error:
            raise Mistake(str(error)) from error
    file = _file(settings)
    file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    write_private(file, token.encode())
    return token


def _kept(settings: Settings) -> str | None:
    """Return the token in the file, if it is still good."""
    file = _file(settings)
    if not file.exists():
        return None
    if file.stat().st_mode & 0o077:
        raise Mistake(f"{file} may be read by others (chmod 600 it): it holds a token")
    token = file.read_text().strip()
    try:
        Callers(settings.folder).principal(token)
    except ValueError:
        return None
    return token


def _file(settings: Settings) -> Path:
    named = os.environ.get(TOKEN_FILE)
    if named:
        return Path(named)
    store = sha256(str(settings.folder.absolute()).encode()).hexdigest()[:16]
    return Path.home() / ".broadstreet" / f"token-{store}"
