"""A chat with a model that draws: the pictures in the backend's reply are counted while it passes, whole or streamed,
whichever lane it takes. The lane, and every byte of it, stays as it is.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.upload import Upload
from tokengate.core.wire import Format, StreamReader
from tokengate.gateway.adapter import Adapter, Lane, WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.drawn import Drawn
from tokengate.gateway.media import Fetch
from tokengate.gateway.other_way import WholeReader
from tokengate.gateway.written import Written


class DrawingChat:
    """Implements `Adapter` over the one that was chosen for a backend."""

    __slots__ = ("_call", "_drawn", "_format", "body", "dropped", "headers", "inner", "path")

    def __init__(self, call: Call, format: Format, inner: Adapter) -> None:
        """`format` is the backend's."""
        self._call = call
        self._format = format
        self._drawn = call.drawn = Drawn()
        self.inner = inner
        self.path: str = inner.path
        self.headers: Mapping[str, str] = inner.headers
        self.body: bytes | Upload = inner.body
        self.dropped: list[str] = inner.dropped

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply, or the events that came in its place. Raises UpstreamFailed."""
        reply = self.inner.whole(data)
        reader = self._format.stream_reader() if self._call.replied_in_events else WholeReader(self._format)
        self._count(reader, data)
        self._count(reader, None)
        return reply

    def lane(self, written: Written) -> Lane:
        """Return the lane of a streamed reply."""
        return self.inner.lane(written)

    async def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Yield what the lane is fed."""
        reader = WholeReader(self._format) if self._call.replied_whole else self._format.stream_reader()
        async for chunk in self.inner.pieces(exchange, fetch):
            self._count(reader, chunk)
            yield chunk
        self._count(reader, None)

    def _count(self, reader: StreamReader, chunk: bytes | None) -> None:
        """Count the pictures in a piece, or in the rest. What cannot be read is the lane's to judge."""
        with suppress(UpstreamFailed):
            self._drawn.add(reader.close() if chunk is None else reader.feed(chunk))
