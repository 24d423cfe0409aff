"""Addresses: the caller's, and the gateway's own as callers reach it."""

from collections.abc import Sequence

from tokengate.core.networks import Network, plain_address, within
from tokengate.web.request import Request


def caller_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the address without a port; `forwarded_for` is the X-Forwarded-For header.

    The header is read from its end, where the nearest proxy wrote, as long as the writer is trusted.
    """
    address = plain_address(peer)
    for hop in reversed(forwarded_for.split(",")):
        if not trusted or not hop.strip() or not within(address, trusted):
            break
        address = plain_address(hop.strip())
    return address


def own_address(request: Request, configured: str) -> str:
    """Return where callers reach the gateway: as configured, else as this caller did."""
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else "http"
    return configured.rstrip("/") or f"{scheme}://{request.headers.get('host', 'localhost')}"
