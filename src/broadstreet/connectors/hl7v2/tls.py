"""TLS for MLLP: who the hub is, and which clients it knows."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\,="})


def server_tls(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """Return the server's side.

    Parameters
    ----------
    certificate, key : the hub's certificate chain and private key (PEM)
    clients : certificates of the authorities whose clients may connect (PEM); None asks for no certificate

    Returns
    -------
    A context of TLS 1.2 or newer.

    Raises
    ------
    OSError
        If a file cannot be read, or does not hold what it should (`ssl.SSLError`).
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED if clients else ssl.CERT_NONE
    return context


def client_tls(authorities: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return the client's side: the server must show a certificate of `authorities` for its name.

    Parameters
    ----------
    authorities : certificates of the authorities (PEM)
    certificate, key : the client's own certificate chain and private key (PEM), where the server asks for it

    Returns
    -------
    A context of TLS 1.2 or newer.

    Raises
    ------
    OSError
        If a file cannot be read, or does not hold what it should (`ssl.SSLError`).
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def subject(certificate: dict[str, Any] | None) -> str | None:
    """Return the subject of a peer's certificate (``commonName=clinic 7,organizationName=...``), or None.

    The signs ``,``, ``=`` and ``\\`` in it stand behind a backslash, so that one name cannot pass for two.
    """
    if not certificate:
        return None
    pairs = [pair for relative_name in certificate.get("subject", ()) for pair in relative_name]
    return ",".join(f"{name}={value.translate(_ESCAPED)}" for name, value in pairs)
