"""One request of an HTTP/2 connection: its body in, its reply out within the caller's flow-control windows."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Literal

from h2.errors import ErrorCodes

from tokengate.core.errors import ClientGone
from tokengate.web.body import MAX_DISCARDED_BYTES, Body
from tokengate.web.request import Headers, Other, Request
from tokengate.web.server import IDLE_TIMEOUT_S, LINGER_S, Server

if TYPE_CHECKING:
    from tokengate.web.http2 import Http2

_FRAME_BYTES = 16_384  # what every caller takes; small enough for streams to take turns
_BODILESS = frozenset({204, 304})
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})


class Stream:
    """One request's channel, and the source of its body."""

    request: Request  # kept while it is answered: the event loop does not keep its task

    __slots__ = (
        "_body",
        "_connection",
        "_discarded_bytes",
        "_ending",
        "_expects",
        "_finished",
        "_gone",
        "_method",
        "_room",
        "_sent_end",
        "_since_s",
        "_state",
        "_unread_bytes",
        "_unsent",
        "id",
        "request",
    )

    def __init__(self, connection: "Http2", stream_id: int, method: str, *, expects: bool) -> None:
        self._connection = connection
        self.id = stream_id
        self._method = method
        self._expects = expects
        self._body = Body(self)
        self._state: Literal["open", "streaming", "ended", "lost"] = "open"
        self._unsent = memoryview(b"")
        self._ending = False  # the stream ends with what is unsent
        self._sent_end = False
        self._finished = False
        self._since_s = 0.0  # when it was finished, or something went out
        self._unread_bytes = 0
        self._discarded_bytes = 0
        self._room: asyncio.Future[None] | None = None
        self._gone: Callable[[], None] | None = None

    def received(self, limit_bytes: int) -> bytes | None:
        return self._body.received(limit_bytes)

    async def read(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        self._let_body_come()
        return await self._body.whole(limit_bytes, declared_bytes)

    def pieces(self, limit_bytes: int, declared_bytes: int | None) -> AsyncGenerator[bytes]:
        self._let_body_come()
        return self._body.pieces(limit_bytes, declared_bytes)

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        if self._state != "open":
            return
        self._state = "ended"
        if status not in _BODILESS:
            headers.append(("content-length", str(len(body))))
        if self._send_headers(status, headers, end=not body) and body:
            self._ending = True
            self._unsent = memoryview(body)
            self._connection.send(self)

    def send_head(self, status: int, headers: Headers, first: bytes, size_bytes: int | None) -> None:
        if self._state != "open":
            return
        self._state = "streaming"
        if size_bytes is not None:
            headers.append(("content-length", str(size_bytes)))
        if self._send_headers(status, headers, end=False) and first:
            self._unsent = memoryview(first)
            self._connection.send(self)

    async def send_piece(self, data: bytes) -> None:
        if self._state != "streaming":
            raise ClientGone
        if self._sent_end or not data:
            return
        self._add(data)
        self._connection.send(self)
        while self._unsent:
            if self._room is None or self._room.done():
                self._room = self._connection.server.loop.create_future()
            await self._room
        if self._state != "streaming":
            raise ClientGone

    def send_last(self, data: bytes) -> None:
        if self._state != "streaming":
            return
        self._state = "ended"
        if not self._sent_end:
            self._add(data)
            self._ending = True
            self._connection.send(self)

    def switch(self, to: str, headers: Headers, opening: Callable[[Server], Other]) -> Other | None:
        return None  # RFC 9113, section 8.6

    def finish(self) -> None:
        self._finished = True
        self._gone = None
        self._since_s = self._connection.server.loop.time()
        match self._state:
            case "streaming":
                self.send_last(b"")
            case "open":
                self._connection.reset(self.id, ErrorCodes.INTERNAL_ERROR)
                self.lose()
            case _:
                pass
        self.resume(self._unread_bytes)
        self._body.close()
        self._settle()

    def break_off(self) -> None:
        if self._state == "streaming":
            self._break_off(ErrorCodes.INTERNAL_ERROR)

    def when_gone(self, callback: Callable[[], None]) -> None:
        if self._state == "lost":
            callback()
        else:
            self._gone = callback

    def _let_body_come(self) -> None:
        if self._expects and self._state == "open" and not self._body.complete:
            self._expects = False
            self._connection.h2.send_headers(self.id, [(":status", "100")])
            self._connection.flush()

    # What the body asks for.

    def pause(self) -> None:
        pass  # the caller stops by itself when its window is used up

    def resume(self, taken_bytes: int) -> None:
        self._unread_bytes -= taken_bytes
        self._connection.give_room(self.id, taken_bytes)

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """A piece of the body has arrived."""
        self._unread_bytes += len(data)
        if not self._finished:
            self._body.feed(data)
            return
        self._discarded_bytes += len(data)
        self.resume(len(data))
        if self._discarded_bytes > MAX_DISCARDED_BYTES:
            self._break_off(ErrorCodes.NO_ERROR)

    def end(self) -> None:
        """The body has arrived whole."""
        self._body.end()
        self._settle()

    def lose(self) -> None:
        """The caller has left, or its connection has."""
        self._state = "lost"
        self._unsent = memoryview(b"")
        self._body.lose()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        gone, self._gone = self._gone, None
        if gone is not None:
            gone()
        self._settle()

    def unsent(self) -> bool:
        """Return whether there is something to send."""
        return self._state != "lost" and not self._sent_end and (self._ending or bool(self._unsent))

    def send_frame(self) -> bool:
        """Send the next frame; False when the caller's windows have no room."""
        h2 = self._connection.h2
        if self._unsent:
            room = min(h2.local_flow_control_window(self.id), _FRAME_BYTES)
            if room <= 0:
                return False
            frame, self._unsent = self._unsent[:room], self._unsent[room:]
        else:
            frame = self._unsent
        end = self._ending and not self._unsent
        h2.send_data(self.id, frame, end_stream=end)
        self._since_s = self._connection.server.loop.time()
        if not self._unsent and self._room is not None and not self._room.done():
            self._room.set_result(None)
        if end:
            self._sent_end = True
            self._settle()
        return True

    def check(self, now_s: float) -> None:
        """Break off a reply that the caller does not take, and a refused body that does not end."""
        if self._finished and now_s - self._since_s > (LINGER_S if self._sent_end else IDLE_TIMEOUT_S):
            # RFC 9113, section 8.1: no error when the reply is whole and the rest of the body is not needed.
            self._break_off(ErrorCodes.NO_ERROR if self._sent_end else ErrorCodes.CANCEL)

    def _add(self, data: bytes) -> None:
        self._unsent = memoryview(self._unsent.tobytes() + data if self._unsent else data)

    def _send_headers(self, status: int, headers: Headers, *, end: bool) -> bool:
        """Send the head; False when no body follows."""
        end = end or status in _BODILESS or self._method == "HEAD"
        fields = [(":status", str(status)), *[field for field in headers if field[0] not in _HOP_BY_HOP]]
        fields.append(("date", self._connection.server.date()))
        self._connection.h2.send_headers(self.id, fields, end_stream=end)
        self._connection.flush()
        self._sent_end = end
        return not end

    def _break_off(self, code: ErrorCodes) -> None:
        self._connection.reset(self.id, code)
        self.lose()

    def _settle(self) -> None:
        if self._finished and (self._state == "lost" or (self._sent_end and self._body.complete)):
            self._connection.drop(self)
