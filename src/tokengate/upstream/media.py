"""Fetches pictures, sound and films: what a caller names by address, for backends that take them only inside a request,
and what a vendor has made, piece by piece.

The transport must be a guarded one that shows redirects: every address is checked before anything is sent to it.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.http import Exchange, HttpRequest, Timeouts, Transport
from tokengate.core.media.look import Look, is_looked_at
from tokengate.core.media.steps import BadMedia, Media
from tokengate.core.media_type import media_type_of
from tokengate.core.wire import Inlined

_MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TIMEOUTS: Final = Timeouts(connect=5.0, first=15.0, between=10.0, total=60.0)
_LONG_TIMEOUTS: Final = Timeouts(connect=10.0, first=60.0, between=60.0, total=3600.0)  # of large files
_HEADERS: Final = {"user-agent": "tokengate", "accept": "image/*, audio/*, video/*, application/pdf, text/plain"}


class Download:
    """A file that a vendor made, on its way. `media` is what a picture, a sound or a film says of itself, once the last
    piece has come."""

    def __init__(self, exchange: Exchange, max_bytes: int, wanted: str) -> None:
        self.size_bytes = _declared_bytes(exchange)
        self.media_type = wanted
        self.media: Media | None = None
        self._chunks = exchange.chunks()
        self._max_bytes = max_bytes
        self._came_bytes = 0
        self._look = Look() if not wanted or is_looked_at(wanted) else None
        self._first = b""

    async def begin(self) -> None:
        """Read as much as tells what it is. Raises UpstreamFailed."""
        if self.size_bytes is not None and self.size_bytes > self._max_bytes:
            raise self._too_large()
        while not self._first or (self._look is not None and self._look.media_type is None):
            piece = await anext(self._chunks, b"")
            if not piece:
                break
            self._first += self._seen(piece)
        if not self._first:
            raise _unusable("is empty")
        if self._look is None:
            return
        seen = self._look.media_type or self._whole(self._look).media_type
        if self.media_type.partition("/")[0] not in ("", seen.partition("/")[0]):
            raise _unusable(f"is {seen}, not {self.media_type}")
        self.media_type = seen

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield it all, once. Raises UpstreamFailed as soon as it shows that something is wrong: too many bytes, late
        or cut, damaged or not whole."""
        yield self._first
        self._first = b""
        async for piece in self._chunks:
            yield self._seen(piece)
        if self._look is not None:
            self.media = self._whole(self._look)

    def _seen(self, piece: bytes) -> bytes:
        self._came_bytes += len(piece)
        if self._came_bytes > self._max_bytes:
            raise self._too_large()
        if self._look is not None:
            try:
                self._look.feed(piece)
            except BadMedia as bad:
                raise _unusable(bad.why) from None
        return piece

    def _whole(self, look: Look) -> Media:
        try:
            return look.end()
        except BadMedia as bad:
            raise _unusable(bad.why) from None

    def _too_large(self) -> UpstreamFailed:
        return _unusable(f"is larger than {self._max_bytes} bytes", "too_large")


@asynccontextmanager
async def download(exchange: Exchange, max_bytes: int, wanted: str = "") -> AsyncGenerator[Download]:
    """Give the file that an exchange, such as one with a vendor's credential, answers with; the exchange is closed in
    the end.

    `wanted` is its media type when that is known before, else it must be a picture, a sound or a film. What servers
    say of such files is not believed: their bytes tell. Other files pass as they are. Raises UpstreamFailed for an
    answer that is not 200, and for what is larger than `max_bytes`, another kind of file, damaged or not whole.
    """
    try:
        if exchange.status != 200:
            raise UpstreamFailed(
                f"The server of the file answers {exchange.status}.", kind="status", upstream_status=exchange.status
            )
        found = Download(exchange, max_bytes, wanted)
        await found.begin()
        yield found
    finally:
        exchange.close()


class MediaFetcher:
    """Fetches through one guarded transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def fetch(self, url: str, limit_bytes: int) -> Inlined:
        """Return what lies at an address. Raises BadRequest, saying why it cannot."""
        try:
            exchange = await self._open(url, _TIMEOUTS)
        except UpstreamFailed as failure:
            raise _refusal(url, failure.message) from None
        try:
            if exchange.status != 200:
                raise _refusal(url, f"Its server answers {exchange.status}.")
            body = await exchange.read(limit_bytes)
        except UpstreamFailed as failure:
            too_large = f"It is larger than {limit_bytes} bytes."
            raise _refusal(url, too_large if failure.kind == "too_large" else failure.message) from None
        finally:
            exchange.close()
        media_type = media_type_of(exchange.headers.get("content-type", ""), body)
        if media_type is None:
            raise _refusal(url, "It is neither a picture, sound, a film nor a document.")
        return Inlined(media_type, body)

    @asynccontextmanager
    async def stream(self, url: str, max_bytes: int, wanted: str = "") -> AsyncGenerator[Download]:
        """Give what lies at an address that a vendor named, as `download` does. Raises UpstreamFailed, whose message
        does not name the address: it may hold a signature."""
        async with download(await self._open(url, _LONG_TIMEOUTS), max_bytes, wanted) as found:
            yield found

    async def _open(self, url: str, timeouts: Timeouts) -> Exchange:
        """Return the answer behind redirects. Raises UpstreamFailed."""
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                exchange = await self._transport.send(HttpRequest("GET", url, _HEADERS, b"", timeouts))
                if exchange.status not in _REDIRECTS or not exchange.headers.get("location"):
                    return exchange
                exchange.close()
                url = urljoin(url, exchange.headers["location"])
            except ValueError:
                raise UpstreamFailed("The address cannot be read.", kind="connect") from None
        raise UpstreamFailed("It redirects too often.", kind="invalid")


def _declared_bytes(exchange: Exchange) -> int | None:
    """Return how large the answer says it is."""
    declared = exchange.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() else None


def _unusable(why: str, kind: str = "invalid") -> UpstreamFailed:
    return UpstreamFailed(f"The file that the vendor made {why}.", kind=kind)


def _refusal(url: str, why: str) -> BadRequest:
    return BadRequest(
        f"The file at {url[:200]!r} could not be fetched. {why}", param="messages", code="invalid_image_url"
    )
