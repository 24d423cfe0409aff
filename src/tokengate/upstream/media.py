"""Fetches pictures, sound and films that a caller names by address, for backends that take them only inside a request.

The transport must be a guarded one that shows redirects: every address is checked before anything is sent to it.
"""

from typing import Final
from urllib.parse import urljoin

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts, Transport
from tokengate.core.wire import Inlined

_MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TIMEOUTS: Final = Timeouts(connect=5.0, first=15.0, between=10.0, total=60.0)
_HEADERS: Final = {"user-agent": "tokengate", "accept": "image/*, audio/*, video/*, application/pdf, text/plain"}
_TYPES: Final = ("image/", "audio/", "video/", "application/pdf", "text/plain")
# First bytes of what servers like to call application/octet-stream.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)


class MediaFetcher:
    """Fetches through one guarded transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def fetch(self, url: str, limit_bytes: int) -> Inlined:
        """Return what lies at an address. Raises BadRequest, saying why it cannot."""
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                exchange = await self._transport.send(HttpRequest("GET", url, _HEADERS, b"", _TIMEOUTS))
            except UpstreamFailed as failure:
                raise _refusal(url, failure.message) from None
            except ValueError:
                raise _refusal(url, "The address cannot be read.") from None
            try:
                if exchange.status in _REDIRECTS and exchange.headers.get("location"):
                    url = urljoin(url, exchange.headers["location"])
                    continue
                if exchange.status != 200:
                    raise _refusal(url, f"Its server answers {exchange.status}.")
                body = await exchange.read(limit_bytes)
            except UpstreamFailed as failure:
                too_large = f"It is larger than {limit_bytes} bytes."
                raise _refusal(url, too_large if failure.kind == "too_large" else failure.message) from None
            finally:
                exchange.close()
            return Inlined(_media_type(url, exchange.headers.get("content-type", ""), body), body)
        raise _refusal(url, "It redirects too often.")


def _media_type(url: str, declared: str, body: bytes) -> str:
    kind = declared.partition(";")[0].strip().lower()
    if kind.startswith(_TYPES):
        return kind
    for magic, found in _MAGIC:
        if body.startswith(magic):
            return found
    if body[:4] == b"RIFF":
        known = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(body[8:12])
        if known:
            return known
    if body[4:8] == b"ftyp":
        return "video/mp4"
    raise _refusal(url, "It is neither a picture, sound, a film nor a document.")


def _refusal(url: str, why: str) -> BadRequest:
    return BadRequest(
        f"The file at {url[:200]!r} could not be fetched. {why}", param="messages", code="invalid_image_url"
    )
