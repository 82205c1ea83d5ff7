"""Signing in: a name and a password become tokens, and a token becomes a principal.

Whoever fails learns only that it failed: unknown names, wrong passwords and disabled accounts look and last
alike.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from broadstreet.model.clock import Clock, microseconds
from broadstreet.trust import passwords
from broadstreet.trust.accounts import Account, Accounts
from broadstreet.trust.principals import Principal
from broadstreet.trust.throttle import Throttle
from broadstreet.trust.tokens import BadToken, Claims, Signer

_log = logging.getLogger(__name__)


class SignInRefused(Exception):
    """Name and password do not fit."""

    def __init__(self) -> None:
        super().__init__("name and password do not fit, or the account is disabled")


@dataclass(frozen=True)
class Session:
    """Who signed in, a token for reads, and one to be exchanged, once, for new ones."""

    principal: Principal
    access: str
    refresh: str


class Identity(Protocol):
    """Tells who presents a token: accounts of this machine, or later an OpenID Connect provider."""

    def principal(self, token: str) -> Principal:
        """Return who presents an access token.

        Raises
        ------
        BadToken
            If it is not accepted.
        """
        ...


class SignIn:
    """Signs in the accounts of this machine.

    Parameters
    ----------
    accounts
        Who there is.
    clock
        Tells how long tokens are good, and how long to wait after failures.
    """

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts, self._clock = accounts, clock
        self._throttle = Throttle()
        self._keys = accounts.signing_keys()
        self._signer = Signer(self._keys, clock)

    def sign_in(self, name: str, password: str, address: str) -> Session:
        """Return a session for a name and its password, asked for from an address.

        Raises
        ------
        SignInRefused
            If they do not fit.
        Throttled
            If there were too many attempts.
        """
        name, now = name[:100], microseconds(self._clock.now()) / 1e6
        self._throttle.admit(name, address, now)
        account = self._accounts.get(name)
        usable = account if account is not None and not account.disabled and account.hash else None
        if not passwords.fits(usable.hash if usable else None, password) or usable is None:
            self._throttle.failed(name, address, now)
            _log.warning("a sign-in from %s was refused", address)
            raise SignInRefused
        self._throttle.succeeded(name, address)
        if passwords.outdated(usable.hash):
            _log.info("the password of %s has an outdated hash: set it again", usable.name)
        return self._session(usable)

    def renew(self, refresh: str) -> Session:
        """Return a new session for a refresh token, which is spent by it.

        Raises
        ------
        BadToken
            If it is not accepted.
        """
        claims = self._signer.spend(refresh)
        return self._session(self._account(claims), claims.family)

    def principal(self, token: str) -> Principal:
        """Return who presents an access token, with the roles that the account has now.

        Raises
        ------
        BadToken
            If it is not accepted.
        """
        return self._account(self._signer.read(token, "access")).principal

    def read_keys_again_if_rotated(self) -> None:
        """Take over signing keys that were rotated; spent refresh tokens are forgotten, and with them all
        others."""
        keys = self._accounts.signing_keys()
        if keys != self._keys:
            self._keys = keys
            self._signer = Signer(keys, self._clock)

    def _account(self, claims: Claims) -> Account:
        account = self._accounts.get(claims.name)
        if account is None or account.disabled or account.generation != claims.generation:
            raise BadToken("the account was changed since")
        return account

    def _session(self, account: Account, family: str = "") -> Session:
        issue = self._signer.issue
        refresh = issue(account.name, account.generation, "refresh", family)
        return Session(account.principal, issue(account.name, account.generation, "access", family), refresh)
