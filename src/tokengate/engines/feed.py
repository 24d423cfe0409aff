"""The way of pieces from an engine's threads to the event loop: bounded, and closed from the loop's side.

A producer waits when the reader is a queue's length behind, and learns from `put` that nobody reads any more.
"""

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

from msgspec import Struct

from tokengate.core.errors import GatewayError, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Timeouts

_MAX_WAITING = 1_024  # pieces; most replies of a chat are shorter, so a slow reader seldom holds up a slot


class End(Struct, frozen=True):
    """A generation is over; no piece of its choice follows."""

    choice: int


T = TypeVar("T")


class Feed(Generic[T]):
    """What the threads of one request have written. Many threads put, one task gets."""

    def __init__(self, loop: asyncio.AbstractEventLoop, room: int = _MAX_WAITING) -> None:
        self._loop = loop
        self._room = room
        self._ready = asyncio.Event()
        self._items: deque[T | End | GatewayError] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: T | End | GatewayError) -> bool:
        """Hand over an item from any thread; waits for room. False when the feed is closed."""
        with self._changed:
            while len(self._items) >= self._room and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            if len(self._items) == 1:
                self._wake()
        return not self._closed

    async def get(self) -> T | End | GatewayError | None:
        """Return the next item, or None when the feed is closed. Must run on the loop that the feed was made with."""
        while True:
            with self._changed:
                if self._closed:
                    return None
                if self._items:
                    self._changed.notify_all()
                    return self._items.popleft()
                self._ready.clear()
            await self._ready.wait()

    def close(self) -> None:
        """Nobody reads any more; producers stop at their next piece. Must run on the loop; safe to call twice."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
        self._ready.set()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the loop is gone, and the reader with it
            self._closed = True


class Reading(Generic[T]):
    """Reads a feed within the deadlines of a request."""

    def __init__(self, feed: Feed[T], timeouts: Timeouts, backend: str) -> None:
        self._feed = feed
        self._timeouts = timeouts
        self._backend = backend
        self._stage, self._wait_s = "first", timeouts.first
        self._ends_s = asyncio.get_running_loop().time() + timeouts.total

    async def next(self) -> T | End:
        """Return the next item. Raises the error that was put in, UpstreamTimeout, or UpstreamFailed when the feed was
        closed."""
        match await self._next():
            case GatewayError() as error:
                raise error
            case None:
                raise UpstreamFailed("The local model was stopped.", kind="cut", backend=self._backend)
            case item:
                self._stage, self._wait_s = "between", self._timeouts.between
                return item

    async def _next(self) -> T | End | GatewayError | None:
        stage, wait_s = self._stage, self._wait_s
        left_s = self._ends_s - asyncio.get_running_loop().time()
        if left_s < wait_s:
            stage, wait_s = "total", left_s
        try:
            async with asyncio.timeout(wait_s):
                return await self._feed.get()
        except TimeoutError:
            raise UpstreamTimeout(
                f"The local model '{self._backend}' did not answer in time ({stage}).",
                stage=stage,
                backend=self._backend,
            ) from None
