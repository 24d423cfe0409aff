"""The HTTP server: one listener on the event loop, HTTP/1.1 and HTTP/2 told apart by a connection's first bytes.

Requests are parsed by llhttp (through httptools) and by h2; this folder adds limits, back-pressure and the way
back. It shares the event loop's thread with everything else, so a request costs no hand-over between threads.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Protocol

from tokengate.web.request import Request

Answer = Callable[[Request], Awaitable[None]]

HEAD_TIMEOUT_S = 15.0  # a request's head must have arrived by then
IDLE_TIMEOUT_S = 75.0  # a connection without a request is closed after so long
MAX_HEAD_BYTES = 64 * 1024
WRITE_BUFFER_BYTES = 64 * 1024  # written but not taken by the network: more makes `Request.write` wait
LINGER_S = 3.0  # how long the rest of a refused body, or of a connection that ends, is read and thrown away
READ_BUFFER_BYTES = 256 * 1024  # received but not read by its surface: more stops reading

_BACKLOG = 4_096
_PACE_S = 1.0
_CLOSE_PACE_S = 0.01


class Connection(Protocol):
    """What the server asks of a connection of either version."""

    def check(self, now_s: float) -> None:
        """Close it when it has been idle, or a head has been on its way, for too long."""
        ...

    def shut(self) -> None:
        """Take no further request: close now when idle, else after the requests that are being answered."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...


class Server:
    """Listens and keeps the connections. `answer` is called for each request, in a task of its own; `opening` makes
    the protocol of a new connection."""

    def __init__(self, answer: Answer, opening: "Callable[[Server], asyncio.Protocol]") -> None:
        self.answer = answer
        self._opening = opening
        self.connections: set[Connection] = set()
        self.stopping = False
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._date = (0, "")

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the port is taken."""
        self.loop = asyncio.get_running_loop()
        self._listener = await self.loop.create_server(
            lambda: self._opening(self), host, port, backlog=_BACKLOG, reuse_address=True, family=socket.AF_UNSPEC
        )
        self._tick()

    def stop_listening(self) -> None:
        """Take no new connection, close the idle ones, and each other once its request is answered."""
        self.stopping = True
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            connection.shut()

    async def close(self, timeout_s: float) -> None:
        """End every connection, at the latest when `timeout_s` has passed."""
        self.stop_listening()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.connections:
                    await asyncio.sleep(_CLOSE_PACE_S)
        for connection in list(self.connections):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()

    def begin(self, request: Request) -> None:
        """Answer a request, in a task that ends with it."""
        request.task = self.loop.create_task(self._run(request))

    async def _run(self, request: Request) -> None:
        try:
            await self.answer(request)
        finally:
            request.finish()

    def date(self) -> str:
        """Return the date header's value, made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True))
        return self._date[1]

    def _tick(self) -> None:
        now_s = self.loop.time()
        for connection in list(self.connections):
            connection.check(now_s)
        self._timer = self.loop.call_later(_PACE_S, self._tick)


def address_of(transport: asyncio.Transport) -> str:
    """Return the caller's address, as `host:port`; empty when it has left already."""
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else ""
