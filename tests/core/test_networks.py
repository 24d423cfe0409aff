import pytest

from tokengate.core.networks import plain_address, read_networks, within


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("here", False),
    ],
)
def test_an_address_lies_in_a_network_or_not(address: str, inside: bool):
    assert within(address, read_networks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])) == inside


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "example.com", "1.2.3"])
def test_what_is_no_network_is_refused(text: str):
    with pytest.raises(ValueError):
        read_networks([text])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("x" * 100, "x" * 64),
    ],
)
def test_an_address_stands_without_its_port(text: str, address: str):
    assert plain_address(text) == address
