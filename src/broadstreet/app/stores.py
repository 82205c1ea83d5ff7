"""Open a store together with the keys that its bodies are sealed with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from broadstreet.app.settings import Settings
from broadstreet.store.opening import open_store
from broadstreet.store.protocol import Store
from broadstreet.store.seal import Keyring, SealedStore


@dataclass(frozen=True)
class Place:
    """Where a store and its keys are, told so that a further process can open them."""

    address: str
    keys: Path

    def __call__(self) -> Store:
        """Open what is there.

        Raises
        ------
        StoreError
            If store or keys cannot be opened.
        """
        store = open_store(self.address, create=False)
        try:
            return SealedStore(store, Keyring(self.keys, create=False))
        except BaseException:
            store.close()
            raise


def place_of(settings: Settings, path: Path | None = None) -> Place:
    """Return the place of a deployment's store, or of another file that is sealed with its keys."""
    return Place(str(path or settings.address), settings.keys_folder)


def opened(settings: Settings, path: Path | None = None, *, create: bool = True) -> Store:
    """Return the store of a deployment, or another file that is sealed with its keys.

    Raises
    ------
    StoreError
        If store or keys cannot be opened.
    """
    store = open_store(path or settings.address, create=create, index_beside=path is None and create)
    try:
        return SealedStore(store, Keyring(settings.keys_folder))
    except BaseException:
        store.close()
        raise


def keyring_of(store: Store) -> Keyring:
    """Return the keys of a store that `opened` returned."""
    keyring: Keyring = store.keyring  # type: ignore[attr-defined]  # of a sealed store
    return keyring
