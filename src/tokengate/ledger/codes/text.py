"""Redemption codes as text: random, readable aloud, and with a check character, so that a slip of the finger is told
from a wrong code without asking anybody.

    7KQM-2XW9-HD4T-PB8R-V3NE      19 random characters (94 bits) and one to check them
"""

import hashlib
import secrets
from collections.abc import Iterable

from msgspec import Struct

# No 0, O, 1, I or L. 31 is a prime: one wrong character, or two in each other's place, always break the sum.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CHARS = 20
_GROUP = 4
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014\u3000\uff0d\t\r\n")
_MAX_TYPED = 100  # characters, separators included


class NewCode(Struct, frozen=True):
    """A code just made: `text` is for whoever gets it, the rest is what is stored."""

    text: str
    digest: bytes
    last4: str


def new_code() -> NewCode:
    """Return a new random code."""
    chars = [secrets.choice(_ALPHABET) for _ in range(_CHARS - 1)]
    chars.append(_ALPHABET[-_sum(chars) * _inverse(_CHARS) % len(_ALPHABET)])
    plain = "".join(chars)
    assert _sum(plain) == 0
    text = "-".join(plain[start : start + _GROUP] for start in range(0, _CHARS, _GROUP))
    return NewCode(text=text, digest=_digest_of(plain), last4=plain[-4:])


def read_code(typed: str) -> bytes | None:
    """Return the digest of a code as somebody typed it, in any case and grouping; None when it cannot be one."""
    if len(typed) > _MAX_TYPED:
        return None
    plain = typed.translate(_SEPARATORS).upper()
    if len(plain) != _CHARS or not all(char in _VALUES for char in plain) or _sum(plain):
        return None
    return _digest_of(plain)


def _sum(chars: Iterable[str]) -> int:
    return sum(place * _VALUES[char] for place, char in enumerate(chars, 1)) % len(_ALPHABET)


def _inverse(place: int) -> int:
    return pow(place, -1, len(_ALPHABET))


def _digest_of(plain: str) -> bytes:
    """Return what a code is known by. 94 random bits need no salt and no slow hash."""
    return hashlib.sha256(plain.encode()).digest()
