"""Addresses and networks: what a key's allow-list and the list of trusted proxies are made of."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return networks. Raises ValueError for what is neither an address nor a CIDR block."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts)


def within(address: str, networks: Sequence[Network]) -> bool:
    """Return whether an address lies in one of the networks; what is no address lies in none."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def plain_address(text: str) -> str:
    """Return an address without brackets and without its port, cut to what a column holds."""
    host = text
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host[:64]
