"""One request of an HTTP/1.1 connection: its body in, its reply out, and whether the connection outlives it."""

from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from tokengate.core.errors import ClientGone
from tokengate.web.body import Body
from tokengate.web.request import Headers, Other, Request
from tokengate.web.server import Server

if TYPE_CHECKING:
    from tokengate.web.http1 import Http1

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

_BODILESS = frozenset({204, 304})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Turn:
    """One request's channel."""

    request: Request

    __slots__ = (
        "_chunked",
        "_connection",
        "_gone",
        "_mute",
        "_state",
        "body",
        "expects",
        "keep_alive",
        "method",
        "request",
        "upgrade",
        "version",
    )

    def __init__(self, connection: "Http1", method: str, version: str, keep_alive: bool) -> None:
        self._connection = connection
        self.method = method
        self.version = version
        self.keep_alive = keep_alive
        self.expects = False
        self.upgrade = ""  # the protocol that the caller would rather speak
        self.body = Body(self)
        self._chunked = False
        self._mute = False  # the reply has a head and nothing else
        self._state: Literal["open", "streaming", "ended", "lost"] = "open"
        self._gone: Callable[[], None] | None = None

    def received(self, limit_bytes: int) -> bytes | None:
        return self.body.received(limit_bytes)

    async def read(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        self._let_body_come()
        return await self.body.whole(limit_bytes, declared_bytes)

    def pieces(self, limit_bytes: int, declared_bytes: int | None) -> AsyncGenerator[bytes]:
        self._let_body_come()
        return self.body.pieces(limit_bytes, declared_bytes)

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        if self._state != "open":
            return
        self._state = "ended"
        if status not in _BODILESS:
            headers.append(("content-length", str(len(body))))
        head = self._head(status, headers)
        self._connection.transport.write(head if self.method == "HEAD" or status in _BODILESS else head + body)
        self._connection.done(self, keep_alive=self.keep_alive)

    def send_head(self, status: int, headers: Headers, first: bytes, size_bytes: int | None) -> None:
        if self._state != "open":
            return
        self._state = "streaming"
        self._mute = self.method == "HEAD" or status in _BODILESS
        if size_bytes is not None:
            headers.append(("content-length", str(size_bytes)))
        elif self._mute:
            pass
        elif self.version == "1.0":
            self.keep_alive = False  # the end of the connection is the end of the body
        else:
            self._chunked = True
            headers.append(("transfer-encoding", "chunked"))
        head = self._head(status, headers)
        self._connection.transport.write(head + self._framed(first) if first and not self._mute else head)

    async def send_piece(self, data: bytes) -> None:
        if self._state != "streaming":
            raise ClientGone
        if self._mute or not data:
            return
        connection = self._connection
        connection.transport.write(self._framed(data))
        if connection.transport.get_write_buffer_size():
            await connection.writable()
            if self._state != "streaming":
                raise ClientGone

    def send_last(self, data: bytes) -> None:
        if self._state != "streaming":
            return
        self._state = "ended"
        last = b"" if self._mute or not data else self._framed(data)
        if self._chunked:
            last += b"0\r\n\r\n"
        if last:
            self._connection.transport.write(last)
        self._connection.done(self, keep_alive=self.keep_alive)

    def switch(self, to: str, headers: Headers, opening: Callable[[Server], Other]) -> Other | None:
        connection = self._connection
        asked = self.version == "1.1" and self.upgrade.lower() == to
        if not asked or self._state != "open" or not connection.has_only(self):
            return None
        self._state = "ended"
        head = self._head(101, [("connection", "upgrade"), ("upgrade", to), *headers])
        connection.transport.write(head)
        return connection.hand_over(opening)

    def finish(self) -> None:
        self._gone = None
        match self._state:
            case "streaming":
                self.send_last(b"")
            case "open":  # never answered
                self._state = "ended"
                self._connection.abort()
            case _:
                pass
        # What held each other is free without the cyclic collector.
        self.body.close()
        del self.request

    def break_off(self) -> None:
        if self._state == "streaming":
            self._connection.abort()

    def when_gone(self, callback: Callable[[], None]) -> None:
        if self._state == "lost":
            callback()
        else:
            self._gone = callback

    def lose(self) -> bool:
        """The caller has left; True when it has not been answered."""
        unanswered = self._state == "open"
        self._state = "lost"
        self.body.lose()
        gone, self._gone = self._gone, None
        if gone is not None:
            gone()
        return unanswered

    def _let_body_come(self) -> None:
        if self.expects and not self.body.complete:
            self._connection.transport.write(_CONTINUE)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def _head(self, status: int, headers: Headers) -> bytes:
        keep = self.keep_alive and self.body.complete and not self._connection.server.stopping
        self.keep_alive = keep
        headers.append(("date", self._connection.server.date()))
        lines = "\r\n".join(map(": ".join, headers))
        assert lines.count("\n") == lines.count("\r") == len(headers) - 1, "a header has a line break"
        closing = "" if keep and self.version != "1.0" else f"connection: {'keep-alive' if keep else 'close'}\r\n"
        start = STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"
        head = f"{start}{lines}\r\n{closing}\r\n"
        return head.encode("latin-1", "replace")

    def pause(self) -> None:
        self._connection.stop_reading()

    def resume(self, taken_bytes: int) -> None:
        self._connection.go_on_reading()
