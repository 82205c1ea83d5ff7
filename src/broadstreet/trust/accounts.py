"""Accounts of people and clients of one machine, in one file that only its owner may open.

The file has password hashes, senders' networks and certificates, and the keys that sign tokens. It is
replaced whole: written beside, synced, renamed. Who edits it holds a lock on a file beside it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from broadstreet.trust import passwords
from broadstreet.trust.principals import Kind, Principal

FILE: Final = "accounts.json"
MOST_ACCOUNTS: Final = 100_000
KEPT_KEYS: Final = 2
"""Signing keys: the newest, which signs, and the one before, so that tokens outlive a rotation."""


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a principal: see `Principal`, and how it proves who it is.

    `generation` grows with each change of its password or state: tokens of an older one are refused.
    `certificates` are subjects as `tls.subject` writes them, `networks` in the form 10.1.0.0/16, `facilities`
    those that a sender may speak for, as its messages name them (empty: all).
    """

    name: str
    kind: Kind
    roles: tuple[str, ...] = ()
    organisation: str = ""
    district: str = ""
    resident: str = ""
    hash: str = ""
    generation: int = 1
    disabled: bool = False
    certificates: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()

    @property
    def principal(self) -> Principal:
        """Who it is."""
        return Principal(
            self.name, self.kind, frozenset(self.roles), self.organisation, self.district, self.resident
        )


class _Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds; `signing` are the keys by id, in base64, the newest last."""

    accounts: dict[str, Account] = {}
    signing: dict[str, str] = {}


class Accounts:
    """The accounts in a folder; read again whenever the file was replaced.

    Raises
    ------
    ValueError
        From whatever reads: if the file is not one of ours, or others may read it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._held, self._seen = _Held(), (0, 0)

    def get(self, name: str) -> Account | None:
        """Return an account by its name."""
        return self._read().accounts.get(name)

    def all(self) -> list[Account]:
        """Return every account, by name."""
        accounts = self._read().accounts
        return [accounts[name] for name in sorted(accounts)]

    def signing_keys(self) -> dict[str, bytes]:
        """Return the keys that check tokens, the one that signs last; one is made where there is none."""
        if not self._read().signing:
            self.rotate_signing_key()
        return {id: b64decode(key) for id, key in self._read().signing.items()}

    def sender(self, address: str, certificate: str | None) -> Principal | None:
        """Return who sends from an address with a certificate; None if nobody may."""
        account = self.sending(address, certificate)
        return None if account is None else account.principal

    def sending(self, address: str, certificate: str | None) -> Account | None:
        """Return the account of who sends from an address with a certificate; None if nobody may.

        An account with certificates is known by one of them; if it has networks as well, both must fit.
        """
        for account in self.all():
            if not account.disabled and _sends(account, address, certificate):
                return account
        return None

    @property
    def configured(self) -> bool:
        """Whether trust is configured: there is an account, and from then on nobody acts without one."""
        return bool(self._read().accounts)

    def of_resident(self, residents: Collection[str]) -> list[Account]:
        """Return the accounts of residents."""
        return [account for account in self.all() if account.resident in residents and account.resident]

    def has_senders(self) -> bool:
        """Say whether any account may send messages by its certificate or network."""
        return any((a.certificates or a.networks) and not a.disabled for a in self.all())

    # -- changes ---------------------------------------------------------------------------------

    def add(self, account: Account, password: str | None = None) -> None:
        """Add an account.

        Raises
        ------
        ValueError
            If there is one of the name, or something in it is wrong.
        """
        _require_sound(account)
        if password is not None:
            account = replace(account, hash=passwords.hashed(password))
        with self._editing() as held:
            if account.name in held.accounts:
                raise ValueError(f"there is an account {account.name} already: choose another name")
            if len(held.accounts) >= MOST_ACCOUNTS:
                raise ValueError(f"there are {MOST_ACCOUNTS:,} accounts, the most that this file may hold")
            held.accounts[account.name] = account

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password or secret; whoever is signed in must sign in again."""
        hash = passwords.hashed(password)
        with self._editing() as held:
            account = _required(held, name)
            held.accounts[name] = replace(account, hash=hash, generation=account.generation + 1)

    def disable(self, name: str, disabled: bool = True) -> None:
        """Let an account sign in no more, or again; its tokens are refused at once."""
        with self._editing() as held:
            account = _required(held, name)
            held.accounts[name] = replace(account, disabled=disabled, generation=account.generation + 1)

    def rotate_signing_key(self) -> str:
        """Make a new signing key and keep the one before; return its id."""
        with self._editing() as held:
            id = secrets.token_hex(4)
            held.signing[id] = b64encode(secrets.token_bytes(32)).decode()
            for old in list(held.signing)[:-KEPT_KEYS]:
                del held.signing[old]
        return id

    # -- the file --------------------------------------------------------------------------------

    def _read(self) -> _Held:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return _Held()
        if status.st_mode & 0o077:
            raise ValueError(f"{self._path} may be read by others (chmod 600 it): it holds hashes and keys")
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            try:
                self._held = msgspec.json.decode(self._path.read_bytes(), type=_Held)
            except msgspec.MsgspecError as error:
                raise ValueError(f"{self._path} is not a file of accounts: {error}") from error
            self._seen = seen
        return self._held

    @contextmanager
    def _editing(self) -> Iterator[_Held]:
        self._path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = self._read()
            draft = _Held(dict(held.accounts), dict(held.signing))
            yield draft
            write_private(self._path, msgspec.json.format(msgspec.json.encode(draft), indent=1))
        finally:
            os.close(lock)


def write_private(path: Path, data: bytes) -> None:
    """Replace a file, whole and durably, by one that only its owner may open."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sends(account: Account, address: str, certificate: str | None) -> bool:
    if not account.certificates and not account.networks:
        return False
    if account.certificates and certificate not in account.certificates:
        return False
    return not account.networks or _within(address, account.networks)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in ip_network(network) for network in networks)


def _required(held: _Held, name: str) -> Account:
    if name not in held.accounts:
        raise ValueError(f"there is no account {name!r}: see `broadstreet user list` and `client list`")
    return held.accounts[name]


def _require_sound(account: Account) -> None:
    _ = account.principal  # refuses names and roles that are none
    for network in account.networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise ValueError(f"a network is written as 10.1.0.0/16 or fd00::/8 ({error})") from None
    if "resident" in account.roles and not account.resident:
        raise ValueError("the role resident names the resident: the id of their Patient")
