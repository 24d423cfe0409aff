"""HTTP/1.1 to one backend: pool, proxy, TLS, and a request head prepared once per URL.

It takes aiohttp's connector and leaves out its session and its parser, which cost several times what is done here
(see the decision on the reader of replies). The contract test holds it to its promises whatever aiohttp changes below.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Mapping
from itertools import count
from typing import Final

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from tokengate.core.clock import Clock, SystemClock
from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import Exchange, HttpRequest
from tokengate.core.settings import UpstreamSettings
from tokengate.upstream import failures
from tokengate.upstream.exchange import HttpExchange
from tokengate.upstream.guard import AddressRefused, Guard
from tokengate.upstream.idle import IdleConnections
from tokengate.upstream.reader import Lost, ReplyReader, Unreadable
from tokengate.upstream.watchdog import Watchdog

# Vendors close idle connections after 5 s (uvicorn) to several minutes; a TLS handshake across the world costs more
# than a socket kept for a minute.
_KEEP_ALIVE_S: Final = 60.0
_DNS_CACHE_S: Final = 60

_NO_TIMEOUT: Final = ClientTimeout(total=None, sock_connect=None)  # the watchdog has the deadlines
_MAX_TARGETS: Final = 1024  # URLs remembered; a backend has a handful


class _Target:
    """What requests to one URL have in common."""

    __slots__ = ("_headers", "_start", "_written", "place", "template")

    def __init__(self, template: ClientRequest, start: str, place: int) -> None:
        """`template` tells the connector where to; `start` is the request line and fixed headers; `place` is the same
        for all that may share connections."""
        self.template = template
        self.place = place
        self._start = start
        self._headers: Mapping[str, str] | None = None
        self._written = b""

    def head(self, backend: str, request: HttpRequest) -> bytes:
        """Return the request's head. Raises UpstreamFailed for a header that holds a line break: it would be two."""
        if request.headers is not self._headers:
            self._written = f"{self._start}{_lines(backend, request.headers)}".encode()
            self._headers = request.headers
        if request.body or request.method == "POST":
            size_bytes = len(request.body) if request.upload is None else request.upload.size_bytes
            return b"%bcontent-length: %d\r\n\r\n" % (self._written, size_bytes)
        return self._written + b"\r\n"


class HttpTransport:
    """Implements `core.http.Transport` for one `[[upstream]]`. Used by one event loop."""

    def __init__(
        self,
        settings: UpstreamSettings,
        clock: Clock | None = None,
        guard: Guard | None = None,
        *,
        shows_redirects: bool = False,
    ) -> None:
        """With a guard, only what it allows is connected to. A redirect is a failure, unless it is to be shown to a
        caller who checks where it leads."""
        assert guard is None or not settings.proxy, "a proxy would resolve names where no guard looks"
        self._name = settings.name
        self._guard = guard
        self._shows_redirects = shows_redirects
        self._limit = settings.max_connections
        self._proxy = URL(settings.proxy) if settings.proxy else None
        self._tls = _tls(settings)
        self._targets: dict[tuple[str, str], _Target] = {}
        self._places: dict[ConnectionKey, int] = {}
        self._new_place = count().__next__  # never the same again: a reply under way may come back to an old one
        self._idle = IdleConnections()
        self._connector: TCPConnector | None = None  # needs the running loop
        self.watchdog = Watchdog(clock or SystemClock())

    async def send(self, request: HttpRequest) -> Exchange:
        """Send, and return when the reply's head has arrived.

        A connection that served before may be closed by the backend at the very moment a request is sent on it. If
        a used connection ends without an answer, the request is sent once more. The backend may then, rarely, do
        the work twice; the caller gets one answer and pays for one, and model calls change nothing else.
        """
        target = self._targets.get((request.method, request.url)) or self._prepare(request)
        head = target.head(self._name, request)
        exchange = HttpExchange(self._name, request.timeouts, self.watchdog, self._idle, target.place)
        try:
            for resent in (False, True):
                reader, used = self._idle.take(target.place), True
                if reader is None:
                    reader, used = await self._connect(exchange, target)
                try:
                    await exchange.ask(reader, head, request.body, request.upload, has_body=request.method != "HEAD")
                    break
                except Lost as failure:
                    if resent or not used:
                        raise failures.no_answer(self._name) from failure
                    exchange.drop()
        except BaseException:
            exchange.close()
            raise
        if 200 <= exchange.status < 300 or exchange.status >= 400 or self._shows_redirects:
            return exchange
        exchange.close()
        raise failures.redirected(self._name, exchange.status)

    async def close(self) -> None:
        """Close every connection. Exchanges still open end as broken off."""
        self.watchdog.close()
        self._idle.let_go()
        if self._connector is not None:
            await self._connector.close()

    async def _connect(self, exchange: HttpExchange, target: _Target) -> tuple[ReplyReader, bool]:
        """Return a connection of the connector, and whether it has carried a request before."""
        connector = self._connector or self._open()
        idle = self._idle
        idle.let_go()
        idle.waiting += 1
        try:
            connection = await exchange.connect(connector.connect(target.template, [], _NO_TIMEOUT), self._loop)
        finally:
            idle.waiting -= 1
        try:
            return ReplyReader.of(connection)
        except Lost as failure:
            connection.close()
            raise failures.no_answer(self._name) from failure
        except Unreadable as failure:
            connection.close()
            raise failures.not_http(self._name) from failure

    def _open(self) -> TCPConnector:
        self._loop = asyncio.get_running_loop()
        self._connector = TCPConnector(
            limit=self._limit,
            ssl=self._tls,
            keepalive_timeout=_KEEP_ALIVE_S,
            ttl_dns_cache=_DNS_CACHE_S,
            resolver=self._guard,
        )
        return self._connector

    def _prepare(self, request: HttpRequest) -> _Target:
        if self._guard is not None:
            try:
                self._guard.check_url(request.url)
            except AddressRefused as refused:
                raise failures.unreachable(self._name, refused) from refused
        url = URL(request.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{self._name}: {request.url!r} is not an http or https address")
        template = ClientRequest(request.method, url, proxy=self._proxy, ssl=self._tls, loop=asyncio.get_running_loop())
        path = url.raw_path_qs
        proxy_credential = ""
        if self._proxy is not None and url.scheme == "http":
            path = str(url)
            proxy_credential = _basic(self._proxy)
        head = (
            f"{request.method} {path} HTTP/1.1\r\nhost: {url.host_port_subcomponent}\r\n"
            f"{proxy_credential}accept-encoding: identity\r\n"
        )
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()
            self._places.clear()
            self._idle.let_go()
        place = self._places.setdefault(template.connection_key, self._new_place())
        return self._targets.setdefault((request.method, request.url), _Target(template, head, place))


def _lines(backend: str, headers: Mapping[str, str]) -> str:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise UpstreamFailed(f"A header configured for {backend} holds a line break.", kind="invalid", backend=backend)
    return lines


def _basic(proxy: URL) -> str:
    if proxy.user is None:
        return ""
    credential = b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode()
    return f"proxy-authorization: Basic {credential}\r\n"


def _tls(settings: UpstreamSettings) -> ssl.SSLContext | bool:
    """Return what the connector takes: True is the system's certificates, False no verification."""
    if not settings.verify_tls:
        return False
    return ssl.create_default_context(cafile=settings.ca_file) if settings.ca_file else True
