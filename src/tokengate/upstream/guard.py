"""The outbound address guard: what a caller or an admin names may only be reached at public addresses.

A host is resolved, every address it has is checked, and the connection is made to exactly those addresses, so that a
name which changes its mind in between gains nothing. Hosts that the operator names may be private; the addresses where
clouds keep credentials stay closed to everyone.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import AddressFamily
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

Address = IPv4Address | IPv6Address

# Metadata services that private ranges do not cover, or that a host named as private must not reach either.
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")))
_RELAYS_V4: Final = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.0/24"))
# Prefixes behind which an IPv4 address is carried, and how far from the right it stands.
_CARRIERS: Final = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # an IPv6-only network reaches the IPv4 internet through it
_TEREDO: Final = IPv6Network("2001::/32")
_ADDRESS_CHARS: Final = frozenset("0123456789abcdefABCDEF.:x")


class AddressRefused(OSError):
    """The address may not be sent to; the message says why."""


class Guard(AbstractResolver):
    """Decides, and resolves for a connector. `private_hosts` are names (or addresses) that may be private."""

    def __init__(self, private_hosts: Collection[str] = (), resolver: AbstractResolver | None = None) -> None:
        self._private = frozenset(host.lower().rstrip(".") for host in private_hosts)
        self._resolver = resolver

    def check_url(self, url: str) -> None:
        """Raise AddressRefused for a URL that is never sent to; a host name is looked up only when it is."""
        try:
            parsed = URL(url)
            host = parsed.host
            port = parsed.port
        except ValueError:
            raise AddressRefused("it is not an address") from None
        if parsed.scheme not in ("http", "https") or not host or not port:
            raise AddressRefused("it must begin with https:// or http:// and name a host")
        if parsed.user is not None or parsed.password is not None:
            raise AddressRefused("it must not carry a name or a password")
        try:
            address = ip_address(host)
        except ValueError:
            # Forms such as 2130706433, 0x7f.1 or 127.1, which the system would take for an address.
            if _ADDRESS_CHARS.issuperset(host) and not host.lower().rstrip(".").rpartition(".")[2].isalpha():
                raise AddressRefused("its host is not written as an address usually is") from None
            return
        self._check(host, address)

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host, all of them checked. Raises AddressRefused, or OSError for no such host."""
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            self._check(host, ip_address(one["host"].partition("%")[0]))
        return found

    async def close(self) -> None:
        """Release what resolves."""
        if self._resolver is not None:
            await self._resolver.close()

    def _check(self, host: str, address: Address) -> None:
        carried = _carried(address)
        if any(one in _METADATA or one.is_link_local or one.is_multicast for one in carried):
            raise AddressRefused("its address is never sent to")
        if host.lower().rstrip(".") not in self._private and not all(map(_is_public, carried)):
            raise AddressRefused("its address is not a public one")


def _carried(address: Address) -> list[Address]:
    """Return the address and those that are inside it."""
    found: list[Address] = [address]
    if isinstance(address, IPv6Address):
        number = int(address)
        found += [IPv4Address(number >> shift & 0xFFFFFFFF) for network, shift in _CARRIERS if address in network]
        if address in _TEREDO:
            found += [IPv4Address(number >> 64 & 0xFFFFFFFF), IPv4Address(~number & 0xFFFFFFFF)]
    return found


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        if any(address in network for network in _RELAYS_V4):
            return False
    elif address in _NAT64:
        return True  # judged by the address that it carries
    elif address.is_site_local or any(address in network for network, _ in _CARRIERS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
