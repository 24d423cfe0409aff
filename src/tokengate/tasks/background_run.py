"""One response that is made in the background: the pipeline's sink, which keeps what another would send, until it is
durable.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tokengate.conversations.background import Background
from tokengate.core.sse import split_frames
from tokengate.formats.responses.background import TOLD_AT_FIRST
from tokengate.gateway.call import Call, Headers
from tokengate.gateway.responses import InBackground

_MOST_UNKEPT_BYTES: Final = 1024 * 1024  # of a stream, before it waits for the database


class Begun(Struct, frozen=True):
    """A response that is being made: its id, and the reply that says so. `headers` are the reply's but for the type of
    its content."""

    id: str
    headers: Headers
    response: bytes


class Run:
    """One response being made: implements the pipeline's `Sink`."""

    def __init__(self, in_background: InBackground, owner: str) -> None:
        self.task: asyncio.Task[None] | None = None
        self.one: Background | None = None
        self.in_background = in_background
        self.owner = owner
        self.call: Call | None = None
        self.begun: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()
        self.wish = ""
        self.left = False  # to whoever takes it up when this process has stopped
        self.kept = False  # its rows are with its bill
        self.opened = False
        self.base = TOLD_AT_FIRST  # the number of the first event in `tail`
        self.tail: list[bytes] = []  # what is not durable yet
        self.news = asyncio.Event()  # replaced whenever it is set
        self._tail_bytes = 0
        self._gone: Callable[[], None] | None = None

    @property
    def told(self) -> int:
        """How many events there are."""
        return self.base + len(self.tail)

    @property
    def is_known(self) -> bool:
        """Whether its caller knows that it was begun."""
        return self.begun.done() and self.begun.exception() is None

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        raise AssertionError("such responses are streams")

    def open(self, status: int, headers: Headers, first: bytes = b"") -> None:
        """Take note that the response is being made."""
        self.opened = True
        self._take(first)

    async def write(self, data: bytes) -> None:
        """Keep events; wait while too many of them are not durable."""
        self._take(data)
        while self._tail_bytes > _MOST_UNKEPT_BYTES:
            await self.news.wait()

    def end(self, last: bytes) -> None:
        """Do nothing: the last events are kept with the bill."""

    def break_off(self) -> None:
        """Do nothing: who reads the stream is told why it ended."""

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back when the response is cancelled or deleted; at once when it is already."""
        if self.wish:
            callback()
        else:
            self._gone = callback

    def obey(self, wish: str) -> None:
        """End, because its caller cancels or deletes the response."""
        first, self.wish = not self.wish, wish
        if first and self._gone is not None:
            self._gone()

    def forget(self, count: int) -> None:
        """Drop so many events, which are durable now."""
        self._tail_bytes -= sum(map(len, self.tail[:count]))
        self.base += count
        del self.tail[:count]
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()
        self.news = asyncio.Event()

    def _take(self, data: bytes) -> None:
        if self.in_background.streams:
            self.tail.extend(split_frames(data))
            self._tail_bytes += len(data)
        self.tell()
