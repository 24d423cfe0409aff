"""The caller's address: the connection's own, or what a proxy that the operator trusts says of it."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def caller_address(peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """Return the address without a port; `forwarded_for` is the X-Forwarded-For header.

    The header is read from its end, where the nearest proxy wrote, as long as the writer is trusted.
    """
    if not trusted or not forwarded_for:
        return plain(peer)
    networks = networks_of(tuple(trusted))
    address = plain(peer)
    for hop in reversed(forwarded_for.split(",")):
        if not within(address, networks):
            break
        address = plain(hop.strip())
    return address


def within(address: str, networks: Sequence[Network]) -> bool:
    """Return whether an address lies in one of the networks; what is no address lies in none."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


@lru_cache(maxsize=1024)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return networks, read once. Raises ValueError for what is neither an address nor a CIDR block."""
    return tuple(ip_network(text, strict=False) for text in texts)


def plain(address: str) -> str:
    """Return an address without brackets and without its port, cut to what a column holds."""
    host = address
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host[:64]
