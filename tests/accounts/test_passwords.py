import pytest

from tokengate.accounts.passwords import Passwords, check_new_password
from tokengate.core.errors import BadRequest


async def test_a_password_matches_its_own_hash_only():
    passwords = Passwords()

    hashed = await passwords.hash("correct horse battery")

    assert hashed.startswith("$argon2id$") and "correct" not in hashed
    assert await passwords.matches(hashed, "correct horse battery")
    assert not await passwords.matches(hashed, "correct horse battery ")
    assert hashed != await passwords.hash("correct horse battery")


@pytest.mark.parametrize("stored", ["", "no hash", "$argon2id$broken"])
async def test_without_a_hash_nothing_matches(stored: str):
    assert not await Passwords().matches(stored, "decoy")


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 257])
def test_a_new_password_has_a_sane_length(password: str):
    with pytest.raises(BadRequest):
        check_new_password(password)


def test_a_long_sentence_is_a_password():
    check_new_password("十个字就够了真的够了吗")
