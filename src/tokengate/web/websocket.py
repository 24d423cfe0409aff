"""A connection that has left HTTP/1.1 for WebSocket (RFC 6455): its first message in, texts out, and its close.

The frames are the library's. Here are the handshake, and the bounds: of what is read, of what waits to be sent, and of
the time that a caller has for its half of the closing handshake.
"""

import asyncio
import binascii
from base64 import b64decode
from typing import cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key

from tokengate.web.request import Request
from tokengate.web.server import LINGER_S, WRITE_BUFFER_BYTES, Server

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_KEY_BYTES = 16


def is_handshake(request: Request) -> bool:
    """Say whether a request has what only a handshake of WebSocket has: RFC 6455, section 4.2.1."""
    headers = request.headers
    if request.method != "GET" or headers.get("sec-websocket-version") != "13":
        return False
    try:
        return len(b64decode(headers.get("sec-websocket-key", ""), validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):  # the latter: it is not ASCII
        return False


def accept(request: Request, max_message_bytes: int) -> "WebSocket | None":
    """Answer a handshake; no extension and no subprotocol is agreed on. None, and nothing is answered, when the
    connection cannot be had for it, as over HTTP/2. Larger messages end the connection."""
    proof = accept_key(request.headers["sec-websocket-key"])
    headers = [("sec-websocket-accept", proof), ("x-request-id", request.id)]
    return request.switch("websocket", headers, lambda server: WebSocket(server, max_message_bytes))


class WebSocket(asyncio.Protocol):
    """One connection. Its first message is kept; what comes after it is read and thrown away."""

    def __init__(self, server: Server, max_message_bytes: int) -> None:
        self._server = server
        self._frames = Protocol(Side.SERVER, max_size=max_message_bytes)
        self._parts: list[bytes] = []
        self._first: asyncio.Future[bytes] = server.loop.create_future()
        self._open_s = 0.0  # when it was last seen open

    async def first(self, timeout_s: float) -> bytes:
        """Return the first message, text or not; empty when it has not come in time, or never will: the caller has
        closed or left, or sent what is no WebSocket."""
        await asyncio.wait([self._first], timeout=timeout_s)
        return self._first.result() if self._first.done() else b""

    def send(self, text: bytes) -> None:
        """Send a text; nothing happens when the connection is no longer open."""
        if self._frames.state is State.OPEN:
            self._frames.send_text(text)
            self._flush()

    def close(self, code: CloseCode, reason: str) -> None:
        """Begin the closing handshake; nothing happens when the connection is no longer open. The reason has up to
        123 bytes."""
        if self._frames.state is State.OPEN:
            self._frames.send_close(code, reason)
            self._flush()
            self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._open_s = self._server.loop.time()
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._frames.receive_eof()
        self._end()

    def data_received(self, data: bytes) -> None:
        self._frames.receive_data(data)
        for frame in self._frames.events_received():
            assert isinstance(frame, Frame), "the handshake is over"
            self._take(frame)
        self._flush()
        if self._frames.state is not State.OPEN:
            self._end()

    def pause_writing(self) -> None:
        self._transport.pause_reading()  # whoever sends pings and reads no pong

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    # What the server asks for.

    def check(self, now_s: float) -> None:
        if self._frames.state is State.OPEN:
            self._open_s = now_s
        elif now_s - self._open_s > LINGER_S:
            self.abort()

    def shut(self) -> None:
        self.close(CloseCode.GOING_AWAY, "The gateway is stopping.")

    def abort(self) -> None:
        self._transport.abort()

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in _DATA or self._first.done():
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            self._first.set_result(b"".join(self._parts))

    def _flush(self) -> None:
        for data in self._frames.data_to_send():
            if data:
                self._transport.write(data)
            else:  # both have said that they close
                self._transport.write_eof()

    def _end(self) -> None:
        if not self._first.done():
            self._first.set_result(b"")
