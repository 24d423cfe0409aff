"""Time-ordered identifiers: a prefix, 48 bits of milliseconds, 80 random bits, in hexadecimal.

Later ids sort after earlier ones, within one process even those of the same millisecond, so lists are in the order in
which things happened, an index only grows at its end, and the day of a record can be read from its id.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from random import getrandbits

from tokengate.core.clock import day_of

NewId = Callable[[str, float], str]

_TIME_DIGITS = 12
_RANDOM_BYTES = 10
_DIGITS = _TIME_DIGITS + 2 * _RANDOM_BYTES
_RANDOM_BITS = 8 * _RANDOM_BYTES
_STEP_BITS = 56  # of a random step within a millisecond: eight million of them fit behind a first half-range number
_ROUNDING = 0.001  # of a millisecond: seconds that were made of whole milliseconds must give the same ones again


def _in_order() -> NewId:
    """Return the process's one source of ids. The last id is its only state; two threads that meet here step by
    different random amounts, so that their ids still differ."""
    random_bytes, number_of = os.urandom, int.from_bytes
    last = 0

    def new_id(prefix: str, now_s: float) -> str:
        """Return a new id such as `req_019aa5d3c1f8a1b2c3d4e5f60718293a`."""
        nonlocal last
        ms = int(now_s * 1000 + _ROUNDING)
        if last >> _RANDOM_BITS == ms:
            last += getrandbits(_STEP_BITS) + 1
        else:
            last = ms << _RANDOM_BITS | number_of(random_bytes(_RANDOM_BYTES)) >> 1
        return f"{prefix}_{last:032x}"

    return new_id


new_id = _in_order()


def day_of_id(identifier: str) -> int | None:
    """Return the UTC day (20261121) in which an id was made; None when the text is not one of our ids."""
    return _day_of_tail(identifier[-_DIGITS - 1 :])


def ms_of_id(identifier: str) -> int:
    """Return when one of our ids was made, in milliseconds since the epoch."""
    return int(identifier[-_DIGITS:][:_TIME_DIGITS], 16)


def time_of(identifier: str) -> str:
    """Return one of our ids without its prefix; ids of several kinds are in the order of these."""
    return identifier[-_DIGITS:]


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
