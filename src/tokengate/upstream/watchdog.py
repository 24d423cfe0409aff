"""Deadlines for any number of exchanges with one timer: open exchanges keep a number, a tick compares them all.

A timer per piece of a stream would cost more than the piece. A deadline is never early and at most `TICK_S` late.
"""

import asyncio
import math
from typing import Protocol

from tokengate.core.clock import Clock

TICK_S = 0.1

NEVER = math.inf


class Watched(Protocol):
    """Something with deadlines, as readings of the watchdog's clock."""

    deadline_s: float  # of the current wait; NEVER while nobody waits for the backend
    total_deadline_s: float

    def check(self, latest_s: float) -> None:
        """Move the deadline while the wait is not the backend's fault. `latest_s` as `Watchdog.latest_s`."""
        ...

    def expire(self, *, total: bool) -> None:
        """End the exchange: its deadline has passed, or its total one."""
        ...

    def close(self) -> None:
        """End the exchange: nobody wants it any more."""
        ...


class Watchdog:
    """Watches open exchanges. The timer runs only while there are any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.latest_s = 0.0  # no reading of the clock before the next tick is later than this

    def watch(self, exchange: Watched) -> None:
        """Begin to watch."""
        self._open.add(exchange)
        if self._timer is None:
            self.latest_s = self._clock.monotonic_s() + TICK_S
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick_and_rearm)

    def forget(self, exchange: Watched) -> None:
        """Stop watching; harmless when it is not watched."""
        self._open.discard(exchange)

    def tick(self) -> None:
        """Expire every exchange whose deadline has passed."""
        now_s = self._clock.monotonic_s()
        self.latest_s = now_s + TICK_S
        for exchange in list(self._open):
            if now_s >= exchange.total_deadline_s:
                exchange.expire(total=True)
                continue
            exchange.check(self.latest_s)
            if now_s >= exchange.deadline_s:
                exchange.expire(total=False)

    def close(self) -> None:
        """End what is still open and stop the timer."""
        for exchange in list(self._open):
            exchange.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick_and_rearm(self) -> None:
        self._timer = None
        self.tick()
        if self._open:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick_and_rearm)
