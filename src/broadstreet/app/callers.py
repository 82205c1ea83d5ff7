"""Who asks at the command line or over the control socket, and the reader that they get."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from broadstreet.model.clock import Clock, SystemClock
from broadstreet.store.committer import Committer
from broadstreet.store.protocol import Store
from broadstreet.trust.accounts import Accounts, write_private
from broadstreet.trust.principals import Principal
from broadstreet.trust.reading import Trust, recording
from broadstreet.trust.signin import Session, SignIn, SignInRefused
from broadstreet.trust.throttle import Throttled
from broadstreet.trust.tokens import BadToken

OWNER: Final = Principal("local", "person", frozenset({"epidemiologist", "operator", "privacy-officer"}))
"""Who owns the data folder, as long as there are no accounts: they can read its files anyway."""
PSEUDONYMS: Final = "pseudonyms.key"
HERE: Final = "127.0.0.1"


class Callers:
    """Tells who presents a token.

    Parameters
    ----------
    folder
        Where the accounts are.
    """

    def __init__(self, folder: Path) -> None:
        self.accounts = Accounts(folder)
        self._sign_in: SignIn | None = None
        # Never a driven clock: what is good for a quarter of an hour is so in the world.
        self._clock: Clock = SystemClock()

    def principal(self, token: str) -> Principal:
        """Return who presents a token; without accounts the owner of the data folder.

        Raises
        ------
        ValueError
            If the token is not accepted.
        """
        if not self.accounts.configured:
            return OWNER
        try:
            return self._signing().principal(token)
        except BadToken as error:
            raise ValueError(f"{error} (`broadstreet sign-in NAME`)") from None

    def sign_in(self, name: str, password: str) -> Session:
        """Return a session for a name and its password.

        Raises
        ------
        ValueError
            If they do not fit, or there were too many attempts.
        """
        try:
            return self._signing().sign_in(name, password, HERE)
        except (SignInRefused, Throttled) as error:
            raise ValueError(str(error)) from None

    def _signing(self) -> SignIn:
        if self._sign_in is None:
            self._sign_in = SignIn(self.accounts, self._clock)
        self._sign_in.read_keys_again_if_rotated()
        return self._sign_in


def trust_of(store: Store, committer: Committer, clock: Clock, keys: Path) -> Trust:
    """Return what hands out readers of a store; the key of pseudonyms lies with the other keys."""
    return Trust(store, recording(committer), clock, _secret(keys / PSEUDONYMS))


def _secret(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        write_private(path, secrets.token_bytes(32))
    return path.read_bytes()
