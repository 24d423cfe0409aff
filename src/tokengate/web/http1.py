"""HTTP/1.1: llhttp parses, this keeps the order of requests, the limits and the connection's life.

One request is answered at a time; a pipelined one waits and stops the reading. A request that is refused before its
body has arrived gets its answer, and then the connection is closed (RFC 9112, section 9.6).
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote

import httptools
import msgspec

from tokengate.web.http1_turn import STATUS_LINES, Turn
from tokengate.web.request import Other, Request
from tokengate.web.server import (
    HEAD_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    LINGER_S,
    MAX_HEAD_BYTES,
    WRITE_BUFFER_BYTES,
    Server,
    address_of,
)

# What callers of an API send most, ready-made.
_NAMES = {
    spelling.encode(): spelling.lower()
    for name in ("host", "content-length", "content-type", "authorization", "accept", "user-agent", "accept-encoding")
    for spelling in (name, name.title())
}

# RFC 3986, section 3.2: a name or an address with or without a port; empty for a target without an authority.
_is_host = re.compile(r"(?:\[[0-9A-Fa-f:.%v]+\]|[A-Za-z0-9._~%!$&'()*+;=-]*)(?::\d*)?", re.ASCII).fullmatch


class Http1(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[Turn] = deque()  # the first is being answered
        self._reading: Turn | None = None  # whose body is arriving
        self._in_head = False
        self._head_bytes = 0
        self._quiet_bytes = 0  # since the parser found something
        self._url = b""
        self._headers: dict[str, str] = {}
        self._host: str | None = None  # the last one, which was sound
        self._target = (b"", "", "")  # the last one, its path and its query
        self._refusal: _Refusal | None = None  # of what came after the requests in the queue
        self._closing = False  # nothing that arrives is read
        self._paused = False  # writing
        self._stopped = False  # reading
        self._writable: asyncio.Future[None] | None = None
        self._since_s = 0.0  # when it became idle, a head began, or the network took some of a last reply
        self._unsent_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self.client = address_of(self.transport)
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
        self._quiet_bytes += len(data)
        try:
            self._parse(data)
        except _Refusal as refusal:
            self._refuse(refusal)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, _Refusal) else _Refusal(400, f"This is not HTTP: {error}."))
        else:
            if self._quiet_bytes > MAX_HEAD_BYTES:
                self._refuse(_too_large())

    def eof_received(self) -> bool:
        return False  # the transport closes itself; connection_lost tells the turns

    # What the parser found.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._in_head = True
        self._head_bytes = self._quiet_bytes = 0
        self._since_s = self.server.loop.time()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._quiet_bytes = 0
        self._head_bytes += len(url)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _too_large()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._quiet_bytes = 0
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _too_large()
        if not self._in_head:
            return  # a trailer
        key = _NAMES.get(name) or name.decode("latin-1").lower()
        text = value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._quiet_bytes = 0
        parser = self._parser
        if parser.should_upgrade():
            return
        headers = self._headers
        version = parser.get_http_version()
        if version != "1.1":
            self._check_version(version)
        host = headers.get("host")
        if host != self._host or host is None:
            self._check_host(version, host)
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":  # RFC 9112, section 6.1
            raise _Refusal(400, "The only Transfer-Encoding that is understood is chunked.")
        if self._url != self._target[0]:
            self._target = (self._url, *_path_and_query(self._url))
        _, path, query = self._target
        turn = Turn(self, parser.get_method().decode("latin-1"), version, parser.should_keep_alive())
        if "expect" in headers:
            turn.expects = headers["expect"].lower() == "100-continue"
        request = turn.request = Request(turn.method, path, query, headers, self.client, turn)
        self._reading = turn
        self._queue.append(turn)
        if len(self._queue) == 1:
            self.server.begin(request)
        else:
            self.stop_reading()

    def on_body(self, data: bytes) -> None:
        self._quiet_bytes = 0
        if self._reading is not None:
            self._reading.body.feed(data)

    def on_message_complete(self) -> None:
        self._quiet_bytes = 0
        if self._reading is not None:
            self._reading.body.end()
            self._reading = None

    # What the turns ask for.

    def done(self, turn: Turn, *, keep_alive: bool) -> None:
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
            self.go_on_reading()
        elif self._refusal is not None:
            self._send_refusal(self._refusal)
        else:
            self._since_s = self.server.loop.time()
            self.go_on_reading()

    def has_only(self, turn: Turn) -> bool:
        """Say whether there is nothing on the connection but one request, whole, and the connection would be kept."""
        alone = len(self._queue) == 1 and self._queue[0] is turn and turn.body.complete and not self._in_head
        return alone and turn.keep_alive and not self._closing and not self.server.stopping

    def hand_over(self, opening: Callable[[Server], Other]) -> Other:
        """Let another protocol have the connection, whose only request has been answered."""
        self._queue.clear()
        self.go_on_reading()
        self._closing = True
        self.server.connections.discard(self)
        other = opening(self.server)
        self.transport.set_protocol(other)
        other.connection_made(self.transport)
        return other

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
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes != self._unsent_bytes:
            self._unsent_bytes = unsent_bytes
            self._since_s = now_s
        elif now_s - self._since_s > (HEAD_TIMEOUT_S if self._in_head else IDLE_TIMEOUT_S):
            self.abort()

    def shut(self) -> None:
        if not self._queue:
            self._closing = True
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    def _check_version(self, version: str) -> None:
        if version != "1.0":
            raise _Refusal(505, f"HTTP/{version} is not supported; use HTTP/1.1, or HTTP/2 from the first byte.")
        if "transfer-encoding" in self._headers:  # RFC 9112, section 6.1: nobody knows where such a body ends
            raise _Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")

    def _check_host(self, version: str, host: str | None) -> None:
        """Refuse a request that does not say once, and soundly, for whom it is: RFC 9112, section 3.2."""
        if host is None:
            if version == "1.1":
                raise _Refusal(400, "HTTP/1.1 requires a Host header.")
        elif not _is_host(host):  # two headers were joined by a comma and a blank
            raise _Refusal(400, "The Host header must name one host.")
        self._host = host

    def _parse(self, data: bytes | memoryview) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
                self._note_upgrade()
            else:
                return

    def _note_upgrade(self) -> None:
        """Go on in HTTP/1.1: the head is parsed again without the wish to leave it, which the turn is told of
        (RFC 9110, section 7.8)."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise _Refusal(400, "CONNECT is not supported.")
        upgrade = self._headers["upgrade"]
        head = b"%b %b HTTP/%b\r\n" % (method, self._url, self._parser.get_http_version().encode())
        for name, value in self._headers.items():
            if name not in ("connection", "upgrade"):
                head += f"{name}: {value}\r\n".encode("latin-1")
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(head + b"\r\n")
        self._queue[-1].upgrade = upgrade

    def _refuse(self, refusal: "_Refusal") -> None:
        """Read no more, and say why when the requests before that are answered."""
        self._closing = True
        broken, self._reading = self._reading, None
        if broken is not None and broken is not self._queue[0]:
            self._queue.pop()  # not begun
        elif broken is not None:
            self._queue.clear()
            if broken.lose():
                self._send_refusal(refusal)
            else:
                self.abort()  # the reply is on its way
            return
        if self._queue:
            self._refusal = refusal
        else:
            self._send_refusal(refusal)

    def _send_refusal(self, refusal: "_Refusal") -> None:
        error = {"message": refusal.message, "type": "invalid_request_error", "param": None, "code": None}
        body = msgspec.json.encode({"error": error})
        head = (
            f"{STATUS_LINES[refusal.status]}content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"date: {self.server.date()}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._linger()

    def _linger(self) -> None:
        """Let the caller, who is still sending, read its answer, and then close."""
        self._closing = True
        if self._stopped:
            self.transport.resume_reading()
        self.transport.write_eof()
        self.server.loop.call_later(LINGER_S, self.transport.abort)


def _path_and_query(url: bytes) -> tuple[str, str]:
    path, _, query = url.partition(b"?")
    if not path.startswith(b"/") and b"://" in path:  # RFC 9112, section 3.2.2
        path = b"/" + b"".join(path.split(b"/", 3)[3:])
    text = path.decode("latin-1")
    return unquote(text) if "%" in text else text, query.decode("latin-1")


class _Refusal(Exception):
    """Why what arrived is not parsed further."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _too_large() -> _Refusal:
    return _Refusal(431, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.")
