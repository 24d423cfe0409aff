"""Pictures at one backend: forwarded where both sides speak one format, otherwise through the vocabulary.

A backend that answers only whole answers a streaming caller in one event for each picture; what lies at an address is
fetched when the caller wants it inside the reply.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.errors import BadRequest, GatewayError, UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.images import Draw, Drawing, ImageFormat, Picture
from tokengate.core.parts import Data, Source, Url
from tokengate.core.reply import Failure
from tokengate.core.sse import FrameBuffer, data_of, split_frames
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.image_usage import read_image_usage
from tokengate.formats.openai.images import joined_events
from tokengate.formats.openai.stream import error_event
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Way
from tokengate.gateway.picture_check import MAX_PICTURE_BYTES, checked
from tokengate.gateway.route import Route, Target
from tokengate.gateway.service import body_of, forwarded
from tokengate.gateway.written import Written

T = TypeVar("T")

_MAX_REPLY_BYTES: Final = 192 * 1024 * 1024  # ten pictures of 3840x2160, in base64
_MAX_FRAME_BYTES: Final = 64 * 1024 * 1024  # one picture in base64
_DONE: Final = ("image_generation.completed", "image_edit.completed")
_PARTIAL: Final = ("image_generation.partial_image", "image_edit.partial_image")


def pictured(caller: ImageFormat) -> Callable[[Target], Way | None]:
    """Return how a backend is asked for the pictures of a format's task, if it makes such."""

    def way(target: Target) -> Way | None:
        format = target.backend.provider.images.get(caller.task)
        if format is None:
            return None

        async def ask(call: Call, body: bytes, fetch: Fetch) -> Pictured:
            draw = call.asked.draw
            assert draw is not None, "a request for pictures is read before it is adapted"
            if format.inlines:
                draw = await _with_pictures(draw, fetch)
            return Pictured(call, target, body, caller, format, draw)

        return ask

    return way


def only_as_jobs(route: Route, caller: ImageFormat) -> bool:
    """Say whether those backends of a route that make pictures of a task make them for this caller in no other way than
    as jobs: their vendor has no other, or it speaks another format than a caller who must have addresses, which the
    results of jobs have."""
    offered = [(target.backend.provider.images.get(caller.task), target.model) for target in route.targets]
    made = [
        format.only_as_job(model) or (caller.only_addresses and format.name != caller.name)
        for format, model in offered
        if format is not None
    ]
    return bool(made) and all(made)


class Pictured:
    """Implements `Adapter`."""

    __slots__ = ("_call", "_caller", "_draw", "_format", "_forwarded", "_lane", "body", "dropped", "headers", "path")

    def __init__(
        self, call: Call, target: Target, body: bytes, caller: ImageFormat, format: ImageFormat, draw: Draw
    ) -> None:
        """`caller` is the format that was asked in, `format` the backend's. Raises Unsupported."""
        self._call = call
        self._caller = caller
        self._format = format
        self._draw = draw
        self._forwarded = caller.name == format.name and format.forwards(draw)
        self._lane: PictureLane | None = None
        losses = Losses(target.backend.name, {})
        if self._forwarded:
            self.body = forwarded(call, target, body)
            self.headers: Mapping[str, str] = {}
        else:
            self.body, self.headers = body_of(format.write(replace(draw, model=target.model), losses))
        self.dropped = losses.dropped
        self.path = format.path(target.model)

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply. Raises UpstreamFailed, also when it has no pictures, or addresses were asked for and it
        has none."""
        if self._call.replied_in_events:
            data = joined_events(data)
        answer = self._format.read_reply(data, self._draw)
        if self._draw.delivery == "b64_json" and any(one.base64 is None for one in answer.pictures):

            async def fetching(fetch: Fetch) -> bytes:
                return self._write(await _fetched(answer, fetch))

            return WholeReply(b"", has_content=True, usage=answer.usage, fetching=fetching)
        self._require_addresses(answer)
        body = data if self._forwarded else self._write(answer)
        return WholeReply(body, has_content=True, usage=answer.usage)

    def lane(self, written: Written) -> "PictureLane":
        """Return the lane of a streamed reply."""
        self._lane = PictureLane(written)
        return self._lane

    async def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Yield the backend's stream, or that which is made of its whole reply."""
        assert self._lane is not None
        if self._format.streams(self._draw) and not self._call.replied_whole:
            async for chunk in exchange.chunks():
                yield chunk
            return
        answer = self._format.read_reply(await exchange.read(_MAX_REPLY_BYTES), self._draw)
        self._lane.reported = answer.usage
        yield self._caller.write_stream(await _fetched(answer, fetch), heading_of(self._call), self._draw)

    def _require_addresses(self, answer: Drawing) -> None:
        if self._draw.delivery == "url" and any(one.url is None for one in answer.pictures):
            raise UpstreamFailed("The upstream gave pictures without the addresses asked for.", kind="invalid")

    def _write(self, answer: Drawing) -> bytes:
        return self._caller.write_reply(answer, heading_of(self._call), self._draw)


