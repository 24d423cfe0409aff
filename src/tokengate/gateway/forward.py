"""The same-format lane of every format but OpenAI's: the caller's bytes go to the backend and the backend's come back,
edited only where they must be (the model's name, the output cap, the call's id).

A sniffing reader looks at the frames that pass, for content, usage and the end.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from itertools import chain

from tokengate.core.errors import GatewayError
from tokengate.core.http import Exchange
from tokengate.core.reply import Event, Failure, Finish, FinishReason, Stop
from tokengate.core.sse import FrameBuffer, data_spans, split_frames
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Format, Forwarding, StreamReader, StreamWriter
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.route import Target
from tokengate.gateway.tally import Tally, has_content, output_texts
from tokengate.gateway.written import Written

_MAX_FRAME_BYTES = 64 * 1024 * 1024  # a frame may hold a picture


def forwarded(call: Call, target: Target, output_cap: int | None) -> "Forwarded":
    """Return the adapter that sends the caller's bytes."""
    operation, asked = call.operation, call.asked
    assert operation.forwarding is not None
    format = target.formats[operation.speaks]
    path = format.path(target.model, stream=asked.stream)
    headers = {**format.headers(stream=asked.stream), **call.options.vendor_headers}
    body = operation.forwarding.forward_chat(asked.members, model=target.model, output_cap=output_cap)
    return Forwarded(call, target, path, headers, body, [])


class Forwarded:
    """Implements `Adapter` for a caller and a backend of one format, whose replies are the caller's as they come."""

    __slots__ = ("_call", "_edit", "_format", "body", "dropped", "headers", "path")

    def __init__(
        self, call: Call, target: Target, path: str, headers: Mapping[str, str], body: bytes, dropped: list[str]
    ) -> None:
        operation = call.operation
        assert operation.forwarding is not None
        self._call = call
        self._format: Format = target.formats[operation.speaks]
        self._edit = _edit_of(call, operation.forwarding, renamed=call.asked.model != target.model)
        self.path = path
        self.headers = headers
        self.body = body
        self.dropped = dropped

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply; its bytes stay the backend's but for the model's name and the call's id."""
        reply = self._format.read_reply(data)
        if self._edit is not None:
            data = self._edit(data)
        return WholeReply(data, has_content(reply), reply.usage, () if reply.usage else output_texts(reply))

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return the backend's body."""
        return exchange.chunks()

    def lane(self, written: Written) -> "ForwardLane":
        """Return the lane of a streamed reply."""
        call = self._call
        assert call.operation.format is not None
        writer = call.operation.format.stream_writer(heading_of(call), call.chat(b""))
        return ForwardLane(self._format.stream_reader(), writer, call.asked.choices, self._edit, written)


def _edit_of(call: Call, forwarding: Forwarding, *, renamed: bool) -> Callable[[bytes], bytes] | None:
    """Return what edits a whole reply, or the data of a stream's frame; None when nothing has to be."""
    put_id, model, heading = call.operation.put_id, call.asked.model, heading_of(call)

    def edit(data: bytes) -> bytes:
        if renamed:
            data = forwarding.rename_model(data, model)
        return data if put_id is None else put_id(data, heading)

    return edit if renamed or put_id is not None else None


class ForwardLane:
    """Implements `Lane`. From the frame on with which the last choice stops, frames wait for `end()`."""

    __slots__ = (
        "_buffer",
        "_choices",
        "_edit",
        "_held",
        "_reader",
        "_stopped",
        "_tally",
        "_writer",
        "ended",
        "failure",
        "finished",
    )

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        choices: int,
        edit: Callable[[bytes], bytes] | None,
        written: Written,
    ) -> None:
        """`writer` writes what only we have to say: an error, or the end of a stream that got too long."""
        self._reader = reader
        self._writer = writer
        self._choices = choices
        self._edit = edit
        self._buffer = FrameBuffer(_MAX_FRAME_BYTES)
        self._tally = Tally(written)
        self._held = bytearray()
        self._stopped: set[int] = set()
        self.finished = False
        self.ended = False
        self.failure: Failure | None = None

    @property
    def has_content(self) -> bool:
        return self._tally.has_content

    @property
    def usage(self) -> ReportedUsage | None:
        return self._reader.usage

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the backend's body and return what may be forwarded now."""
        frames = self._buffer.feed(chunk)
        return b"".join(map(self._frame, split_frames(frames))) if frames else b""

    def close(self) -> bytes:
        """Take note that the backend's body has ended."""
        rest = self._buffer.take_rest()
        out = self._frame(rest.rstrip(b"\r\n") + b"\n\n") if rest.strip() and not self.ended else b""
        if not self.ended:
            self._note(self._reader.close())
        return out

    def count(self) -> None:
        """Nothing waits: the tally adds what passes."""

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the frames that were kept back."""
        return bytes(self._held)

    def length_end(self, usage: Usage | None = None) -> bytes:
        """Return the end of a stream that is cut because it got too long."""
        stops = [Stop(choice, FinishReason.LENGTH) for choice in range(self._choices) if choice not in self._stopped]
        last = Finish(ReportedUsage(usage or Usage(), b""))
        return b"".join(map(self._writer.write, chain(self._tally.open_blocks(), stops, (last,))))

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit error with which the stream ends."""
        return self._writer.fail(error)

    def _frame(self, frame: bytes) -> bytes:
        if self.ended:
            return b""
        self._note(self._reader.feed(frame))
        if self._edit is not None:
            for start, end in reversed(data_spans(frame)):
                frame = frame[:start] + self._edit(frame[start:end]) + frame[end:]
        if self._held or self.ended or len(self._stopped) >= self._choices:
            self._held += frame
            return b""
        return frame

    def _note(self, events: list[Event]) -> None:
        for event in events:
            self._tally.add(event)
            match event:
                case Stop():
                    self._stopped.add(event.choice)
                case Finish():
                    self.finished = self.ended = True
                case Failure(kind="error"):
                    self.failure, self.ended = event, True
                case _:
                    pass
