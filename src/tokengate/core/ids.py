"""Time-ordered identifiers: a prefix, 48 bits of milliseconds, 80 random bits, in hexadecimal.

Later ids sort after earlier ones, so an index on them only grows at its end, and the day of a record can be
read from its id.
"""

import os
from collections.abc import Callable
from functools import lru_cache

from tokengate.core.clock import day_of

NewId = Callable[[str, float], str]

_TIME_DIGITS = 12
_RANDOM_BYTES = 10
_DIGITS = _TIME_DIGITS + 2 * _RANDOM_BYTES


def new_id(prefix: str, now_s: float) -> str:
    """Return a new id such as `req_019aa5d3c1f8a1b2c3d4e5f60718293a`."""
    return f"{prefix}_{int(now_s * 1000):012x}{os.urandom(_RANDOM_BYTES).hex()}"


def day_of_id(identifier: str) -> int | None:
    """Return the UTC day (20261121) in which an id was made; None when the text is not one of our ids."""
    return _day_of_tail(identifier[-_DIGITS - 1 :])


@lru_cache(maxsize=1024)  # every row of a call asks for the day of the same id
def _day_of_tail(tail: str) -> int | None:
    digits = tail[1:]
    if len(digits) != _DIGITS or tail[0] != "_" or not digits.isalnum():
        return None
    try:
        int(digits, 16)
        return day_of(int(digits[:_TIME_DIGITS], 16) / 1000)
    except (ValueError, OverflowError, OSError):
        return None
