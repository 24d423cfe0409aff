"""Reads a streamed reply. What an event is, its data says; the `event:` line is for clients."""

from contextlib import suppress

import msgspec
from msgspec import Raw, Struct, structs

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Thinking
from tokengate.core.reply import (
    Beside,
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.sse import MAX_FRAME_BYTES, FrameBuffer, data_of, split_frames
from tokengate.core.usage import ReportedUsage
from tokengate.formats.anthropic.read_blocks import read_citation
from tokengate.formats.anthropic.replies import (
    NONE,
    Block,
    beside_call,
    number,
    read_opaque,
    searches_of,
    service_tier_of,
    thinking_of,
)
from tokengate.formats.anthropic.signature import call_signature, unwrap
from tokengate.formats.anthropic.stops import read_stop
from tokengate.formats.anthropic.types import NAME
from tokengate.formats.anthropic.usage import merge_usage, read_usage

_MAX_SEARCHES = 1000  # pages kept for the end of a stream
_MAX_OPEN_BLOCKS = 1000
_MAX_FRAME_BYTES = 8 << 20  # pages that were found come in one event


class StreamReader:
    """Implements `core.wire.StreamReader`."""

    __slots__ = ("_blocks", "_buffer", "_call_signature", "_closed", "_searches", "_started", "_stop", "usage")

    def __init__(self) -> None:
        self.usage: ReportedUsage | None = None
        self._buffer = FrameBuffer(_MAX_FRAME_BYTES)
        self._blocks: dict[int, _Open] = {}
        self._call_signature = ""  # of the tool call to come
        self._searches: list[SearchResult] = []
        self._stop: Stop | None = None
        self._started = False
        self._closed = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed for what is no stream of this format."""
        events: list[Event] = []
        for frame in split_frames(self._buffer.feed(chunk)):
            self._read(data_of(frame), events)
        return events

    def close(self) -> list[Event]:
        """Return the rest. A stream without its end is whole when it has said why the model stopped."""
        events: list[Event] = []
        rest = self._buffer.take_rest().strip()
        with suppress(UpstreamFailed):  # half of an event says only that there should have been more
            self._read(rest if rest.startswith(b"{") else data_of(rest + b"\n\n"), events)
        if not self._closed:
            if self._stop is not None:
                self._finish(events)
            else:
                self._begin(events)
                events.append(Failure("cut", "The upstream's stream ended before the reply was whole."))
            self._closed = True
        return events

    def _read(self, data: bytes, events: list[Event]) -> None:
        if self._closed or not data or data == b"[DONE]":
            return
        try:
            event = _decode(data)
            self._take(event, data, events)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's stream cannot be read.", kind="invalid") from error

    def _take(self, event: "_Event", data: bytes, events: list[Event]) -> None:
        match event.type:
            case "content_block_delta":  # first, since nearly all are
                if not self._started:
                    self._begin(events)
                self._delta(event.index, event.delta or _Delta(), events)
            case "message_start":
                self._start(event.message or _Message(), events)
            case "content_block_start":
                self._begin(events)
                self._open(event.index, _decode_block(event.content_block), bytes(event.content_block), events)
            case "content_block_stop":
                self._end_block(event.index, events)
            case "message_delta":
                self._begin(events)
                self._note_usage(event.usage, partial=False)
                delta = event.delta or _Delta()
                if delta.stop_reason:
                    finish = read_stop(delta.stop_reason)
                    self._stop = Stop(0, finish, delta.stop_reason, delta.stop_sequence)
            case "message_stop":
                self._begin(events)
                self._finish(events)
            case "error":
                self._begin(events)
                events.append(Failure("error", _words_of(event.error), Raw(data)))
                self._closed = True
            case _:  # ping, and what may come to be
                pass

    def _start(self, message: "_Message", events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(Start(id=message.id, model=message.model, service_tier=service_tier_of(message.usage)))
        self._note_usage(message.usage, partial=True)

    def _begin(self, events: list[Event]) -> None:
        """Make sure that a Start came first, whatever a vendor leaves out."""
        if not self._started:
            self._start(_Message(), events)

    def _note_usage(self, usage: Raw, *, partial: bool) -> None:
        raw = bytes(usage)
        if raw == b"null":
            return
        report = read_usage(raw if self.usage is None else merge_usage(self.usage.raw, raw))
        if report is not None:
            self.usage = structs.replace(report, partial=partial)

    def _open(self, index: int, block: Block, raw: bytes, events: list[Event]) -> None:
        self._end_block(index, events)
        if len(self._blocks) >= _MAX_OPEN_BLOCKS:
            raise UpstreamFailed("The upstream opened too many blocks at once.", kind="too_large")
        opened = self._blocks[index] = _Open(block, raw)
        match block.type:
            case "text":
                if block.text:
                    self._say(opened, TextDelta(0, index, block.text), events)
                for citation in block.citations or ():
                    self._say(opened, CitationAdded(0, index, read_citation(citation)), events)
            case "thinking":
                if block.thinking:
                    self._say(opened, ThinkingDelta(0, index, block.thinking), events)
                if block.signature:
                    self._sign(opened, index, block.signature, events)
            case "redacted_thinking":
                self._say(opened, _proof(index, thinking_of(block)), events)
            case "tool_use":
                if extra := beside_call(raw):
                    events.append(Beside(0, NAME, extra, index))
                events.append(ToolStart(0, index, block.id, block.name, self._call_signature))
                self._call_signature = ""
            case _:
                pass

    def _delta(self, index: int, delta: "_Delta", events: list[Event]) -> None:
        opened = self._blocks.get(index)
        if opened is None:  # a vendor that does not open its blocks; what kind it is the delta says
            kind = _KIND_OF_DELTA.get(delta.type)
            if kind is None:
                return
            opened = self._blocks[index] = _Open(Block(kind), b"")
        match delta.type:
            case "text_delta":
                opened.said = True
                events.append(TextDelta(0, index, delta.text))
            case "thinking_delta":
                self._say(opened, ThinkingDelta(0, index, delta.thinking), events)
            case "signature_delta":
                self._sign(opened, index, delta.signature, events)
            case "citations_delta":
                self._say(opened, CitationAdded(0, index, read_citation(delta.citation)), events)
            case "input_json_delta":
                if opened.block.type != "tool_use":
                    opened.keep(delta.partial_json)
                elif delta.partial_json:
                    self._say(opened, ToolDelta(0, index, delta.partial_json), events)
            case _:
                pass

    def _say(self, opened: "_Open", event: Event, events: list[Event]) -> None:
        opened.said = True
        events.append(event)

    def _sign(self, opened: "_Open", index: int, signature: str, events: list[Event]) -> None:
        proof = None if opened.said else call_signature("", signature)
        if proof is not None:
            self._call_signature = proof
            del self._blocks[index]
            return
        self._say(opened, _proof(index, unwrap("", signature)), events)

    def _end_block(self, index: int, events: list[Event]) -> None:
        opened = self._blocks.pop(index, None)
        if opened is None:
            return
        block = opened.block
        match block.type:
            case "text":
                if not opened.said:
                    events.append(TextDelta(0, index, ""))
            case "thinking" | "redacted_thinking":
                if not opened.said:
                    events.append(ThinkingDelta(0, index, ""))
            case "tool_use":
                if not opened.said:  # no arguments, or all of them at the start
                    whole = "{}" if bytes(block.input) == b"null" else str(bytes(block.input), "utf-8")
                    events.append(ToolDelta(0, index, whole))
            case kind:
                raw = opened.whole()
                room = _MAX_SEARCHES - len(self._searches)
                self._searches += [result for _, result in zip(range(room), searches_of(kind, raw), strict=False)]
                events.append(ServerTool(0, index, read_opaque(kind, raw)))
        events.append(BlockEnd(0, index))

    def _finish(self, events: list[Event]) -> None:
        for index in sorted(self._blocks):
            self._end_block(index, events)
        if self._stop is not None:
            events.append(self._stop)
        if self.usage is not None and self.usage.partial:  # a vendor that reports only once
            self.usage = structs.replace(self.usage, partial=False)
        events.append(Finish(self.usage, tuple(number(iter(self._searches)))))
        self._closed = True


class _Open:
    """A block between its start and its stop."""

    __slots__ = ("_pieces", "_size", "block", "raw", "said")

    def __init__(self, block: Block, raw: bytes) -> None:
        self.block = block
        self.raw = raw
        self.said = False
        self._pieces: list[str] = []
        self._size = 0

    def keep(self, piece: str) -> None:
        """Keep a piece of a built-in tool's input, which is told whole. Raises UpstreamFailed when it gets too long."""
        self._size += len(piece)
        if self._size > MAX_FRAME_BYTES:
            raise UpstreamFailed("The upstream sent a tool's input that is too long.", kind="too_large")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Return the block as a whole reply would have it. Raises ValueError."""
        text = "".join(self._pieces)
        if not text:
            return self.raw
        return msgspec.json.encode(_decode_members(self.raw) | {"input": _decode_anything(text)})


class _Message(Struct):
    id: str = ""
    model: str = ""
    usage: Raw = NONE


class _Delta(Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    citation: Raw = NONE
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Event(Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: Raw = NONE
    delta: _Delta | None = None
    usage: Raw = NONE
    error: Raw = NONE


class _Error(Struct):
    message: str | None = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_block = msgspec.json.Decoder(Block).decode
_decode_error = msgspec.json.Decoder(_Error).decode
_decode_members = msgspec.json.Decoder(dict[str, object]).decode
_decode_anything = msgspec.json.Decoder().decode

_KIND_OF_DELTA = {
    "text_delta": "text",
    "citations_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
}


def _proof(index: int, thinking: Thinking) -> ThinkingSignature:
    return ThinkingSignature(0, index, thinking.signature, thinking.format, thinking.redacted, thinking.id)


def _words_of(error: Raw) -> str:
    try:
        message = _decode_error(error).message
    except (ValueError, RecursionError):
        message = None
    return message or "The upstream sent an error."
