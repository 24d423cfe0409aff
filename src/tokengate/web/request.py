"""One HTTP request of either version: its head, its bounded body, and the whole or streamed reply.

Implements the pipeline's `Sink`. A `Channel` is the request's own way through its connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from tokengate.core.errors import BadRequest, GatewayError, UnsupportedMediaType

if TYPE_CHECKING:
    from tokengate.web.server import Server

Other = TypeVar("Other", bound=asyncio.Protocol)  # than HTTP
Headers = list[tuple[str, str]]
ErrorWriter = Callable[[GatewayError, str], bytes]  # given the request's id

_encode = msgspec.json.Encoder().encode
_JSON_TYPES = ("application/json", "text/json")


class Channel(Protocol):
    """What a connection offers to one of its requests."""

    def received(self, limit_bytes: int) -> bytes | None:
        """Return the whole body when it has arrived already and is not too large."""
        ...

    async def read(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        """Return the whole body. Raises BodyTooLarge, ClientGone."""
        ...

    def pieces(self, limit_bytes: int, declared_bytes: int | None) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives. Raises BodyTooLarge, ClientGone."""
        ...

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole reply; nothing happens when the caller has left."""
        ...

    def send_head(self, status: int, headers: Headers, first: bytes, size_bytes: int | None) -> None:
        """Send the head of a streamed reply, whose size may be known, and its first piece; nothing happens when the
        caller has left."""
        ...

    async def send_piece(self, data: bytes) -> None:
        """Send a piece of a streamed reply; returns when there is room for another. Raises ClientGone."""
        ...

    def send_last(self, data: bytes) -> None:
        """Send the last piece of a streamed reply; nothing happens when the caller has left."""
        ...

    def switch(self, to: str, headers: Headers, opening: "Callable[[Server], Other]") -> Other | None:
        """Send 101 and let another protocol have the connection; None, and nothing happens, unless the caller asked
        for that one and the connection can be left."""
        ...

    def finish(self) -> None:
        """End the request: a streamed reply is complete, an unanswered request is broken off."""
        ...

    def break_off(self) -> None:
        """End a streamed reply so that the caller sees that it is not whole."""
        ...

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the caller leaves before the request's end; at once when it has left."""
        ...


class Request:
    """A request and the way back. Header names are lower case; `extra` headers (CORS) go on every reply."""

    __slots__ = (
        "_channel",
        "client",
        "extra",
        "headers",
        "id",
        "method",
        "path",
        "query",
        "status",
        "task",
        "write_error",
    )

    def __init__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], client: str, channel: Channel
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.client = client  # the caller's address, as `host:port`
        self.extra: Headers = []
        self.id = ""
        self.status = 0
        self.task: asyncio.Task[None] | None = None
        self.write_error: ErrorWriter | None = None  # set where the caller's headers choose the shape of errors
        self._channel = channel

    def bearer(self) -> str:
        """Return the key of the Authorization header, empty when there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def require_json(self) -> None:
        """Raise UnsupportedMediaType unless the body is declared as JSON or not declared at all."""
        kind = self.headers.get("content-type")
        if kind is None or kind == "application/json":
            return
        if kind.partition(";")[0].strip().lower() not in _JSON_TYPES:
            raise UnsupportedMediaType(kind)

    def received_body(self, limit_bytes: int) -> bytes | None:
        """Return the whole body when it has arrived already, as most have; None leaves the rest to `body`."""
        return self._channel.received(limit_bytes)

    async def body(self, limit_bytes: int) -> bytes:
        """Return the whole body. Raises BodyTooLarge as soon as the limit is passed, before reading when the
        length is declared; ClientGone."""
        return await self._channel.read(limit_bytes, self._declared_bytes())

    def body_pieces(self, limit_bytes: int) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives, for what is too large to be held; raises what `body` does."""
        return self._channel.pieces(limit_bytes, self._declared_bytes())

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole reply."""
        self.status = status
        headers.extend(self.extra)
        self._channel.send_whole(status, headers, body)

    def json(self, value: object, status: int = 200) -> None:
        """Send a whole JSON reply."""
        self.whole(status, [("content-type", "application/json"), ("x-request-id", self.id)], _encode(value))

    def open(self, status: int, headers: Headers, first: bytes = b"", *, size_bytes: int | None = None) -> None:
        """Send the head of a streamed reply, together with its first piece: one write to the network, not two. A reply
        whose size is told has exactly so many bytes, or is broken off."""
        self.status = status
        headers.extend(self.extra)
        self._channel.send_head(status, headers, first, size_bytes)

    async def write(self, data: bytes) -> None:
        """Send a piece of a streamed reply; returns when there is room for another. Raises ClientGone."""
        await self._channel.send_piece(data)

    def end(self, last: bytes) -> None:
        """Send the last piece of a streamed reply, with which it is whole."""
        self._channel.send_last(last)

    def switch(self, to: str, headers: Headers, opening: "Callable[[Server], Other]") -> Other | None:
        """Leave HTTP: let the protocol that `opening` makes have the connection, and return it. None, and nothing
        happens, unless the caller asked for the protocol named `to` and the connection can be left: it is not HTTP/2,
        and there is no other request on it (RFC 9110, section 7.8)."""
        other = self._channel.switch(to, headers, opening)
        if other is not None:
            self.status = 101
        return other

    def finish(self) -> None:
        """End the request."""
        self.task = None
        self._channel.finish()

    def break_off(self) -> None:
        """End a streamed reply so that the caller sees that it is not whole."""
        self._channel.break_off()

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the caller leaves before the request's end; at once when it has left."""
        self._channel.when_gone(callback)

    def _declared_bytes(self) -> int | None:
        declared = self.headers.get("content-length")
        if declared is None:
            return None
        if not declared.isascii() or not declared.isdigit():
            raise BadRequest("Content-Length is not a number.")
        return int(declared)
