"""Requests without a connection, for tests of what stands behind the server."""

from collections.abc import AsyncGenerator, Callable, Mapping

from tokengate.core.errors import ClientGone
from tokengate.web.request import Headers, Request


class MemoryChannel:
    """Has the body already, and keeps the reply."""

    def __init__(self, body: bytes = b"") -> None:
        self._body = body
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.finished = False

    def received(self, limit_bytes: int) -> bytes | None:
        return self._body if len(self._body) <= limit_bytes else None

    async def read(self, limit_bytes: int, declared_bytes: int | None) -> bytes:
        raise ClientGone

    async def pieces(self, limit_bytes: int, declared_bytes: int | None) -> AsyncGenerator[bytes]:
        yield self._body

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        assert not self.status, "a request is answered once"
        assert len({name for name, _ in headers}) == len(headers), "a header comes once"
        self.status, self.headers, self.body = status, dict(headers), body

    def send_head(self, status: int, headers: Headers, first: bytes, size_bytes: int | None) -> None:
        self.send_whole(status, headers, first)

    async def send_piece(self, data: bytes) -> None:
        self.body += data

    def send_last(self, data: bytes) -> None:
        self.body += data

    def switch(self, to: str, headers: Headers, opening: object) -> None:
        return None

    def finish(self) -> None:
        self.finished = True

    def break_off(self) -> None:
        self.finished = True

    def when_gone(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError


def request_of(
    method: str = "GET",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    query: str = "",
    client: str = "127.0.0.1:5000",
) -> tuple[Request, MemoryChannel]:
    channel = MemoryChannel(body)
    return Request(method, path, query, headers or {}, client, channel), channel