class PictureLane:
    """Implements `Lane` for OpenAI's events, whose bytes stay as they are. Finished pictures wait for the bill."""

    __slots__ = ("_buffer", "_done", "_error", "_held", "_usages", "_written", "finished", "has_content", "reported")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._buffer = FrameBuffer(_MAX_FRAME_BYTES)
        self._held = bytearray()
        self._done = 0
        self._usages: list[ReportedUsage] = []
        self._error: Failure | None = None
        self.reported: ReportedUsage | None = None  # of the whole reply that the stream was made of
        self.has_content = False
        self.finished = False

    @property
    def usage(self) -> ReportedUsage | None:
        """What the finished pictures came to, one count for each."""
        if self.reported is not None or not self._done:
            return self.reported
        return _sum(self._usages, self._done)

    @property
    def ended(self) -> bool:
        return self._error is not None

    @property
    def failure(self) -> Failure | None:
        return self._error

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece and return what may be forwarded now: partial pictures, and what is before the first whole."""
        frames = self._buffer.feed(chunk)
        return b"".join(map(self._frame, split_frames(frames))) if frames else b""

    def close(self) -> bytes:
        """Take note that the body has ended: whole, when it had a finished picture."""
        rest = self._buffer.take_rest()
        out = self._frame(rest.rstrip(b"\r\n") + b"\n\n") if rest.strip() and not self.ended else b""
        self.finished = self._done > 0 and not self.ended
        return out

    def count(self) -> None:
        """Nothing waits."""

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the finished pictures."""
        return bytes(self._held)

    def length_end(self, usage: Usage | None = None) -> bytes:
        """Return the finished pictures: their number was held for."""
        return bytes(self._held)

    def fail(self, error: GatewayError) -> bytes:
        """Return the finished pictures, which are paid for, and the error after them."""
        return bytes(self._held) + error_event(error.message, error.type, error.code, param=error.param)

    def _frame(self, frame: bytes) -> bytes:
        if self.ended:
            return b""
        data = data_of(frame)
        event = _read_event(data)
        if event is not None and (event.error is not None or event.type == "error"):
            message = event.error.message if event.error and event.error.message else event.message
            self._error = Failure("error", message or "The upstream broke off.", Raw(data))
            return b""
        if event is not None and event.type in _DONE:
            self._done += 1
            usage = read_image_usage(bytes(event.usage), 1, event.size, event.quality)
            self._usages.append(usage)
            self.has_content = True
        if event is not None and event.type in _PARTIAL:
            self.has_content = True
            self._written.add_other()
        if self._done:
            self._held += frame
            return b""
        return frame


class _Error(Struct):
    message: str | None = None


class _Event(Struct):
    type: str = ""
    size: str | None = None
    quality: str | None = None
    usage: Raw = Raw(b"null")
    error: _Error | None = None
    message: str | None = None


_decode_event = msgspec.json.Decoder(_Event).decode


def _read_event(data: bytes) -> _Event | None:
    """Return what an event says; None for a comment, and for the end that some servers mark."""
    if not data or data == b"[DONE]":
        return None
    try:
        return _decode_event(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's stream cannot be read.", kind="invalid") from error


def _sum(usages: list[ReportedUsage], pictures: int) -> ReportedUsage:
    total = usages[0]
    for more in usages[1:]:
        both = {name: getattr(total.usage, name) + getattr(more.usage, name) for name in Usage.__struct_fields__}
        total = replace(total, usage=Usage(**both), raw=more.raw)
    assert total.usage.image == pictures
    return total


async def _with_pictures(draw: Draw, fetch: Fetch) -> Draw:
    """Return the request with every picture inside it. Raises BadRequest."""

    async def inside(source: Source, param: str) -> Source:
        if not isinstance(source, Url):
            return source
        found = await fetch(source.url, MAX_PICTURE_BYTES)
        return checked(Data(found.media_type, base64.b64encode(found.body).decode()), param)[0]

    mask = None if draw.mask is None else await inside(draw.mask, "mask")
    named = [inside(source, f"image[{index}]") for index, source in enumerate(draw.pictures)]
    return replace(draw, pictures=tuple(await _together(named)), mask=mask)


async def _fetched(answer: Drawing, fetch: Fetch) -> Drawing:
    """Return the answer with every picture inside it. Raises UpstreamFailed."""

    async def inside(picture: Picture) -> Picture:
        if picture.base64 is not None:
            return picture
        try:
            found = await fetch(picture.url or "", MAX_PICTURE_BYTES)
        except BadRequest as refusal:
            raise UpstreamFailed(f"The upstream's picture is not there. {refusal.message}", kind="invalid") from refusal
        return replace(picture, base64=base64.b64encode(found.body).decode(), url=None)

    return replace(answer, pictures=tuple(await _together([inside(one) for one in answer.pictures])))


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return what all of it returns. Raises the first refusal."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failed:
        refusals = [error for error in failed.exceptions if isinstance(error, GatewayError)]
        if not refusals:
            raise
        raise refusals[0] from None
    return [task.result() for task in tasks]
