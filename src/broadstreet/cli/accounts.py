"""`user` and `client`: who may sign in on this machine, and who may send messages to it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from broadstreet.cli.program import Config, Data, Mistake, app, console, settings_of, show_table
from broadstreet.trust import passwords
from broadstreet.trust.accounts import Account, Accounts
from broadstreet.trust.principals import Kind

T = TypeVar("T")

users = typer.Typer(no_args_is_help=True)
clients = typer.Typer(no_args_is_help=True)
app.add_typer(users, name="user", help="People who may sign in on this machine.")
app.add_typer(clients, name="client", help="Systems and devices that may sign in or send messages.")

Name = Annotated[str, typer.Argument(help="Name: small letters, digits and . _ @ : -", show_default=False)]
Roles = Annotated[
    list[str], typer.Option("--role", help="What it is; may be given several times.", show_default=False)
]
Organisation = Annotated[str, typer.Option(help="Id of the Organization it works for.")]
District = Annotated[str, typer.Option(help="Code of the district it is responsible for.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input: one line.")]


@users.command("add")
def add_user(
    name: Name,
    role: Roles,
    config: Config = None,
    data: Data = None,
    organisation: Organisation = "",
    district: District = "",
    resident: Annotated[str, typer.Option(help="Id of the Patient that the person is.")] = "",
    stdin: Stdin = False,
) -> None:
    """Let a person sign in; asks for a password."""
    account = Account(
        name=name, kind="person", roles=tuple(role),
        organisation=organisation, district=district, resident=resident,
    )  # fmt: skip
    accounts = _accounts(config, data)
    _told(lambda: accounts.add(account, _password(stdin)))
    console.print(f"{name} may sign in.")


@users.command("password")
def set_password(name: Name, config: Config = None, data: Data = None, stdin: Stdin = False) -> None:
    """Give a person another password; whoever is signed in as them must sign in again."""
    accounts = _accounts(config, data)
    _require(accounts, name, ("person",))
    _told(lambda: accounts.set_password(name, _password(stdin)))
    console.print(f"{name} has another password.")


@users.command("list")
def list_users(config: Config = None, data: Data = None) -> None:
    """List the people who may sign in."""
    _show(_accounts(config, data), ("person",))


@users.command("disable")
def disable_user(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a person sign in no more; what they are signed in with is refused at once."""
    _disable(_accounts(config, data), name, ("person",), True)


@users.command("enable")
def enable_user(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a person sign in again."""
    _disable(_accounts(config, data), name, ("person",), False)


@users.command("rotate-signing-key")
def rotate_signing_key(config: Config = None, data: Data = None) -> None:
    """Sign tokens with a new key; the one before still checks those that are out, after a second time no
    more."""
    id = _accounts(config, data).rotate_signing_key()
    console.print(f"Tokens are signed with the new key {id} from now on.")


@clients.command("add")
def add_client(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: Name,
    role: Roles,
    config: Config = None,
    data: Data = None,
    organisation: Organisation = "",
    district: District = "",
    device: Annotated[bool, typer.Option("--device", help="It is a device.")] = False,
    certificate: Annotated[
        list[str] | None,
        typer.Option(help="Subject of its TLS certificate, such as commonName=clinic 7.", show_default=False),
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Network it sends from, such as 10.7.0.0/24.", show_default=False)
    ] = None,
    facility: Annotated[
        list[str] | None,
        typer.Option(help="Facility (MSH-4.1) that it may speak for; without one, all.", show_default=False),
    ] = None,
) -> None:
    """Let a system sign in, or send by its certificate or network; prints its secret, once."""
    sends = bool(certificate or network)
    secret = None if sends else passwords.new_secret()
    account = Account(
        name=name, kind="device" if device else "client", roles=tuple(role), organisation=organisation,
        district=district, certificates=tuple(certificate or ()), networks=tuple(network or ()),
        facilities=tuple(facility or ()),
    )  # fmt: skip
    accounts = _accounts(config, data)
    _told(lambda: accounts.add(account, secret))
    console.print(f"{name} may send messages." if sends else f"{name} may sign in with the secret {secret}")


@clients.command("rotate")
def rotate(name: Name, config: Config = None, data: Data = None) -> None:
    """Give a client another secret and print it, once; the one before is refused at once."""
    accounts = _accounts(config, data)
    _require(accounts, name, ("client", "device"))
    secret = passwords.new_secret()
    _told(lambda: accounts.set_password(name, secret))
    console.print(f"{name} may sign in with the secret {secret}")


@clients.command("list")
def list_clients(config: Config = None, data: Data = None) -> None:
    """List the systems and devices that may sign in or send messages."""
    _show(_accounts(config, data), ("client", "device"))


@clients.command("disable")
def disable_client(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a client neither sign in nor send any more."""
    _disable(_accounts(config, data), name, ("client", "device"), True)


@clients.command("enable")
def enable_client(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a client sign in or send again."""
    _disable(_accounts(config, data), name, ("client", "device"), False)


def _accounts(config: Config, data: Data) -> Accounts:
    return Accounts(settings_of(config, data).folder)


def _password(stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _show(accounts: Accounts, kinds: tuple[Kind, ...]) -> None:
    table = Table("name", "kind", "roles", "organisation", "district", "known by", "state", box=SIMPLE_HEAD)
    for one in _told(accounts.all):
        if one.kind in kinds:
            known_by = "; ".join((*one.certificates, *one.networks)) or ("password" if one.hash else "")
            state = "disabled" if one.disabled else "enabled"
            table.add_row(
                one.name, one.kind, ", ".join(one.roles), one.organisation, one.district, known_by, state
            )
    show_table(table)


def _disable(accounts: Accounts, name: str, kinds: tuple[Kind, ...], disabled: bool) -> None:
    _require(accounts, name, kinds)
    _told(lambda: accounts.disable(name, disabled))
    console.print(f"{name} is {'disabled' if disabled else 'enabled'}.")


def _require(accounts: Accounts, name: str, kinds: tuple[Kind, ...]) -> None:
    account = _told(lambda: accounts.get(name))
    if account is None or account.kind not in kinds:
        raise Mistake(f"there is no {' or '.join(kinds)} {name!r}: see `list`")


def _told(call: Callable[[], T]) -> T:
    try:
        return call()
    except ValueError as error:
        raise Mistake(str(error)) from error
