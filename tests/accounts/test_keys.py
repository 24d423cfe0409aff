import hashlib
import re

import pytest

from tokengate.accounts.keys import KeyLimits, digest_of, new_key


def test_a_new_key_is_43_letters_and_digits_behind_sk():
    key = new_key()

    assert re.fullmatch(r"sk-[0-9A-Za-z]{43}", key.text)
    assert key.digest == hashlib.sha256(key.text.encode()).digest()
    assert key.text.startswith(key.prefix) and len(key.prefix) == 8
    assert key.text.endswith(key.last4) and len(key.last4) == 4


def test_keys_do_not_repeat_and_use_every_character():
    texts = [new_key().text for _ in range(200)]

    assert len(set(texts)) == 200
    assert len(set("".join(texts)[3:])) == 63  # 62 and the dash of the prefix


@pytest.mark.parametrize("text", ["", "sk-é", "sk-\x00", "sk-\udcff", "键" * 10_000])
def test_any_text_has_a_digest(text: str):
    assert len(digest_of(text)) == 32


@pytest.mark.parametrize(
    "limits",
    [
        {"requests_per_minute": 0},
        {"requests_per_minute": 2**31},
        {"tokens_per_minute": -1},
        {"concurrency": 0},
        {"spend_per_day_nano": 2**63},
    ],
)
def test_a_limit_that_no_column_holds_or_no_call_passes_is_refused_by_name(limits: dict[str, int]):
    with pytest.raises(ValueError, match=next(iter(limits))):
        KeyLimits(**limits)
