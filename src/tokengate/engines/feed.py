"""The way of pieces from llama.cpp's threads to the event loop: bounded, and closed from the loop's side.

A producer waits when the reader is a queue's length behind, and learns from `put` that nobody reads any more.
"""

import asyncio
import threading
from collections import deque

from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.engines.pieces import Piece

_MAX_WAITING = 1_024  # pieces; most replies are shorter, so a slow reader seldom holds up a slot


class End(Struct, frozen=True):
    """A generation is over; no piece of its choice follows."""

    choice: int


Item = Piece | End | GatewayError


class Feed:
    """What the generations of one request have written. Many threads put, one task gets."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready = asyncio.Event()
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: Item) -> bool:
        """Hand over an item from any thread; waits for room. False when the feed is closed."""
        with self._changed:
            while len(self._items) >= _MAX_WAITING and not self._closed:
                self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            if len(self._items) == 1:
                self._wake()
        return not self._closed

    async def get(self) -> Item | None:
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
