"""A vendor's streamed reply, read into events.

Every output item is one block, but a message's content parts are a block each, and so are the full text and the gist
of reasoning. A built-in tool's item is told when it is whole, with the steps on the way there; an event of a kind that
nobody knows is a step, too. What an item's end says and its deltas did not is told then, so that a stream without
deltas is read too.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Extra, Opaque, Thinking
from tokengate.core.reply import (
    REPLY,
    Beside,
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    RefusalDelta,
    ServerTool,
    Start,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.sse import FrameBuffer, data_of, split_frames
from tokengate.core.usage import ReportedUsage
from tokengate.formats.responses.beside import beside, has_strangers
from tokengate.formats.responses.citations import read_citation
from tokengate.formats.responses.read_items import PARAGRAPH
from tokengate.formats.responses.replies import (
    Content,
    Item,
    beside_item,
    call_of,
    contents,
    decode,
    decode_item,
    decode_response,
    error_of,
    finish_read,
    pages_found,
    read_logprobs,
    read_thoughts,
    signature_after,
    usage_of,
)
from tokengate.formats.responses.types import NAME, NONE

_MAX_FRAME_BYTES = 64 * 1024 * 1024  # the last event repeats the whole reply, pictures included

_MAX_WAITING = 100  # steps of what has not begun

_CUT = "The upstream's stream ended before the reply was whole."

# The kinds of blocks that one output item may have.
_Kind = Literal["text", "refusal", "full", "gist", "call", "opaque"]


class _Block(Struct):
    """A block that has begun: its number, and how much of its text was told."""

    number: int
    told: int = 0
    piece: int = 0  # of the pieces of reasoning, the one that is being told


class _Event(Struct):
    """Any event of the stream."""

    type: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: Raw = NONE
    text: Raw = NONE
    refusal: Raw = NONE
    item: Raw = NONE
    annotation: Raw = NONE
    logprobs: list[Raw] | None = None
    response: Raw = NONE
    error: Raw = NONE


class StreamReader:
    """Implements core.wire.StreamReader."""

    def __init__(self) -> None:
        self.usage: ReportedUsage | None = None
        self._buffer = FrameBuffer(_MAX_FRAME_BYTES)
        self._blocks: dict[tuple[int, _Kind, int], _Block] = {}
        self._started = False
        self._ended = False
        self._first: dict[int, int] = {}  # the first block of each item
        self._extras: dict[int, Extra] = {}  # of each item, the members that nobody knows
        self._news: list[Event] = []  # such members, to be told before what is read
        self._called = False
        self._signature = ""  # of the call that comes next
        self._phases: dict[int, str] = {}  # of messages
        self._waiting: list[tuple[int, int, Step]] = []  # steps, with their output and content index

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed."""
        frames = self._buffer.feed(chunk)
        return self._read(frames) if frames else []

    def close(self) -> list[Event]:
        """Return the rest: what was held back, and the failure of a stream that was cut."""
        try:
            events = self._read(self._buffer.take_rest() + b"\n\n")
        except UpstreamFailed:  # half a frame
            events = []
        if not self._ended:
            events += self._start(Start())
            events.append(Failure("cut", _CUT))
            self._ended = True
        return events

    def _read(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in split_frames(frames):
            data = data_of(frame).strip()
            if not data or data == b"[DONE]" or self._ended:
                continue
            event = decode(_decode_event, data)
            if event.type == "error":
                events += self._start(Start())
                events += self._fail(_flat_error(data) if event.error == NONE else event.error)
            elif event.type in _LIFECYCLE:
                events += self._lifecycle(event)
            else:
                read = list(self._inside(event, data))
                events += [*self._start(Start()), *self._take_news(), *read] if read else ()
            if self._waiting and not self._ended:
                events += self._overdue()
        return events

    def _start(self, start: Start) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [start]

    def _lifecycle(self, event: _Event) -> Iterator[Event]:
        response = decode(decode_response, event.response)
        yield from self._start(
            Start(
                id=response.id or "",
                model=response.model or "",
                created_s=int(response.created_at or 0),
                service_tier=response.service_tier,
            )
        )
        if more := decode(beside, event.response):
            yield Beside(REPLY, NAME, more)
        is_last = event.type in _LAST
        usage = usage_of(response) or self.usage
        self.usage = None if usage is None else replace(usage, partial=not is_last)
        match event.type:
            case "response.failed":
                yield from self._fail(response.error)
            case "response.completed" | "response.incomplete":
                finish, native = finish_read(response, ())
                if finish is FinishReason.STOP and self._called:
                    finish = FinishReason.TOOL_CALLS
                yield Stop(0, finish, native)
                yield Finish(self.usage, pages_found(response))
                self._ended = True
            case _:
                pass

    def _fail(self, error: Raw) -> Iterator[Event]:
        message, raw = error_of(error)
        self._ended = True
        yield Failure("error", message, raw)

    def _inside(self, event: _Event, data: bytes) -> Iterator[Event]:
        """Yield what an event between the first and the last says."""
        match event.type:
            case "response.output_item.added":
                yield from self._begin_item(event, data)
            case "response.output_item.done":
                yield from self._end_item(event.output_index, decode(decode_item, event.item), event.item)
            case _ if (event.output_index, "opaque", 0) in self._blocks:
                yield from self._step(event, data)
            case "response.output_text.delta":
                yield from self._text(event)
            case "response.refusal.delta":
                yield from self._say(event.output_index, "refusal", event.content_index, _text(event.delta))
            case "response.output_text.annotation.added":
                yield from self._cite(event)
            case "response.reasoning_text.delta":
                yield from self._think(event.output_index, "full", event.content_index, _text(event.delta))
            case "response.reasoning_summary_text.delta":
                yield from self._think(event.output_index, "gist", event.summary_index, _text(event.delta))
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                yield from self._argue(event.output_index, _text(event.delta))
            case _:
                if event.type not in _RETOLD:
                    yield from self._step(event, data)

    def _step(self, event: _Event, data: bytes) -> Iterator[Event]:
        """Yield an event without a word here; one of an item that has not begun waits for it."""
        members = decode(_decode_members, data)
        if not _is_kind(event.type):
            return
        index = event.output_index if "output_index" in members else REPLY
        content = event.content_index if "content_index" in members else REPLY
        step = Step(0, REPLY, NAME, event.type, Raw(msgspec.json.encode(members)))  # it is passed on as it is
        place = self._place(index, content)
        if place is not None:
            yield replace(step, block=place)
        elif len(self._waiting) < _MAX_WAITING:
            self._waiting.append((index, content, step))

    def _place(self, index: int, content: int) -> int | None:
        """Return the block of an item, or of a part of its content, REPLY for none; None when it has not begun."""
        if index == REPLY:
            return REPLY if self._started else None
        found = [(piece, block.number) for (item, _, piece), block in self._blocks.items() if item == index]
        return next((number for piece, number in found if piece == content), found[0][1] if found else None)

    def _overdue(self) -> Iterator[Event]:
        """Yield the steps whose items have begun meanwhile."""
        waiting, self._waiting = self._waiting, []
        for index, content, step in waiting:
            place = self._place(index, content)
            if place is None:
                self._waiting.append((index, content, step))
            else:
                yield replace(step, block=place)

    def _text(self, event: _Event) -> Iterator[Event]:
        index, content = event.output_index, event.content_index
        yield from self._say(index, "text", content, _text(event.delta))
        if event.logprobs:
            block, _ = self._block(index, "text", content)
            yield LogprobsAdded(0, block.number, tuple(read_logprobs(event.logprobs)))

    def _cite(self, event: _Event) -> Iterator[Event]:
        if event.annotation == NONE:
            return
        block, begun = self._block(event.output_index, "text", event.content_index)
        if begun:
            yield self._piece(event.output_index, "text", block.number, "", begun=True)
        yield CitationAdded(0, block.number, read_citation(event.annotation))

    def _block(self, index: int, kind: _Kind, piece: int) -> tuple[_Block, bool]:
        """Return a block, and whether it begins now."""
        block = self._blocks.get((index, kind, piece))
        if block is not None:
            return block, False
        block = self._blocks[(index, kind, piece)] = _Block(len(self._blocks))
        if index not in self._first:
            self._first[index] = block.number
            self._tell(index)
        return block, True

    def _note_phase(self, index: int, item: Item) -> None:
        if item.type == "message":
            self._phases[index] = item.phase or ""

    def _note(self, index: int, item: Item, raw: Raw) -> None:
        """Take note of an item's members that nobody knows, to be told when they are new."""
        extra = beside_item(item, raw)
        if extra and extra != self._extras.get(index):
            self._extras[index] = extra
            self._tell(index)

    def _tell(self, index: int) -> None:
        if index in self._first and index in self._extras:
            self._news.append(Beside(0, NAME, self._extras[index], self._first[index]))

    def _take_news(self) -> list[Event]:
        news, self._news = self._news, []
        return news

    def _say(self, index: int, kind: Literal["text", "refusal"], piece: int, text: str) -> Iterator[Event]:
        block, begun = self._block(index, kind, piece)
        if text or begun:
            block.told += len(text)
            yield self._piece(index, kind, block.number, text, begun=begun)

    def _piece(
        self, index: int, kind: Literal["text", "refusal"], number: int, text: str, *, begun: bool
    ) -> TextDelta | RefusalDelta:
        if kind == "refusal":
            return RefusalDelta(0, number, text)
        if not begun:
            return TextDelta(0, number, text)
        phase = self._phases.get(index)
        apart = phase is not None and self._first[index] == number and self._phases.get(index - 1) == phase
        return TextDelta(0, number, text, phase or "", apart)

    def _argue(self, index: int, text: str) -> Iterator[Event]:
        """Yield a piece of a call's arguments; those of a call that was not announced are told at its end."""
        block = self._blocks.get((index, "call", 0))
        if block is not None and text:
            block.told += len(text)
            yield ToolDelta(0, block.number, text)

    def _think(self, index: int, kind: Literal["full", "gist"], piece: int, text: str) -> Iterator[Event]:
        if not text:
            return
        block, begun = self._block(index, kind, 0)
        if piece != block.piece and not begun:
            text = PARAGRAPH + text
        block.piece = piece
        block.told += len(text)
        yield ThinkingDelta(0, block.number, text, kind == "gist")

    def _begin_call(self, index: int, item: Item) -> Iterator[Event]:
        """Yield a call's start, when it has not begun."""
        block, begun = self._block(index, "call", 0)
        self._called = True
        if begun:
            call = call_of(item, self._signature)
            self._signature = ""
            yield ToolStart(0, block.number, call.id, call.name, call.signature, call.custom)

    def _begin_item(self, event: _Event, data: bytes) -> Iterator[Event]:
        item = decode(decode_item, event.item)
        self._note_phase(event.output_index, item)
        self._note(event.output_index, item, event.item)
        if item.is_call:
            yield from self._begin_call(event.output_index, item)
        elif item.type not in _OWN_WORDS:
            self._block(event.output_index, "opaque", 0)
            yield from self._step(event, data)

    def _end_item(self, index: int, item: Item, raw: Raw) -> Iterator[Event]:
        """Yield what is left to say of an item that is whole, and the end of its blocks."""
        self._note(index, item, raw)
        if item.is_call:
            yield from self._begin_call(index, item)
            block, _ = self._block(index, "call", 0)
            yield from self._argue(index, call_of(item).arguments[block.told :])
            yield BlockEnd(0, block.number)
        elif item.type == "message":
            self._note_phase(index, item)
            for piece, (content, extra) in enumerate(contents(item)):
                yield from self._end_content(index, piece, content, extra)
            if index not in self._first and decode(has_strangers, raw):
                self._extras.pop(index, None)
                yield from self._whole(index, item, raw)
        elif item.type == "reasoning":
            self._signature = signature_after(item, self._signature)
            for thought in read_thoughts(item, raw):
                yield from self._end_thought(index, thought)
        else:
            yield from self._whole(index, item, raw)

    def _whole(self, index: int, item: Item, raw: Raw) -> Iterator[Event]:
        """Yield an item that has no word here, once."""
        block, _ = self._block(index, "opaque", 0)
        if not block.told:
            block.told = 1
            yield ServerTool(0, block.number, Opaque(NAME, item.type, raw))
            yield BlockEnd(0, block.number)

    def _end_content(self, index: int, piece: int, content: Content, extra: Extra) -> Iterator[Event]:
        kind: Literal["text", "refusal"] = "refusal" if content.type == "refusal" else "text"
        text = content.refusal or "" if kind == "refusal" else content.text
        if text is None:
            return
        block, untold = self._block(index, kind, piece)
        if extra:
            yield Beside(0, NAME, extra, block.number)
        left = text[block.told :]
        if left or untold:
            block.told += len(left)
            yield self._piece(index, kind, block.number, left, begun=untold)
        if untold:  # then its annotations and logprobs were not told either
            for one in content.annotations or ():
                yield CitationAdded(0, block.number, read_citation(one))
            if content.logprobs:
                yield LogprobsAdded(0, block.number, tuple(read_logprobs(content.logprobs)))
        yield BlockEnd(0, block.number)

    def _end_thought(self, index: int, thought: Thinking) -> Iterator[Event]:
        kind: Literal["full", "gist"] = "gist" if thought.summary else "full"
        block, untold = self._block(index, kind, 0)
        left = thought.text[block.told :]
        block.told += len(left)
        if left or (untold and not thought.signature):
            yield ThinkingDelta(0, block.number, left, thought.summary)
        if thought.signature:
            yield ThinkingSignature(0, block.number, thought.signature, thought.format, thought.redacted, thought.id)
        yield BlockEnd(0, block.number)


def _flat_error(data: bytes) -> Raw:
    """Return the error that an event is itself, whose `type` is the event's."""
    members = decode(_decode_members, data)
    return Raw(msgspec.json.encode({name: value for name, value in members.items() if name not in _OF_EVENTS}))


def _text(raw: Raw) -> str:
    if raw == NONE:
        return ""
    return decode(_decode_string, raw)


_OWN_WORDS = frozenset({"message", "reasoning"})  # and calls: items that the vocabulary has words for
_LIFECYCLE = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    }
)
# What items say of themselves beside the events that are read, and say again when they are written.
_RETOLD = frozenset(
    {
        "response.content_part.added",
        "response.content_part.done",
        "response.custom_tool_call_input.done",
        "response.function_call_arguments.done",
        "response.output_text.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.refusal.done",
    }
)
_OF_EVENTS = frozenset({"type", "sequence_number"})
_is_kind = re.compile(r"[\w.-]{1,200}", re.ASCII).fullmatch  # it stands on a line of its own, too
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_members = msgspec.json.Decoder(dict[str, Any]).decode
_decode_string = msgspec.json.Decoder(str).decode
