"""A streamed reply of text or multimodal generation, read.

Each event is the lines `id:`, `event:result`, `:HTTP_STATUS/200` and `data:{"output", "usage", "request_id"}`; there is
no `[DONE]`, the stream ends after each choice's finish reason. While a choice goes on its reason is the string "null".
An error is an event of the kind `error`, or an object with a `code`, framed or bare.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import NO_EXTRA, Extra, Image, Opaque, Text, ToolCall
from tokengate.core.reply import (
    REPLY,
    Beside,
    BlockEnd,
    Event,
    Failure,
    Finish,
    LogprobsAdded,
    Media,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from tokengate.core.sse import MAX_FRAME_BYTES
from tokengate.core.usage import ReportedUsage
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.lines import Lines
from tokengate.formats.dashscope.messages import read_signature
from tokengate.formats.dashscope.replies import (
    WireCall,
    WireChoice,
    WireHead,
    WireMessage,
    WireOutput,
    beside,
    error_message,
    read_arguments,
    read_call,
    read_choice,
    read_content,
    read_finish,
    read_logprobs,
    read_searches,
)
from tokengate.formats.dashscope.shapes import decode_anything, encode, is_null, is_object
from tokengate.formats.dashscope.usage import sum_usage

_NO_CALLS = (ToolCall("", "", ""),)

_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(WireOutput).decode


class DashScopeStreamReader:
    """Implements `StreamReader`. `pieces` says whether events carry what is new, or all that was said so far."""

    __slots__ = (
        "_choices",
        "_data",
        "_error",
        "_lines",
        "_over",
        "_pieces",
        "_searches",
        "_started",
        "_usages",
        "usage",
    )

    def __init__(self, *, pieces: bool = True) -> None:
        self.usage: ReportedUsage | None = None  # the last that was reported, of all choices together
        self._pieces = pieces
        self._lines = Lines()
        self._data = b""  # of an event whose data goes on in the next line
        self._error = False
        self._started = False
        self._over = False
        self._choices: dict[int, _Choice] = {}
        self._searches: tuple[SearchResult, ...] = ()
        self._usages: dict[int, bytes] = {}  # by choice; -1 for all of them

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed for what is no stream of this format."""
        if self._over:
            return []
        events: list[Event] = []
        self._read_lines(self._lines.feed(chunk), events)
        return events

    def close(self) -> list[Event]:
        """Return the rest: the finish, or a failure when the stream was cut."""
        if self._over:
            return []
        events: list[Event] = []
        self._read_lines(self._lines.close(), events)
        if self._over:
            return events
        self._over = True
        if not self._started:
            events.append(Start())
        if self._choices and not self._data and all(choice.finished for choice in self._choices.values()):
            events.append(Finish(self.usage, self._searches))
        else:
            events.append(Failure("cut", "The upstream's stream ended before the reply was whole."))
        return events

    def _read_lines(self, lines: list[bytes], events: list[Event]) -> None:
        for line in lines:
            if self._over:
                return
            name, colon, value = line.partition(b":")
            match name:
                case b"data" if colon:
                    self._read_data(value.removeprefix(b" "), events)
                case b"" if colon:
                    pass  # a comment
                case b"" | b"id" | b"event":
                    if self._data:
                        raise _unreadable()
                    self._error = name == b"event" and value.strip() == b"error"
                case _ if line.startswith(b"{"):
                    self._read_data(line, events)
                case _:
                    pass

    def _read_data(self, data: bytes, events: list[Event]) -> None:
        data = self._data + b"\n" + data if self._data else data
        if not data or data == b"[DONE]":
            return
        if len(data) > MAX_FRAME_BYTES:
            raise UpstreamFailed(f"The upstream sent an event of more than {MAX_FRAME_BYTES} bytes.", kind="too_large")
        try:
            self._read_event(data, events)
            self._data = b""
        except (msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
            raise _unreadable() from error
        except msgspec.DecodeError:
            self._data = data  # it may go on in the next line

    def _read_event(self, data: bytes, events: list[Event]) -> None:
        head = _decode_head(data)
        if not self._started:
            self._started = True
            events.append(Start(id=head.request_id or ""))
        if self._error or head.code or is_null(head.output):
            self._over = True
            events.append(_failure(data, head))
            return
        output = _decode_output(head.output)
        if more := beside(head.output):
            events.append(Beside(REPLY, NAME, more))
        if output.choices is None:
            text = Raw(encode(output.text or ""))
            choices = [(WireChoice(WireMessage(text), output.finish_reason), NO_EXTRA)]
        else:
            choices = [read_choice(raw) for raw in output.choices]
        for place, (wire, extra) in enumerate(choices):
            index = place if wire.index is None else wire.index
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = _Choice(index, pieces=self._pieces)
            choice.read(wire, extra, events)
        self._searches = read_searches(output.search_info) or self._searches
        if not is_null(head.usage) and bytes(head.usage) != b"{}":
            self._note_usage([wire for wire, _ in choices], bytes(head.usage))

    def _note_usage(self, choices: list[WireChoice], raw: bytes) -> None:
        """Keep what was reported. An event with one of several choices reports on that one alone."""
        if len(choices) == 1:
            self._usages.pop(-1, None)
            self._usages[choices[0].index or 0] = raw
        else:
            self._usages = {-1: raw}
        self.usage = sum_usage(self._usages.values())


class _Choice:
    """One choice as it grows. `pieces` as in the reader; else it counts what it has told already."""

    __slots__ = ("_index", "_next", "_open", "_pieces", "_told", "_tools", "finished")

    def __init__(self, index: int, *, pieces: bool) -> None:
        self.finished = False
        self._index = index
        self._pieces = pieces
        self._next = 0
        self._open: dict[tuple[str, int], int] = {}  # blocks of the kind that is being told
        self._tools: dict[int, int] = {}
        self._told: dict[tuple[str, int], int] = {}

    def read(self, wire: WireChoice, extra: Extra, events: list[Event]) -> None:
        """Add the events of one more piece, which has `extra` members."""
        if self.finished:
            return
        if extra:
            events.append(Beside(self._index, NAME, extra))
        if wire.message is not None:
            self._read_message(wire.message, events)
        logprobs = read_logprobs(wire.logprobs)
        new = logprobs[self._since(("logprobs", 0), len(logprobs)) :]
        if new:
            block = max(self._open.values(), default=max(0, self._next - 1))
            events.append(LogprobsAdded(self._index, block, new))
        finish = read_finish(wire.finish_reason, _NO_CALLS if self._tools else ())
        if finish is None:
            return
        self.finished = True
        self._end_open(events)
        events.extend(BlockEnd(self._index, block) for block in self._tools.values())
        events.append(Stop(self._index, finish, wire.finish_reason or ""))

    def _read_message(self, message: WireMessage, events: list[Event]) -> None:
        if thought := self._new(("thinking", 0), message.reasoning_content or ""):
            events.append(ThinkingDelta(self._index, self._block("thinking", 0, events), thought))
        for place, entry in enumerate(read_content(message.content)):
            match entry:
                case Text():
                    text = self._new(("text", place), entry.text)
                    if text or entry.extra:
                        block = self._block("text", place, events)
                        if entry.extra:
                            events.append(Beside(self._index, NAME, entry.extra, block))
                        events.append(TextDelta(self._index, block, text))
                case Image() | Opaque():
                    self._read_whole(place, entry, events)
        for place, (call, extra) in enumerate(map(read_call, message.tool_calls or ())):
            self._read_call(place if call.index is None else call.index, call, extra, events)

    def _read_whole(self, place: int, entry: Image | Opaque, events: list[Event]) -> None:
        """Tell an entry that comes in one piece, once."""
        if not self._pieces:
            if ("whole", place) in self._told:
                return
            self._told["whole", place] = 1
        self._end_open(events)
        block = self._new_block()
        events.append(
            Media(self._index, block, entry) if isinstance(entry, Image) else ServerTool(self._index, block, entry)
        )
        events.append(BlockEnd(self._index, block))

    def _read_call(self, index: int, call: WireCall, extra: Extra, events: list[Event]) -> None:
        block = self._tools.get(index)
        begins = block is None
        if block is None:
            self._end_open(events)
            block = self._tools[index] = self._new_block()
        if extra:
            events.append(Beside(self._index, NAME, extra, block))
        if begins:
            name = (call.function.name if call.function else None) or ""
            events.append(ToolStart(self._index, block, call.id or "", name, read_signature(call.extra_content)))
        if arguments := self._new(("tool", index), read_arguments(call.function)):
            events.append(ToolDelta(self._index, block, arguments))

    def _new(self, key: tuple[str, int], text: str) -> str:
        return text[self._since(key, len(text)) :]

    def _since(self, key: tuple[str, int], length: int) -> int:
        """Return from where on a text or list is new, and note that it was told."""
        if self._pieces:
            return 0
        told = self._told.get(key, 0)
        self._told[key] = max(told, length)
        return told

    def _block(self, kind: str, place: int, events: list[Event]) -> int:
        """Return the block of a text, beginning it when need be. Blocks of another kind end."""
        if self._open and next(iter(self._open))[0] != kind:
            self._end_open(events)
        block = self._open.get((kind, place))
        if block is None:
            block = self._open[kind, place] = self._new_block()
        return block

    def _new_block(self) -> int:
        self._next += 1
        return self._next - 1

    def _end_open(self, events: list[Event]) -> None:
        events.extend(BlockEnd(self._index, block) for block in self._open.values())
        self._open.clear()


def _failure(data: bytes, head: WireHead) -> Failure:
    message: Any = head.message
    value: Any = decode_anything(data)
    error: Any = value.get("error") if is_object(value) else None
    if message is None and is_object(error):
        message = error.get("message")
    return Failure("error", error_message(message), Raw(data))


def _unreadable() -> UpstreamFailed:
    return UpstreamFailed("The upstream's stream cannot be read.", kind="invalid")
