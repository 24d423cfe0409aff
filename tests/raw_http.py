"""A client that sends and reads exact bytes over HTTP/1.1, for what polite clients do not do: halves of requests,
bodies without an end, chunks one by one, leaving at any moment.
"""

import asyncio
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_PATIENCE_S = 20.0  # a test that waits longer for the network hangs


@dataclass
class Answer:
    """A whole reply."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    raw_headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of an error body, which holds nothing else."""
        assert set(self.json) == {"error"}, self.body
        return self.json["error"]


class Connection:
    """One connection. Every read gives up after a while, so that a gateway which buffers fails a test."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._chunked = False
        self._left_bytes = 0

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(_PATIENCE_S):  # not wait_for: it may swallow a cancellation
            await self._writer.drain()

    async def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Send a request with its length."""
        await self.send(head_of(method, path, {"content-length": str(len(body)), **(headers or {})}) + body)

    async def read_head(self) -> Answer:
        """Return status and headers; the body is to be read afterwards."""
        async with asyncio.timeout(_PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head[:-4].decode("latin-1").split("\r\n")
        pairs = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        headers = dict(pairs)
        self._chunked = headers.get("transfer-encoding") == "chunked"
        self._left_bytes = int(headers.get("content-length", 0))
        return Answer(int(status.split(" ")[1]), headers, raw_headers=pairs)

    async def read_piece(self) -> bytes:
        """Return the next HTTP chunk as it was sent; nothing at the body's end."""
        async with asyncio.timeout(_PATIENCE_S):
            if not self._chunked:
                body, self._left_bytes = await self._reader.readexactly(self._left_bytes), 0
                return body
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            piece = (await self._reader.readexactly(size + 2))[:-2]
            self._chunked = size > 0
            return piece

    async def read_until(self, mark: bytes) -> bytes:
        """Return what arrives up to and with the piece in which the mark has come."""
        body = b""
        while mark not in body:
            piece = await self.read_piece()
            assert piece, f"{mark!r} never came: {body!r}"
            body += piece
        return body

    async def read_rest(self) -> bytes:
        body = b""
        while piece := await self.read_piece():
            body += piece
        return body

    async def answer(self) -> Answer:
        """Read a whole reply."""
        answer = await self.read_head()
        answer.body = await self.read_rest()
        return answer

    async def closed_by_peer(self) -> bytes:
        """Return what still comes until the other side closes."""
        async with asyncio.timeout(_PATIENCE_S):
            try:
                return await self._reader.read(-1)
            except ConnectionError:
                return b""

    def leave(self) -> None:
        """Close at once, without a word."""
        self._writer.transport.abort()


def head_of(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"host": "gateway", **headers}.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
