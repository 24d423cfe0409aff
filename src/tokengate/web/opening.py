"""A new connection, until its first bytes tell which version of HTTP it speaks."""

import asyncio
from typing import cast

from tokengate.web.http1 import Http1
from tokengate.web.http2 import Http2
from tokengate.web.server import HEAD_TIMEOUT_S, Server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113, section 3.4


class Opening(asyncio.Protocol):
    """A connection until its first bytes tell the version; then another protocol takes over."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._since_s = self._server.loop.time()
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        first = self._first + data if self._first else data
        if first.startswith(PREFACE):
            protocol: Http1 | Http2 = Http2(self._server)
        elif PREFACE.startswith(first):
            self._first = first
            return
        else:
            protocol = Http1(self._server)
        self._server.connections.discard(self)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(first)

    def check(self, now_s: float) -> None:
        if now_s - self._since_s > HEAD_TIMEOUT_S:
            self._transport.abort()

    def shut(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
