import pytest

from tokengate.core.networks import read_networks
from tokengate.web.address import caller_address

TRUSTED = read_networks(["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # a caller who names an address that is not its own
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::1", "203.0.113.9", "::1"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_caller_is(peer: str, forwarded_for: str, address: str):
    assert caller_address(peer, forwarded_for, TRUSTED) == address


def test_without_a_trusted_proxy_the_connection_s_own_address_counts():
    assert caller_address("10.0.0.1", "203.0.113.9", ()) == "10.0.0.1"
