"""HTTP/1.1: llhttp parses, this keeps the order of requests, the limits and the connection's life.

One request is answered at a time; a pipelined one waits and stops the reading. A request that is refused before its
body has arrived gets its answer, and then the connection is closed (RFC 9112, section 9.6).
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools

from tokengate.core.errors import ClientGone
from tokengate.web.body import Body
from tokengate.web.request import Headers, Request
from tokengate.web.server import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, MAX_HEAD_BYTES, WRITE_BUFFER_BYTES, Server

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = frozenset({204, 304})
# What callers of an API send most, ready-made.
_NAMES = {
    spelling.encode(): spelling.lower()
    for name in ("host", "content-length", "content-type", "authorization", "accept", "user-agent", "accept-encoding")
    for spelling in (name, name.title())
}
_LINGER_S = 3.0  # how long the rest of a refused body is read and thrown away before the connection is closed
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Http1(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Turn] = deque()  # the first is being answered
        self._reading: Turn | None = None  # whose body is arriving
        self._head_bytes = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._closing = False
        self._paused = False  # writing
        self._stopped = False  # reading
        self._writable: asyncio.Future[None] | None = None
        self._since_s = 0.0  # when it became idle, or a head began

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        host, port = transport.get_extra_info("peername")[:2]
        self.client = f"{host}:{port}"
        self._since_s = self.server.loop.time()
        self.server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)
        self._closing = True
        for turn in self._queue:
            turn.lose()
        self._queue.clear()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "Upgrades are not supported; use HTTP/1.1, or HTTP/2 from the first byte.")
        except (httptools.HttpParserError, ValueError) as error:
            self._refuse(400, f"This is not HTTP: {error}.")

    def eof_received(self) -> bool:
        return False  # the transport closes itself; connection_lost tells the turns

    # What the parser found.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._since_s = self.server.loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._check_head(len(self._url))

    def on_header(self, name: bytes, value: bytes) -> None:
        key = _NAMES.get(name) or name.decode("latin-1").lower()
        text = value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"
        self._check_head(self._head_bytes if self._reading is None else 0)

    def on_headers_complete(self) -> None:
        headers = self._headers
        parser = self._parser
        path, _, query = self._url.partition(b"?")
        turn = Turn(self, parser.get_method().decode("latin-1"), parser.get_http_version(), parser.should_keep_alive())
        if "expect" in headers:
            turn.expects = headers["expect"].lower() == "100-continue"
        text = path.decode("latin-1")
        request = turn.request = Request(
            turn.method, unquote(text) if "%" in text else text, query.decode("latin-1"), headers, self.client, turn
        )
        self._reading = turn
        self._queue.append(turn)
        if len(self._queue) == 1:
            self.server.begin(request)
        else:
            self.stop_reading()

    def on_body(self, data: bytes) -> None:
        if self._reading is not None:
            self._reading.body.feed(data)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        if self._reading is not None:
            self._reading.body.end()
            self._reading = None

    # What the turns ask for.

    def done(self, turn: "Turn", *, keep_alive: bool) -> None:
        """The first request has been answered: begin the next, or close."""
        if not self._queue or self._queue[0] is not turn:
            return
        self._queue.popleft()
        if not turn.body.complete:
            self._linger()
        elif not keep_alive or self.server.stopping:
            self._closing = True
            self.transport.close()
        elif self._queue:
            self.server.begin(self._queue[0].request)
        else:
            self._since_s = self.server.loop.time()
            self.go_on_reading()

    def stop_reading(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        """Read again, unless a pipelined request waits."""
        if self._stopped and not self._closing and len(self._queue) <= 1:
            self._stopped = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    async def writable(self) -> None:
        """Return when there is room for another piece."""
        while self._paused and not self._closing:
            if self._writable is None or self._writable.done():
                self._writable = self.server.loop.create_future()
            await self._writable

    # What the server asks for.

    def check(self, now_s: float) -> None:
        if self._queue:
            return
        patience_s = HEAD_TIMEOUT_S if self._head_bytes else IDLE_TIMEOUT_S
        if now_s - self._since_s > patience_s:
            self.abort()

    def shut(self) -> None:
        if not self._queue:
            self._closing = True
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    def _check_head(self, size_bytes: int) -> None:
        if size_bytes > MAX_HEAD_BYTES:
            raise ValueError(f"the head is larger than {MAX_HEAD_BYTES} bytes")

    def _refuse(self, status: int, message: str) -> None:
        """Answer what cannot be read, and close; a request that is being answered is only broken off."""
        self._closing = True
        if not self._queue:
            body = f'{{"error":{{"message":"{message}","type":"invalid_request_error","param":null,"code":null}}}}'
            head = (
                f"content-type: application/json\r\nconnection: close\r\ncontent-length: {len(body.encode())}\r\n\r\n"
            )
            self.transport.write((_STATUS_LINES[status] + head + body).encode())
        self.transport.close()

    def _linger(self) -> None:
        """Let the caller read the answer to a request whose body is still arriving, then close."""
        self._closing = True
        if self._stopped:
            self.transport.resume_reading()
        self.transport.write_eof()
        self.server.loop.call_later(_LINGER_S, self.transport.abort)


class Turn:
    """One request's channel."""

    request: Request

    __slots__ = (
        "_chunked",
        "_connection",
        "_gone",
        "_state",
        "body",
        "expects",
        "keep_alive",
        "method",
        "request",
        "version",
    )

    def __init__(self, connection: Http1, method: str, version: str, keep_alive: bool) -> None:
        self._connection = connection
        self.method = method
        self.version = version
        self.keep_alive = keep_alive
        self.expects = False
        self.body = Body(self)
        self._chunked = False
        self._state = "open"  # open | streaming | ended | lost
        self._gone: asyncio.Future[None] | None = None

    def received(self, limit_bytes: int) -> bytes | None:
        return self.body.received(limit_bytes)

    async def read(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        if self.expects and not self.body.complete:
            self._connection.transport.write(_CONTINUE)
        return await self.body.whole(limit_bytes, declared_bytes)

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        if self._state != "open":
            return
        self._state = "ended"
        if status not in _BODILESS:
            headers.append(("content-length", str(len(body))))
        head = self._head(status, headers)
        self._connection.transport.write(head if self.method == "HEAD" or status in _BODILESS else head + body)
        self._connection.done(self, keep_alive=self.keep_alive)

    def send_head(self, status: int, headers: Headers) -> None:
        if self._state != "open":
            return
        self._state = "streaming"
        if self.version == "1.0":
            self.keep_alive = False  # the end of the connection is the end of the body
        else:
            self._chunked = True
            headers.append(("transfer-encoding", "chunked"))
        self._connection.transport.write(self._head(status, headers))

    async def send_piece(self, data: bytes) -> None:
        if self._state != "streaming":
            raise ClientGone
        connection = self._connection
        connection.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        if connection.transport.get_write_buffer_size():
            await connection.writable()

    def finish(self) -> None:
        match self._state:
            case "streaming":
                self._state = "ended"
                if self._chunked:
                    self._connection.transport.write(b"0\r\n\r\n")
                self._connection.done(self, keep_alive=self.keep_alive)
            case "open":  # never answered
                self._state = "ended"
                self._connection.abort()
            case _:
                pass

    async def gone(self) -> None:
        if self._state == "lost":
            return
        self._gone = self._connection.server.loop.create_future()
        await self._gone

    def lose(self) -> None:
        """The connection has ended."""
        self._state = "lost"
        self.body.lose()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def _head(self, status: int, headers: Headers) -> bytes:
        keep = self.keep_alive and self.body.complete and not self._connection.server.stopping
        self.keep_alive = keep
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        closing = "" if keep and self.version != "1.0" else f"connection: {'keep-alive' if keep else 'close'}\r\n"
        head = f"{_STATUS_LINES[status]}{lines}date: {self._connection.server.date()}\r\n{closing}\r\n"
        assert "\n" not in lines.replace("\r\n", ""), "a header has a line break"
        return head.encode("latin-1", "replace")

    def pause(self) -> None:
        self._connection.stop_reading()

    def resume(self, taken_bytes: int) -> None:
        self._connection.go_on_reading()
