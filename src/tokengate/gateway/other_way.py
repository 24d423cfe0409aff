"""A chat's backend that answers in the other way than it was asked: whole to a request for a stream, in events to one
for a whole reply. The caller gets what they asked for all the same, and is billed the same.

Some models answer only in streams; such a backend is asked for one, and its events are added up here too.
"""

from collections.abc import AsyncIterator, Mapping
from itertools import chain
from typing import Final

from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.fold import Fold, events_of
from tokengate.core.http import Exchange
from tokengate.core.reply import Event, Failure, Reply, Start
from tokengate.core.upload import Upload
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Format
from tokengate.formats.openai.text_completions import in_one_chunk, joined_chunks
from tokengate.gateway.adapter import Adapter, Lane, WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.convert import ConvertLane, whole_reply
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.written import Written

MAX_REPLY_BYTES: Final = 64 * 1024 * 1024


class OtherWay:
    """Implements `Adapter` over the one that was chosen for a backend, which reads what was asked for."""

    __slots__ = ("_body", "_call", "_format", "body", "dropped", "headers", "inner", "path")

    def __init__(self, call: Call, format: Format | None, body: bytes, inner: Adapter) -> None:
        """`format` is the backend's, None for text completions, which are in no format's vocabulary."""
        self._call = call
        self._format = format
        self._body = body
        self.inner = inner
        self.path: str = inner.path
        self.headers: Mapping[str, str] = inner.headers
        self.body: bytes | Upload = inner.body
        self.dropped: list[str] = inner.dropped

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply, or the events that came in its place. Raises UpstreamFailed."""
        if not self._call.replied_in_events:
            return self.inner.whole(data)
        if self._format is None:
            return self.inner.whole(joined_chunks(data))
        return whole_reply(_collected(self._format, data), self._written)

    def lane(self, written: Written) -> Lane:
        """Return the lane of a streamed reply, or of the whole one that came in its place."""
        call = self._call
        if self._format is None or not call.replied_whole:
            return self.inner.lane(written)
        assert call.operation.format is not None
        chat = call.chat(self._body)
        if call.options.usage_always:
            chat = replace(chat, include_usage=True)
        writer = call.operation.format.stream_writer(heading_of(call), chat)
        return ConvertLane(WholeReader(self._format), writer, call.asked.choices, written)

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return what the lane is fed."""
        if self._format is None and self._call.replied_whole:
            return _one_chunk(exchange)
        return self.inner.pieces(exchange, fetch)

    def _written(self, reply: Reply, counted: Usage | None = None) -> bytes:
        call = self._call
        assert call.operation.format is not None
        shown = reply if counted is None else replace(reply, usage=ReportedUsage(counted, b""))
        return call.operation.format.write_reply(shown, heading_of(call), call.chat(self._body))


class WholeReader:
    """Implements `StreamReader` for a whole reply: its events come when it has ended."""

    __slots__ = ("_body", "_format", "usage")

    def __init__(self, format: Format) -> None:
        self.usage: ReportedUsage | None = None
        self._format = format
        self._body = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Keep a piece. Raises UpstreamFailed for more than a reply may have."""
        self._body += chunk
        if len(self._body) > MAX_REPLY_BYTES:
            raise UpstreamFailed(f"The upstream sent a reply of more than {MAX_REPLY_BYTES} bytes.", kind="too_large")
        return []

    def close(self) -> list[Event]:
        """Return the reply's events; a cut for what is no reply, since it may be the vendor's error."""
        try:
            reply = self._format.read_reply(bytes(self._body))
        except UpstreamFailed as unreadable:
            return [Start(), Failure("cut", unreadable.message)]
        self.usage = reply.usage
        return list(events_of(reply))


async def _one_chunk(exchange: Exchange) -> AsyncIterator[bytes]:
    yield in_one_chunk(await exchange.read(MAX_REPLY_BYTES))


def _collected(format: Format, data: bytes) -> Reply:
    """Return what a stream's events say together. Raises UpstreamFailed."""
    reader = format.stream_reader()
    fold = Fold()
    for event in chain(reader.feed(data), reader.close()):
        fold.add(event)
    failure = fold.failure
    if failure is not None:
        error = str(bytes(failure.raw or b""), "utf-8", "replace")
        raise UpstreamFailed(failure.message, kind="cut" if failure.kind == "cut" else "status", body=error)
    return fold.reply()
