"""Time as an argument: the one place that reads the machine's clocks."""

import asyncio
import time
from datetime import date
from functools import lru_cache
from typing import Protocol

_DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


class Clock(Protocol):
    """What the product needs of time."""

    def now_s(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    now_s = staticmethod(time.time)
    monotonic_s = staticmethod(time.monotonic)


def day_of(now_s: float) -> int:
    """Return the UTC day as an integer such as 20261121, the first part of every usage key."""
    return _day(int(now_s // _DAY_S))


@lru_cache(maxsize=64)
def _day(days: int) -> int:
    at = date.fromordinal(_EPOCH + days)
    return at.year * 10_000 + at.month * 100 + at.day


def now_ms(clock: Clock) -> int:
    """Return milliseconds since the epoch, UTC, as every `_ms` column stores them."""
    return int(clock.now_s() * 1000)


async def sleep_ms(duration_ms: int) -> None:
    """Wait; for code that counts time in integers because it also counts money."""
    await asyncio.sleep(duration_ms / 1000)


def seconds_of(now_ms: int) -> float:
    """Return seconds since the epoch, for what takes them; the counterpart of `now_ms`."""
    return now_ms / 1000
