import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.sealing import Sealer, Unsealable

KEY = bytes(range(32))


@given(st.binary(max_size=2_000), st.binary(max_size=50))
def test_what_was_sealed_opens_again(data: bytes, context: bytes):
    assert Sealer(KEY).open(Sealer(KEY).seal(data, context), context) == data


def test_nothing_of_the_data_can_be_read_and_no_two_seals_are_alike():
    sealer = Sealer(KEY)

    first, second = sealer.seal(b"a secret", b"here"), sealer.seal(b"a secret", b"here")

    assert b"secret" not in first
    assert first != second


def test_another_key_or_another_context_does_not_open():
    sealed = Sealer(KEY).seal(b"a secret", b"here")

    with pytest.raises(Unsealable):
        Sealer(bytes(32)).open(sealed, b"here")
    with pytest.raises(Unsealable):
        Sealer(KEY).open(sealed, b"there")


def test_no_altered_byte_and_no_cut_is_accepted():
    sealed = Sealer(KEY).seal(b"a secret", b"here")
    altered = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    cut = [sealed[:length] for length in range(len(sealed))]

    for value in [*altered, *cut, sealed + b"\0"]:
        with pytest.raises(Unsealable):
            Sealer(KEY).open(value, b"here")
