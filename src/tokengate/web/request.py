"""One HTTP request over the server's RSGI interface: bounded body in, whole or streamed reply out.

Implements the pipeline's `Sink`. Nothing above this file knows the server.
"""

from typing import Any, Protocol

import msgspec
from granian.rsgi import ProtocolClosed, ProtocolError  # pyright: ignore[reportPrivateImportUsage]  # their public home

from tokengate.core.errors import BadRequest, BodyTooLarge, ClientGone, UnsupportedMediaType

Headers = list[tuple[str, str]]

_encode = msgspec.json.Encoder().encode
_MAX_DISCARDED_BYTES = 32 * 1024 * 1024  # beyond the limit; more is cut off
_JSON_TYPES = ("application/json", "text/json")


class RsgiProtocol(Protocol):
    """The part of granian's HTTP protocol object that is used here."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> Any: ...
    async def client_disconnect(self) -> None: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
    def response_stream(self, status: int, headers: Headers) -> Any: ...


class Request:
    """A request and the way back. `extra` headers (CORS) go on every reply."""

    __slots__ = ("_protocol", "_scope", "_transport", "extra", "headers", "id", "method", "path", "status")

    def __init__(self, scope: Any, protocol: RsgiProtocol, request_id: str) -> None:
        self._scope = scope
        self._protocol = protocol
        self._transport: Any = None
        self.id = request_id
        self.method: str = scope.method
        self.path: str = scope.path
        self.headers = scope.headers
        self.extra: Headers = []
        self.status = 0

    @property
    def query(self) -> str:
        return self._scope.query_string

    @property
    def client(self) -> str:
        """The caller's address, as `host:port`."""
        return self._scope.client

    def bearer(self) -> str:
        """Return the key of the Authorization header, empty when there is none."""
        value: str = self.headers.get("authorization") or ""
        scheme, _, token = value.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def require_json(self) -> None:
        """Raise UnsupportedMediaType unless the body is declared as JSON or not declared at all."""
        kind: str | None = self.headers.get("content-type")
        if kind is None or kind == "application/json":
            return
        if kind.partition(";")[0].strip().lower() not in _JSON_TYPES:
            raise UnsupportedMediaType(kind)

    async def body(self, limit_bytes: int) -> bytes:
        """Return the whole body. Raises BodyTooLarge as soon as the limit is passed, before reading when the
        length is declared; ClientGone."""
        try:
            declared: str | None = self.headers.get("content-length")
            if declared is not None:
                if not declared.isdigit():
                    raise BadRequest("Content-Length is not a number.")
                if int(declared) > limit_bytes:
                    await self._discard(int(declared) - limit_bytes)
                    raise BodyTooLarge(limit_bytes)
                return await self._protocol()
            pieces: list[bytes] = []
            size = 0
            async for piece in self._protocol:
                size += len(piece)
                if size > limit_bytes:
                    raise BodyTooLarge(limit_bytes)
                pieces.append(piece)
            return b"".join(pieces)
        except (ProtocolClosed, ProtocolError) as error:
            raise ClientGone from error

    async def _discard(self, excess_bytes: int) -> None:
        """Read a body that is a little too large to its end, so that the caller gets to read the refusal instead
        of a broken pipe."""
        if excess_bytes <= _MAX_DISCARDED_BYTES:
            async for _ in self._protocol:
                pass

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole reply."""
        self.status = status
        headers.extend(self.extra)
        self._protocol.response_bytes(status, headers, body)

    def json(self, value: object, status: int = 200) -> None:
        """Send a whole JSON reply."""
        self.whole(status, [("content-type", "application/json"), ("x-request-id", self.id)], _encode(value))

    def open(self, status: int, headers: Headers) -> None:
        """Send the head of a streamed reply."""
        self.status = status
        headers.extend(self.extra)
        self._transport = self._protocol.response_stream(status, headers)

    async def write(self, data: bytes) -> None:
        """Send a piece of a streamed reply; returns when the server has taken it. Raises ClientGone."""
        try:
            await self._transport.send_bytes(data)
        except (ProtocolClosed, ProtocolError) as error:
            raise ClientGone from error

    def end(self) -> None:
        """End a streamed reply. The server ends it with the life of its transport, so nothing may keep that."""
        self._transport = None

    async def gone(self) -> None:
        """Return when the caller has left."""
        await self._protocol.client_disconnect()
