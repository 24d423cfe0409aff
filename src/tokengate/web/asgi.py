"""Runs an ASGI application behind our own server: one request becomes one `http` scope of ASGI 3.

Promises what the specification asks of a server: the body comes in `http.request`, a caller who leaves is
`http.disconnect` on receiving and an OSError on sending, a piece is sent only when there is room for it, and a reply
that its application does not finish is broken off instead of ending cleanly. `lifespan` and `websocket` scopes do not
occur: the composition root starts and stops everything, and nothing behind ASGI speaks WebSocket.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tokengate.core.errors import BodyTimeout, ClientGone
from tokengate.web.admit import within
from tokengate.web.late import load_late
from tokengate.web.request import Headers, Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_VERSIONS = {"version": "3.0", "spec_version": "2.4"}
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "date"})  # the connection writes these


class Disconnected(OSError):
    """The caller has left; what is sent goes nowhere."""


class AsgiHandler:
    """A handler of `Dispatch` that lets an ASGI application answer.

    `load` returns the application; it is called once, at the first request, so that what the application needs is
    neither imported nor built before somebody asks for it, and in a thread, so that no other call waits for it.
    """

    def __init__(self, load: Callable[[], AsgiApp], *, max_body_bytes: int, body_timeout_s: float) -> None:
        self._load = load
        self._app: AsgiApp | None = None
        self._loading = asyncio.Lock()
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s

    async def __call__(self, request: Request) -> None:
        """Answer one request. Raises what the application raises, once a begun reply is broken off."""
        app = self._app or await self._loaded()
        exchange = _Exchange(request, self._max_body_bytes, self._body_timeout_s)
        try:
            await app(_scope(request), exchange.receive, exchange.send)
        except Disconnected:
            return
        except BaseException:
            exchange.break_off()
            raise
        if not exchange.complete:
            exchange.break_off()
            raise RuntimeError("the ASGI application ended without a whole reply")

    async def _loaded(self) -> AsgiApp:
        async with self._loading:
            if self._app is None:
                self._app = await load_late(self._load)
            return self._app


class _Exchange:
    """The two directions of one request, as ASGI messages."""

    def __init__(self, request: Request, max_body_bytes: int, body_timeout_s: float) -> None:
        self.complete = False
        self._request = request
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s
        self._body_taken = False
        self._head: tuple[int, Headers] | None = None
        self._streaming = False
        self._completed = asyncio.Event()

    async def receive(self) -> Message:
        """Return the body, and afterwards wait for the end. Raises BodyTooLarge, BodyTimeout."""
        if not self._body_taken:
            self._body_taken = True
            try:
                body = await within(self._body_timeout_s, self._request.body(self._max_body_bytes))
            except ClientGone:
                return {"type": "http.disconnect"}
            except TimeoutError:
                raise BodyTimeout(f"The request body did not arrive within {self._body_timeout_s:g} s.") from None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self.complete:
            self._request.when_gone(self._completed.set)
            await self._completed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send the head, or a piece of the body. Raises Disconnected when the caller has left."""
        match message["type"]:
            case "http.response.start":
                if self._head is not None:
                    raise RuntimeError("the ASGI application sent a second head")
                self._head = (message["status"], _headers(message.get("headers", ()), self._request.id))
            case "http.response.body":
                await self._send_body(message.get("body", b""), message.get("more_body", False))
            case other:
                raise RuntimeError(f"the ASGI application sent {other!r}, which is not a message of HTTP")

    def break_off(self) -> None:
        """End a reply that has begun so that nobody takes it for a whole one."""
        if self._streaming and not self.complete:
            self._request.break_off()

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self._head is None or self.complete:
            raise RuntimeError("the ASGI application sent a body without a head, or behind the end")
        status, headers = self._head
        if not self._streaming and not more:
            self._request.whole(status, headers, bytes(body))
        else:
            if not self._streaming:
                self._streaming = True
                self._request.open(status, headers)
            try:
                if body:
                    await self._request.write(bytes(body))
            except ClientGone as error:
                raise Disconnected(str(error)) from error
        if not more:
            self.complete = True
            self._completed.set()


def _scope(request: Request) -> Scope:
    host, _, port = request.client.rpartition(":")
    return {
        "type": "http",
        "asgi": dict(_VERSIONS),
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": None,
        "query_string": request.query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
        ],
        "client": (host, int(port)) if port.isdigit() else None,
        "server": None,
        "state": {"request_id": request.id},
    }


def _headers(raw: object, request_id: str) -> Headers:
    headers: Headers = [("x-request-id", request_id)]
    assert isinstance(raw, list | tuple)
    pairs: list[tuple[bytes, bytes]] = list(raw)  # pyright: ignore[reportUnknownArgumentType]  # ASGI's own shape
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1").lower()
        if name not in _OURS:
            headers.append((name, raw_value.decode("latin-1")))
    return headers
