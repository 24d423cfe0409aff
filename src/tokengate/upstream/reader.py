"""The replies of one connection: llhttp parses, this keeps what has arrived, the limits, and whether another request
may follow.

A reader takes the place of aiohttp's protocol on a connection that aiohttp's connector has made. The connector learns
of the connection's end, so that its books stay right, and of nothing else.
"""

import asyncio
from typing import Final, Self

from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

# Reading pauses when more lies unread, so a slow caller slows the backend and does not fill our memory.
MAX_UNREAD_BYTES: Final = 128 * 1024
# A head with the interim replies before it; also trailers, and chunks' extensions between two pieces of a body.
MAX_HEAD_BYTES: Final = 64 * 1024


class Lost(Exception):
    """The connection ended before the reply did."""


class Unreadable(Exception):
    """What arrived is not HTTP, or is beyond the limits."""


class ReplyReader(asyncio.Protocol):
    """One connection. After `begin`, `status` is set when the head has arrived, `take` returns the body, and nothing
    is to come when the reply has `arrived`; `news` is what to wait for."""

    __slots__ = (
        "_failure",
        "_fields",
        "_handler",
        "_has_body",
        "_head_bytes",
        "_loop",
        "_parser",
        "_paused",
        "_pieces",
        "_quiet_bytes",
        "_reusable",
        "_unread_bytes",
        "_until_close",
        "_waiter",
        "answered",
        "arrived",
        "connection",
        "full",
        "headers",
        "on_body",
        "status",
        "transport",
    )

    def __init__(self, handler: ResponseHandler, transport: asyncio.Transport) -> None:
        self.connection: Connection | None = None  # while the connector lends it
        self.transport = transport
        self.status = 0
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.arrived = True
        self.answered = False  # some of a reply has come
        self.full = False  # enough of a request waits to be taken in
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append  # a stream has many pieces: the parser calls nothing of ours for them
        self._parser: HttpResponseParser | None = _parser_for(self)
        self._fields: CIMultiDict[str] = self.headers
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._reusable = True
        self._has_body = True
        self._until_close = False
        self._paused = False
        self._unread_bytes = 0
        self._quiet_bytes = 0  # since a piece of a body
        self._head_bytes = 0

    @classmethod
    def of(cls, connection: Connection) -> tuple[Self, bool]:
        """Return the reader of a connection that the connector lends, and whether it has carried a request.

        Raises Lost when the connection has ended, and Unreadable when the backend spoke before it was asked.
        """
        handler = connection.protocol
        transport = None if handler is None else handler.transport
        if handler is None or transport is None:
            raise Lost
        reader = transport.get_protocol()
        used = isinstance(reader, cls)
        if not used:
            if handler.should_close:
                raise Unreadable("an answer before the question")
            reader = cls(handler, transport)
            transport.set_protocol(reader)
        reader.connection = connection
        return reader, used

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent."""
        return self._reusable and self.arrived and not self.transport.is_closing()

    def begin(self, *, has_body: bool) -> None:
        """A request is being sent on a reusable connection; `has_body` is false for a reply to HEAD."""
        self.status = 0
        self.arrived = self.answered = False
        self._has_body = has_body
        self._quiet_bytes = self._head_bytes = 0

    def take(self) -> bytes:
        """Return what of the body has arrived and was not taken before."""
        pieces = self._pieces
        if not pieces:
            return b""
        taken = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._unread_bytes = 0
        if self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return taken

    def check(self) -> None:
        """Raise, once, when the rest of the reply will never come: Lost, Unreadable, or what `fail` was given."""
        failure, self._failure = self._failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # else it would hold this frame, and the frame it

    def news(self) -> asyncio.Future[None]:
        """Return what is done when something more has arrived, or never will."""
        assert self._waiter is None or self._waiter.done(), "a reply has one reader"
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def fail(self, failure: Exception) -> None:
        """Give the reply's reader a failure in place of what is to come."""
        self._pieces.clear()
        self._failure = failure
        self._wake()

    def release(self) -> None:
        """Give the connection back to the connector, which closes it when it cannot be used again."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if self.reusable:
            connection.release()
        else:
            connection.close()

    def close(self) -> None:
        """Close the connection without waiting for anything still to be sent."""
        self._handler.abort()
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    # What the transport says.

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if self.arrived or parser is None:
            self._reusable = False  # nobody asked
            self.transport.abort()
            return
        self.answered = True
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            self._reusable = False  # status 101, which nobody asked for either
        except HttpParserError as error:
            self._refuse(str(error.__context__ or error))
        if self._pieces:
            self._quiet_bytes = 0
            self._unread_bytes += len(data)
            if self._unread_bytes > MAX_UNREAD_BYTES and not self._paused:
                self._paused = True
                self.transport.pause_reading()
        elif not self.arrived:
            self._quiet_bytes += len(data)
            if self._quiet_bytes > MAX_HEAD_BYTES:
                self._refuse("a head beyond the limit")
        self._wake()

    def eof_received(self) -> bool:
        self._reusable = False
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._reusable = False
        self._parser = None  # it holds this reader, and this reader it
        if not self.arrived:
            if self._until_close and exc is None:
                self.arrived = True
            elif self._failure is None:
                self._failure = Lost()
                self._failure.__cause__ = exc
        self._wake()
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._wake()

    # What the parser found.

    def on_message_begin(self) -> None:
        if self.arrived:
            raise Unreadable("more than the reply")
        self._fields = CIMultiDict()
        self._until_close = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            raise Unreadable("a head beyond the limit")
        if not self.status:  # else it is a trailer
            self._fields.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return  # interim, such as 103 Early Hints
        headers = self.headers = self._fields
        self.status = status
        if not self._has_body:
            self.arrived = True
            self._reusable = False  # the parser would take the next head for the body
        elif "content-length" not in headers:
            coding = headers.get("transfer-encoding", "")
            self._until_close = not coding.lower().endswith("chunked")

    def on_message_complete(self) -> None:
        if not self.status:
            return
        assert self._parser is not None
        self.arrived = True
        if not self._parser.should_keep_alive():
            self._reusable = False

    def _refuse(self, reason: str) -> None:
        """Read no further. A reply that has arrived stays one."""
        self._reusable = False
        if not self.arrived and self._failure is None:
            self._failure = Unreadable(reason)
            self.transport.abort()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _parser_for(reader: ReplyReader) -> HttpResponseParser:
    """Return a parser as lenient as those that vendors are tested with: about spaces, and lines without a CR."""
    parser = HttpResponseParser(reader)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser
