"""A server of its own for each test, what it saw, and transports without a network."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from tokengate.core.errors import BodyTooLarge, ClientGone
from tokengate.web.opening import Opening
from tokengate.web.request import Request
from tokengate.web.server import Server

Handler = Callable[[Request], Awaitable[None]]

LIMIT_BYTES = 40_000_000


class Site:
    """Answers `/echo` and `/describe`, and what a test adds; writes down what its handlers met."""

    def __init__(self) -> None:
        self.server = Server(self._answer, Opening)
        self.port = 0
        self.handlers: dict[str, Handler] = {"/echo": self._echo, "/describe": self._describe}
        self.seen: list[tuple[str, str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.errors: list[BaseException] = []
        self.departures = 0
        self.release = asyncio.Event()

    def on(self, path: str) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self.handlers[path] = handler
            return handler

        return add

    async def _answer(self, request: Request) -> None:
        self.seen.append((request.method, request.path, request.query, dict(request.headers)))
        handler = self.handlers.get(request.path)
        try:
            if handler is None:
                request.json({"error": "unknown"}, 404)
            else:
                await handler(request)
        except BodyTooLarge as error:
            self.errors.append(error)
            request.json({"error": "too large"}, 413)
        except ClientGone as error:
            self.errors.append(error)

    async def _echo(self, request: Request) -> None:
        body = await request.body(LIMIT_BYTES)
        self.bodies.append(body)
        request.whole(200, [("content-type", "application/octet-stream")], body)

    async def _describe(self, request: Request) -> None:
        request.json({"method": request.method, "path": request.path, "query": request.query})

    async def hold(self, request: Request) -> None:
        """Answer when the test says so."""
        await self.release.wait()
        request.json({"held": request.query})

    async def leave(self, request: Request) -> None:
        """Wait for the caller to leave."""
        left = asyncio.Event()
        request.when_gone(left.set)
        await left.wait()
        self.departures += 1


@asynccontextmanager
async def open_site() -> AsyncGenerator[Site, None]:
    site = Site()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        site.port = probe.getsockname()[1]
    await site.server.start("127.0.0.1", site.port)
    try:
        yield site
    finally:
        site.release.set()
        await site.server.close(0.05)


class Pipe(asyncio.Transport):
    """A transport without a network: keeps what is written, and delivers nothing while reading is paused."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol: asyncio.Protocol = protocol
        self._waiting: list[bytes] = []
        self._reading = True
        self._closing = False
        self.written = bytearray()
        self.unsent_bytes = 0
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        self._waiting.append(data)
        while self._reading and self._waiting and not self._closing:
            self._protocol.data_received(self._waiting.pop(0))

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.1", 1234) if name == "peername" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def write_eof(self) -> None:
        pass

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        if self._waiting:
            asyncio.get_running_loop().call_soon(self.deliver, b"")

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close


@asynccontextmanager
async def connect(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
