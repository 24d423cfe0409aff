"""One request and its reply on one connection: deadlines, the body as it arrives, and an end that the backend sees
at once.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Literal, Self

from aiohttp import ClientError, ClientOSError
from aiohttp.connector import Connection

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import Timeouts
from tokengate.core.upload import Upload
from tokengate.upstream import failures
from tokengate.upstream.idle import IdleConnections
from tokengate.upstream.inflate import ENCODINGS, Inflater
from tokengate.upstream.reader import Lost, ReplyReader, Unreadable
from tokengate.upstream.watchdog import NEVER, Watchdog

# A body up to this size travels in one write with the head; copying a larger one costs more than a second write.
_ONE_WRITE_BYTES: Final = 16 * 1024

Stage = Literal["connect", "first", "between", "total"]


class _Chunks:
    """Not a generator: one that is left before its end costs the event loop a task that closes it."""

    __slots__ = ("_next",)

    def __init__(self, next_piece: Callable[[], Awaitable[bytes]]) -> None:
        self._next = next_piece

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._next()
        if not piece:
            raise StopAsyncIteration
        return piece


class HttpExchange:
    """Implements `core.http.Exchange`; `HttpTransport.send` connects it and asks."""

    __slots__ = (
        "_expired",
        "_idle",
        "_inflater",
        "_place",
        "_reader",
        "_resume_s",
        "_stage",
        "_task",
        "_timeouts",
        "_unsent_bytes",
        "_unsent_pieces",
        "_watchdog",
        "_whole",
        "backend",
        "deadline_s",
        "headers",
        "status",
        "total_deadline_s",
    )

    status: int
    headers: Mapping[str, str]

    def __init__(self, backend: str, timeouts: Timeouts, watchdog: Watchdog, idle: IdleConnections, place: int) -> None:
        self.backend = backend
        self._timeouts = timeouts
        self._watchdog = watchdog
        self._idle = idle
        self._place = place
        self._reader: ReplyReader | None = None
        self._inflater: Inflater | None = None
        self._whole = False  # the body has been read to its end
        self._task: asyncio.Task[object] | None = None
        self._expired: Stage | None = None
        self._unsent_bytes = 0
        self._unsent_pieces = False  # the backend answered before all of an upload was sent
        self._resume_s = NEVER
        self._stage: Stage = "connect"
        self.deadline_s = NEVER
        watchdog.watch(self)
        self.total_deadline_s = watchdog.latest_s + timeouts.total

    async def connect(self, connecting: Awaitable[Connection], loop: asyncio.AbstractEventLoop) -> Connection:
        """Return the connection. Its deadline cancels this task and takes the cancellation back, as
        `asyncio.timeout` does, because there is no other way to stop a connector."""
        task = asyncio.current_task(loop)  # to look for the loop costs a system call
        assert task is not None
        cancelling = task.cancelling()
        self._task = task
        self._stage = "connect"
        self.deadline_s = self._watchdog.latest_s + self._timeouts.connect
        try:
            return await connecting
        except asyncio.CancelledError:
            if self._expired is not None and task.uncancel() <= cancelling:
                raise failures.late(self.backend, self._expired, self._timeouts) from None
            if task.cancelling() <= cancelling:  # not this task, the connector was: it is closed
                raise failures.unreachable(self.backend, ClientOSError()) from None
            raise
        except (ClientError, OSError) as failure:
            raise failures.unreachable(self.backend, failure) from failure
        finally:
            self._task = None
            self.deadline_s = NEVER

    async def ask(
        self, reader: ReplyReader, head: bytes, body: bytes, upload: Upload | None = None, *, has_body: bool
    ) -> None:
        """Send the request, with its body or the upload in its place, and wait for the reply's head; `has_body` is
        false for a reply to HEAD.

        Raises Lost when the connection ends before any byte of a reply, UpstreamFailed otherwise.
        """
        self._reader = reader
        if not reader.reusable:
            raise Lost
        reader.begin(has_body=has_body)
        transport = reader.transport
        if len(body) <= _ONE_WRITE_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        self._unsent_bytes = transport.get_write_buffer_size()
        self._stage = "first"
        self.deadline_s = self._watchdog.latest_s + self._timeouts.first
        try:
            if upload is not None:
                await self._send(reader, upload)
            while not reader.status:
                reader.check()
                await reader.news()
        except Unreadable as failure:
            raise failures.not_http(self.backend) from failure
        except Lost as failure:
            if reader.answered:
                raise failures.no_answer(self.backend) from failure
            raise
        self._resume_s = self.deadline_s
        self.deadline_s = NEVER
        self.status = reader.status
        self.headers = headers = reader.headers
        encoding = headers.get("content-encoding")
        if encoding is not None and encoding.lower() in ENCODINGS:
            self._inflater = Inflater(encoding.lower())
            del headers["content-encoding"]  # what describes the compressed form is left out
            headers.popall("content-length", None)

    async def read(self, limit_bytes: int) -> bytes:
        """Return the whole body."""
        declared = self.headers.get("content-length")
        if declared is not None and int(declared) > limit_bytes:
            self.close()
            raise failures.too_large(self.backend, limit_bytes)
        pieces: list[bytes] = []
        size_bytes = 0
        while piece := await self._next():
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes > limit_bytes:
                self.close()
                raise failures.too_large(self.backend, limit_bytes)
            if self._whole and self._inflater is None:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunks(self) -> AsyncIterator[bytes]:
        """Return an iterator over the pieces of the body as they arrive."""
        return _Chunks(self._next)

    def close(self) -> None:
        """End the exchange. A body that has arrived whole leaves the connection to the next request; otherwise the
        connection is closed without waiting for anything still to be sent."""
        reader = self._reader
        if reader is not None and reader.arrived:
            reader.take()  # nobody reads it any more, and the next reply begins with nothing
            self._release(reader)
        elif reader is not None:
            reader.fail(failures.broken(self.backend))
            self.drop()
        self._watchdog.forget(self)

    def drop(self) -> None:
        """Close the connection and keep the exchange, so that the request may be sent again."""
        reader, self._reader = self._reader, None
        assert reader is not None
        reader.close()

    async def _send(self, reader: ReplyReader, upload: Upload) -> None:
        """Send a form as the backend takes it in; one that answers before its end gets no more of it."""
        transport = reader.transport
        for piece in upload.pieces():
            if reader.status:
                self._unsent_pieces = True
                return
            reader.check()
            transport.write(piece)
            self._unsent_bytes = transport.get_write_buffer_size()
            self.deadline_s = self._watchdog.latest_s + self._timeouts.first
            while reader.full and not reader.status:
                reader.check()
                await reader.news()

    def check(self, latest_s: float) -> None:
        """Move the first deadline while the backend still takes in the request."""
        if not self._unsent_bytes or self._reader is None:
            return
        unsent_bytes = self._reader.transport.get_write_buffer_size()
        if unsent_bytes < self._unsent_bytes and self.deadline_s != NEVER:
            self.deadline_s = latest_s + self._timeouts.first
        self._unsent_bytes = unsent_bytes

    def expire(self, *, total: bool) -> None:
        """End the exchange with a timeout, which its reader gets."""
        self._watchdog.forget(self)
        reader = self._reader
        if reader is not None and reader.arrived:
            return
        self._expired = "total" if total else self._stage
        if self._task is not None:
            self._task.cancel()
        elif reader is not None:
            reader.fail(failures.late(self.backend, self._expired, self._timeouts))
            self.drop()

    def _next(self) -> Awaitable[bytes]:
        """Return the next piece of the body, or nothing at the end."""
        return self._receive() if self._inflater is None else self._inflate(self._inflater)

    async def _inflate(self, inflater: Inflater) -> bytes:
        try:
            while not (piece := inflater.take()):
                packed = await self._receive()
                if not packed:
                    inflater.end()
                    break
                inflater.put(packed)
        except zlib.error as failure:
            self.close()
            raise failures.not_http(self.backend) from failure
        return piece

    async def _receive(self) -> bytes:
        """Return the next piece as it was sent, or nothing at the end."""
        reader = self._reader
        if reader is None:
            return self._nothing_more()
        self.deadline_s = self._resume_s if self._stage == "first" else self._watchdog.latest_s + self._timeouts.between
        try:
            while not (piece := reader.take()) and not reader.arrived:
                reader.check()
                await reader.news()
        except (Lost, Unreadable) as failure:
            self.close()
            raise failures.broken(self.backend) from failure
        except UpstreamFailed:
            self.close()
            raise
        finally:
            self.deadline_s = NEVER
        self._stage = "between"
        if reader.arrived:
            self._whole = True
            self._release(reader)
        return piece

    def _nothing_more(self) -> bytes:
        """Return the end of a body that has been read. Raises UpstreamFailed when the exchange has ended before."""
        if self._whole:
            return b""
        if self._expired is not None:
            raise failures.late(self.backend, self._expired, self._timeouts)
        raise failures.broken(self.backend)

    def _release(self, reader: ReplyReader) -> None:
        self._watchdog.forget(self)
        if self._unsent_pieces or reader.transport.get_write_buffer_size():
            self.drop()  # answered before it had taken in the request, whose rest must not reach it as a new one
            return
        self._reader = None
        self._idle.keep(self._place, reader)
