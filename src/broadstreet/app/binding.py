"""Which addresses the door may listen on, and who may connect: others only once trust is configured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network

from broadstreet.app.settings import Settings, is_loopback
from broadstreet.connectors.hl7v2.server import PUT_OFF
from broadstreet.trust.accounts import Accounts


def require_trust(settings: Settings) -> None:
    """Refuse to listen for other machines before it is known who may send, and how nobody else can listen in.

    Raises
    ------
    ValueError
        If trust is not configured; the text says what to do.
    """
    mllp = settings.mllp
    if is_loopback(mllp.host):
        return
    if not Accounts(settings.folder).has_senders():
        raise ValueError(
            f"mllp.host: expected an address of this machine, got {mllp.host!r}: trust must be configured"
            " before other machines are let in, and nobody is known who may send"
            " (`broadstreet client add NAME --role sender`, with --certificate or --network)"
        )
    if not mllp.tls.certificate and not mllp.networks:
        raise ValueError(
            f"mllp.host: expected an address of this machine, got {mllp.host!r}: messages would come"
            " unencrypted; set mllp.tls.certificate and key, or name in mllp.plain_networks the networks that"
            " are trusted without"
        )


def admission_of(settings: Settings) -> Callable[[str], bool]:
    """Return what says whether an address may connect: without TLS, this machine and the trusted networks."""
    mllp = settings.mllp
    if mllp.tls.certificate or is_loopback(mllp.host):
        return lambda _: True
    networks = [ip_network(network) for network in mllp.networks]

    def admits(address: str) -> bool:
        parsed = ip_address(address.partition("%")[0])
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return plain.is_loopback or any(plain in network for network in networks)

    return admits


def refusals_of(settings: Settings, put_off: Mapping[str, float]) -> Callable[[str], str]:
    """Return what says why an address may not connect, empty if it may: `put_off` for how many seconds."""
    admits, now = admission_of(settings), time.monotonic()
    until = {address: now + seconds for address, seconds in put_off.items()}

    def refuses(address: str) -> str:
        if not admits(address):
            return "not of a network that is trusted without TLS"
        return PUT_OFF if time.monotonic() < until.get(address, 0.0) else ""

    return refuses
