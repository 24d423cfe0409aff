"""A recording at one backend: it is asked for the shape that has all that the caller wants, with usage beside it, and
the caller gets the shape that they asked for.

A backend that answers only whole answers a streaming caller in one piece of text and the end; the events of one that
has OpenAI's own stay as they are.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Final

from msgspec import Raw
from msgspec.structs import replace

from tokengate.core.errors import GatewayError, UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.core.reply import Failure
from tokengate.core.sse import FrameBuffer, data_of, split_frames, write_frame
from tokengate.core.transcription import Task, Transcribe, Transcript, TranscriptionFormat
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.stream import error_event
from tokengate.formats.openai.transcription import (
    OPENAI_TRANSCRIPTION,
    TYPES,
    has_usage,
    with_usage,
    write_delta,
    write_done,
    write_transcript,
)
from tokengate.formats.openai.transcription_forms import read_transcription, transcribe_of
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Way
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written

_MAX_REPLY_BYTES: Final = 64 * 1024 * 1024
_MAX_FRAME_BYTES: Final = 16 * 1024 * 1024  # the last event has the whole text, and may have all logprobs
_MAX_TEXT: Final = 4 * 1024 * 1024  # characters of a stream whose last event must be written here: days of speech
_PLACE: Final = (0, 0)


def heard(task: Task) -> Callable[[Target], Way | None]:
    """Return how a backend is asked for a task, if it does it."""

    def way(target: Target) -> Way | None:
        format = target.backend.provider.transcription
        if format is None or task not in format.tasks:
            return None

        async def ask(call: Call, body: bytes, fetch: Fetch) -> Heard:
            recording = call.options.recording
            assert recording is not None, "a recording comes with its facts"
            question = transcribe_of(read_transcription(body, task), task, recording)
            return Heard(call, target, replace(question, model=target.model), format)

        return ask

    return way


class Heard:
    """Implements `Adapter`."""

    __slots__ = ("_call", "_format", "_question", "body", "dropped", "headers", "path")

    def __init__(self, call: Call, target: Target, question: Transcribe, format: TranscriptionFormat) -> None:
        """Raises Unsupported."""
        self._call = call
        self._format = format
        self._question = question
        losses = Losses(target.backend.name, {})
        self.body = format.write(question, target.parameters, losses)
        self.dropped = losses.dropped
        self.path = format.path(question.task)
        self.headers: Mapping[str, str] = {}

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply. Raises UpstreamFailed."""
        format, question = self._format, self._question
        if self._call.replied_in_events:
            return self._told(data)
        answer = format.read_reply(data, question)
        type_ = TYPES[question.shape]
        forwarded = format.forwards_reply(question)
        if forwarded and has_usage(data):
            return WholeReply(data, has_content=True, usage=answer.usage, texts=(answer.text,), content_type=type_)

        def written(usage: Usage) -> bytes:
            return with_usage(data, usage) if forwarded else write_transcript(answer, question, usage)

        return WholeReply(
            b"", has_content=True, usage=answer.usage, texts=(answer.text,), write=written, content_type=type_
        )

    def _told(self, stream: bytes) -> WholeReply:
        """Read the events that came in place of a whole reply. Raises UpstreamFailed when they do not end."""
        said: list[str] = []
        usage: ReportedUsage | None = None
        buffer = FrameBuffer(_MAX_FRAME_BYTES)
        for frame in (*split_frames(buffer.feed(stream)), buffer.take_rest()):
            event = self._format.read_event(data_of(frame))
            usage = event.usage or usage
            if event.error is not None:
                break
            said.append(event.delta)
            if not event.done:
                continue
            answer = Transcript(text="".join(said) if event.text is None else event.text, usage=usage)
            write = partial(write_transcript, answer, self._question)
            type_ = TYPES[self._question.shape]
            return WholeReply(b"", True, usage, (answer.text,), write=write, content_type=type_)
        raise UpstreamFailed("The upstream's transcription ended before it was whole.", kind="cut")

    def lane(self, written: Written) -> "TranscriptLane":
        """Return the lane of a reply."""
        return TranscriptLane(written)

    async def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Yield the backend's stream in OpenAI's events, or such a stream made of its whole reply."""
        if not self._call.replied_in_events:
            answer = self._format.read_reply(await exchange.read(_MAX_REPLY_BYTES), self._question)
            yield write_delta(answer.text) + write_done(answer.text, answer.usage)
            return
        if self._format.forwards_events(self._question):
            async for chunk in exchange.chunks():
                yield chunk
            return
        async for written in self._converted(exchange):
            yield written

    async def _converted(self, exchange: Exchange) -> AsyncIterator[bytes]:
        """Yield OpenAI's events for the backend's own. An error goes on as it is, for the lane."""
        buffer = FrameBuffer(_MAX_FRAME_BYTES)
        said: list[str] = []
        size = 0
        usage: ReportedUsage | None = None
        async for chunk in exchange.chunks():
            for frame in split_frames(buffer.feed(chunk)):
                event = self._format.read_event(data_of(frame))
                usage = event.usage or usage
                if event.error is not None:
                    yield write_frame(event.error)
                    return
                if event.delta:
                    size += len(event.delta)
                    if size > _MAX_TEXT:
                        raise UpstreamFailed("The upstream's transcription has no end.", kind="too_large")
                    said.append(event.delta)
                    yield write_delta(event.delta)
                if event.done:
                    yield write_done("".join(said) if event.text is None else event.text, usage)
                    return


class TranscriptLane:
    """Implements `Lane` for OpenAI's events, whose bytes stay as they are. The last one waits for the bill."""

    __slots__ = ("_buffer", "_last", "_spoken", "_written", "failure", "finished", "has_content", "usage")

    def __init__(self, written: Written) -> None:
        self._written = written
        self._buffer = FrameBuffer(_MAX_FRAME_BYTES)
        self._last = b""  # the data of the event with which the stream ends
        self._spoken = False  # its text has come piece by piece
        self.usage: ReportedUsage | None = None
        self.has_content = False
        self.finished = False
        self.failure: Failure | None = None

    @property
    def ended(self) -> bool:
        return self.finished or self.failure is not None

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece and return what may go out now."""
        return b"".join(map(self._frame, split_frames(self._buffer.feed(chunk))))

    def close(self) -> bytes:
        """Take note that the body has ended."""
        rest = self._buffer.take_rest()
        return self._frame(rest.rstrip(b"\r\n") + b"\n\n") if rest.strip() else b""

    def count(self) -> None:
        """Nothing waits."""

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the last event, with usage in it."""
        assert usage is not None, "a transcription that ended has its bill"
        return write_frame(self._last if has_usage(self._last) else with_usage(self._last, usage))

    def length_end(self, usage: Usage | None = None) -> bytes:
        raise AssertionError("the hold of a transcription does not grow")

    def fail(self, error: GatewayError) -> bytes:
        """Return the event with which a stream ends that is not whole."""
        return error_event(error.message, error.type, error.code, param=error.param)

    def _frame(self, frame: bytes) -> bytes:
        if self.ended:
            return b""
        data = data_of(frame)
        event = OPENAI_TRANSCRIPTION.read_event(data)
        if event.error is not None:
            self.failure = Failure("error", "The upstream broke off the transcription.", Raw(event.error))
            return b""
        if event.done and event.text is not None:
            if not self._spoken:
                self._written.add(_PLACE, event.text)
            self._last, self.usage = data.replace(b"\n", b" "), event.usage
            self.has_content = self.finished = True
            return b""
        if event.delta:
            self._spoken = True
            self._written.add(_PLACE, event.delta)
        self.has_content = self.has_content or bool(event.delta) or event.segment is not None
        return b"" if event.done else frame
