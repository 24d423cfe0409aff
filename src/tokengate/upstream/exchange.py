"""One request and its reply on one connection: deadlines, the body as it arrives, and an end that the backend sees
at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Final, Literal

from aiohttp import ClientError, ClientOSError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from multidict import CIMultiDict

from tokengate.core.errors import UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Timeouts
from tokengate.upstream import failures
from tokengate.upstream.idle import IdleConnections
from tokengate.upstream.watchdog import NEVER, Watchdog

# A body up to this size travels in one write with the head; copying a larger one costs more than a second write.
_ONE_WRITE_BYTES: Final = 16 * 1024

# Reading pauses when twice this lies unread, so a slow caller slows the backend and does not fill our memory.
_READ_BUFFER_BYTES: Final = 64 * 1024

Stage = Literal["connect", "first", "between", "total"]


class HttpExchange:
    """Implements `core.http.Exchange`; `HttpTransport.send` connects it and asks."""

    __slots__ = (
        "_connection",
        "_idle",
        "_payload",
        "_place",
        "_resume_s",
        "_stage",
        "_task",
        "_timeout",
        "_timeouts",
        "_unsent_bytes",
        "_until_close",
        "_watchdog",
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
        self._connection: Connection | None = None
        self._payload: StreamReader | None = None
        self._task: asyncio.Task[object] | None = None
        self._timeout: UpstreamTimeout | None = None
        self._unsent_bytes = 0
        self._resume_s = NEVER
        self._until_close = False
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
            self._connection = await connecting
        except asyncio.CancelledError:
            if self._timeout is not None and task.uncancel() <= cancelling:
                raise self._timeout from None
            if task.cancelling() <= cancelling:  # not this task, the connector was: it is closed
                raise failures.unreachable(self.backend, ClientOSError()) from None
            raise
        except (ClientError, OSError) as failure:
            raise failures.unreachable(self.backend, failure) from failure
        finally:
            self._task = None
            self.deadline_s = NEVER
        return self._connection

    def take(self, connection: Connection) -> None:
        """Use a connection that is at hand."""
        self._connection = connection

    async def ask(self, head: bytes, body: bytes, *, has_body: bool) -> None:
        """Send the request and wait for the reply's head; `has_body` is false for a reply to HEAD.

        Raises ClientError when the connection closes before any byte of a reply, UpstreamFailed otherwise.
        """
        protocol = self._protocol()
        protocol.set_response_params(skip_payload=not has_body, read_until_eof=True, read_bufsize=_READ_BUFFER_BYTES)
        connection = protocol.transport
        if connection is None or connection.is_closing():
            raise ClientOSError("closed while it was idle")
        if len(body) <= _ONE_WRITE_BYTES:
            connection.write(head + body)
        else:
            connection.write(head)
            connection.write(body)
        self._unsent_bytes = connection.get_write_buffer_size()
        self._stage = "first"
        self.deadline_s = self._watchdog.latest_s + self._timeouts.first
        try:
            message, payload = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:  # interim, such as 103 Early Hints
                message, payload = await protocol.read()
        except HttpProcessingError as failure:
            raise failures.not_http(self.backend) from failure
        self._payload = payload
        self._resume_s = self.deadline_s
        self.deadline_s = NEVER
        self._until_close = not message.chunked and "content-length" not in message.headers
        self.status = message.code
        self.headers = _headers(message)

    async def read(self, limit_bytes: int) -> bytes:
        """Return the whole body."""
        if int(self.headers.get("content-length", 0)) > limit_bytes:
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
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield pieces of the body as they arrive."""
        while piece := await self._next():
            yield piece

    def close(self) -> None:
        """End the exchange. A body that has arrived whole leaves the connection to the next request; otherwise the
        connection is closed without waiting for anything still to be sent."""
        connection = self._connection
        if connection is None:
            self._watchdog.forget(self)
            return
        if self._arrived():
            self._release(connection)
            return
        waited_for = self._payload or self._protocol()
        if waited_for.exception() is None:
            waited_for.set_exception(failures.broken(self.backend, ClientOSError()))
        self.drop()
        self._watchdog.forget(self)

    def drop(self) -> None:
        """Close the connection and keep the exchange, so that the request may be sent again."""
        connection = self._connection
        assert connection is not None
        self._connection = None
        if connection.protocol is not None:
            connection.protocol.abort()
        connection.close()

    def check(self, latest_s: float) -> None:
        """Move the first deadline while the backend still takes in the request."""
        if not self._unsent_bytes or self._connection is None or self._connection.transport is None:
            return
        unsent_bytes = self._connection.transport.get_write_buffer_size()
        if unsent_bytes < self._unsent_bytes and self.deadline_s != NEVER:
            self.deadline_s = latest_s + self._timeouts.first
        self._unsent_bytes = unsent_bytes

    def expire(self, *, total: bool) -> None:
        """End the exchange with a timeout, which its reader gets."""
        if self._arrived():
            self._watchdog.forget(self)
            return
        timeout = failures.late(self.backend, "total" if total else self._stage, self._timeouts)
        self._timeout = timeout
        if self._task is not None:
            self._task.cancel()
            self._watchdog.forget(self)
            return
        waited_for = self._payload or self._protocol()
        waited_for.set_exception(timeout)
        self.close()

    async def _next(self) -> bytes:
        """Return the next piece, or nothing at the end."""
        payload = self._payload
        assert payload is not None
        first = self._stage == "first"
        self.deadline_s = self._resume_s if first else self._watchdog.latest_s + self._timeouts.between
        try:
            piece = await payload.readany()
        except (ClientError, OSError) as failure:
            self.close()
            raise failures.broken(self.backend, failure) from failure
        except UpstreamFailed:
            self.close()
            raise
        finally:
            self.deadline_s = NEVER
        if piece:
            self._stage = "between"
        elif self._connection is not None:
            self._finish(self._connection)
        return piece

    def _arrived(self) -> bool:
        return self._payload is not None and self._payload.is_eof()

    def _finish(self, connection: Connection) -> None:
        """Return the connection to the pool. A body without a length that ends by a reset did not end."""
        reset = self._until_close and isinstance(self._protocol().exception(), ClientOSError)
        self._release(connection)
        if reset:
            raise failures.broken(self.backend, ClientOSError())

    def _release(self, connection: Connection) -> None:
        self._watchdog.forget(self)
        if connection.transport is not None and connection.transport.get_write_buffer_size():
            self.drop()  # answered before it had taken in the request, whose rest must not reach it as a new one
            return
        self._connection = None
        self._idle.keep(self._place, connection)

    def _protocol(self) -> ResponseHandler:
        assert self._connection is not None
        protocol = self._connection.protocol
        assert protocol is not None
        return protocol


def _headers(message: RawResponseMessage) -> Mapping[str, str]:
    """Return the reply's headers. A body that was compressed although we asked for none arrives decompressed, so
    what described the compressed form is left out."""
    if not message.compression:
        return message.headers
    headers = CIMultiDict(message.headers)
    headers.popall("content-encoding", None)
    headers.popall("content-length", None)
    return headers
