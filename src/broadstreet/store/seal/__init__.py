"""Sealing: what is told about a resident is encrypted with a key of their own, and lost with it."""

from broadstreet.store.seal.keyring import Keyring as Keyring
from broadstreet.store.seal.sealed import SealedStore as SealedStore
