"""The caller's address: the connection's own, or what a proxy that the operator trusts says of it."""

from collections.abc import Sequence

from tokengate.core.networks import Network, plain_address, within


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
