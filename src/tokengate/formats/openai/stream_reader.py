"""A streamed reply in OpenAI's chat format, read into events.

A block begins with the first piece of its kind and ends when another kind begins: thinking, text, a refusal, sound, or
one tool call. A picture is a block of its own.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Citation, Thinking
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
    Media,
    RefusalDelta,
    SearchResult,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.core.sse import FrameBuffer, data_of, split_frames
from tokengate.core.usage import ReportedUsage
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.finish import read_finish
from tokengate.formats.openai.pieces import (
    content_text,
    integer_in,
    objects,
    read_annotations,
    read_images,
    read_logprobs,
    read_searches,
    read_sound,
    text_in,
)
from tokengate.formats.openai.replies import read_error
from tokengate.formats.openai.reply_reader import (
    beside,
    beside_choice,
    gave_up,
    made_id,
    native_word,
    read_tool_call,
    stop_sequence,
)
from tokengate.formats.openai.shapes import is_object
from tokengate.formats.openai.think_text import ThinkText, Told
from tokengate.formats.openai.thoughts import OWN, read_detail, text_of
from tokengate.formats.openai.usage import read_usage

_CUT = "The stream ended before the reply was whole."


class ChatStreamReader:
    """Implements `StreamReader`."""

    __slots__ = ("_buffer", "_choices", "_dialect", "_done", "_ended", "_searches", "_started", "usage")

    def __init__(self, dialect: Dialect) -> None:
        self.usage: ReportedUsage | None = None
        self._dialect = dialect
        self._buffer = FrameBuffer()
        self._choices: dict[int, _Choice] = {}
        self._searches: tuple[SearchResult, ...] = ()
        self._started: Start | None = None
        self._done = False
        self._ended = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that are whole by now. Raises UpstreamFailed for what is no stream of chat chunks."""
        frames = self._buffer.feed(chunk)
        events: list[Event] = []
        for frame in split_frames(frames) if frames else ():
            if not self._ended and (data := data_of(frame)):
                self._read_data(data, events)
        return events

    def close(self) -> list[Event]:
        """Return the rest: what a last frame without its empty line said, and how the stream ended."""
        events: list[Event] = []
        if self._ended:
            return events
        rest = self._buffer.take_rest().strip()
        data = data_of(rest + b"\n\n") if rest else b""
        if data or rest.startswith(b"{"):
            with suppress(UpstreamFailed):  # half a frame
                self._read_data(data or rest, events)
        if self._ended:
            return events
        if self._choices and all(choice.stopped for choice in self._choices.values()):
            self._end(Finish(self.usage, self._searches), events)
        else:
            self._end(Failure("cut", _CUT), events)
        return events

    def _read_data(self, data: bytes, events: list[Event]) -> None:
        if data.startswith(b"[DONE]"):
            self._finish(events)
            return
        try:
            chunk: Any = _decode(data)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's stream cannot be read.", kind="invalid") from error
        if not is_object(chunk):
            raise UpstreamFailed("The upstream's stream is not one of chat completions.", kind="invalid")
        if _is_error(chunk):
            message = read_error(encode(chunk.get("error") or _flat(chunk))).message
            self._end(Failure("error", message, Raw(data)), events)
            return
        self._start(chunk, events)
        if is_object(usage := chunk.get("usage")):
            self.usage = read_usage(encode(usage), reasoning_outside=self._dialect.reasoning_outside) or self.usage
        self._searches = read_searches(chunk) or self._searches
        if more := beside(chunk):
            events.append(Beside(REPLY, OWN, more))
        for number, choice in enumerate(objects(chunk.get("choices"))):
            index = integer_in(choice, "index", number)
            state = self._choices.get(index)
            if state is None:
                assert self._started is not None
                state = self._choices[index] = _Choice(index, self._started.id, self._dialect)
            failed = state.read(choice, events)
            if failed:
                self._end(Failure("error", gave_up(failed).message, Raw(data)), events)
                return

    def _start(self, chunk: dict[str, Any], events: list[Event]) -> None:
        if self._started is not None:
            return
        self._started = Start(
            id=text_in(chunk, "id"),
            model=text_in(chunk, "model"),
            created_s=integer_in(chunk, "created"),
            service_tier=text_in(chunk, "service_tier") or None,
            system_fingerprint=text_in(chunk, "system_fingerprint") or None,
        )
        events.append(self._started)

    def _finish(self, events: list[Event]) -> None:
        """End at the vendor's own mark, even when it forgot to say why a choice stopped."""
        for choice in self._choices.values():
            choice.stop(events)
        whole = bool(self._choices)
        self._end(Finish(self.usage, self._searches) if whole else Failure("cut", _CUT), events)

    def _end(self, last: Finish | Failure, events: list[Event]) -> None:
        self._start({}, events)
        events.append(last)
        self._ended = True


class _Choice:
    """One choice as it grows."""

    __slots__ = (
        "_block",
        "_dialect",
        "_index",
        "_kind",
        "_next",
        "_reply_id",
        "_seen",
        "_text",
        "_thought",
        "_tools",
        "stopped",
    )

    def __init__(self, index: int, reply_id: str, dialect: Dialect) -> None:
        self.stopped = False
        self._index = index
        self._reply_id = reply_id
        self._dialect = dialect
        self._kind = ""  # of the open block; empty when none is
        self._block = 0
        self._next = 0
        self._tools: dict[int, tuple[int, str]] = {}  # vendor's index -> block and id
        self._thought = _Thought()
        self._seen: dict[int, str] = {}  # a detail's text so far, for vendors that repeat it
        self._text = ThinkText() if dialect.think_text else None

    def read(self, choice: dict[str, Any], events: list[Event]) -> str:
        """Add what a chunk says; return the vendor's word when it gave up."""
        delta = choice.get("delta")
        if not is_object(delta) and not self._next:  # MiniMax repeats the whole message at the end
            delta = choice.get("message")
        if more := beside_choice(choice, delta if is_object(delta) else {}):
            events.append(Beside(self._index, OWN, more))
        if is_object(delta):
            self._read_delta(delta, choice, events)
        called = bool(self._tools)
        finish = read_finish(choice.get("finish_reason"), self._dialect.finish_reasons, called=called)
        if finish is FinishReason.ERROR:
            return native_word(choice)
        if finish is not None and not self.stopped:
            self._close_text(events)
            self._end_block(events)
            events.append(Stop(self._index, finish, native_word(choice), stop_sequence(choice)))
            self.stopped = True
        return ""

    def stop(self, events: list[Event]) -> None:
        """Stop a choice that its vendor left open."""
        if not self.stopped:
            self._close_text(events)
            self._end_block(events)
            finish = FinishReason.TOOL_CALLS if self._tools else FinishReason.STOP
            events.append(Stop(self._index, finish))
            self.stopped = True

    def _read_delta(self, delta: dict[str, Any], choice: dict[str, Any], events: list[Event]) -> None:
        self._read_thoughts(delta, events)
        text = content_text(delta.get("content"))
        refusal = text_in(delta, "refusal")
        if logprobs := read_logprobs(choice.get("logprobs")):
            if text or refusal:
                self._open("text" if text else "refusal", events)
            events.append(LogprobsAdded(self._index, self._block, logprobs))
        if text:
            self._say(text, events)
        if refusal:
            self._open("refusal", events)
            events.append(RefusalDelta(self._index, self._block, refusal))
        sound = read_sound(delta.get("audio"))
        if sound is not None:
            self._open("sound", events)
            events.append(Media(self._index, self._block, sound))
        for image in read_images(delta):
            self._open("image", events, anew=True)
            events.append(Media(self._index, self._block, image))
        calls = objects(delta.get("tool_calls"))
        for number, call in enumerate(calls):
            self._read_call(call, number, events)
        legacy = delta.get("function_call")
        if is_object(legacy) and not calls:
            self._read_call({"index": 0, "function": legacy}, 0, events)
        self._cite(read_annotations(delta.get("annotations")), events)

    def _say(self, text: str, events: list[Event]) -> None:
        if self._text is None:
            self._open("text", events)
            events.append(TextDelta(self._index, self._block, text))
        else:
            self._tell(self._text.feed(text), events)

    def _close_text(self, events: list[Event]) -> None:
        if self._text is not None:
            self._tell(self._text.close(), events)

    def _tell(self, told: Sequence[Told], events: list[Event]) -> None:
        for piece in told:
            self._open("thinking" if piece.thought else "text", events)
            kind = ThinkingDelta if piece.thought else TextDelta
            events.append(kind(self._index, self._block, piece.text))

    def _cite(self, citations: Sequence[Citation], events: list[Event]) -> None:
        if citations:
            self._open("text", events)
        events.extend(CitationAdded(self._index, self._block, citation) for citation in citations)

    def _read_thoughts(self, delta: dict[str, Any], events: list[Event]) -> None:
        details = objects(delta.get("reasoning_details"))
        text = text_of(delta)
        if text:
            if details:  # they tell which thought this text is of
                self._thought.index = self._thought.known_index()
                self._turn_to(integer_in(details[0], "index"), events)
            self._thought.spoken = True
            self._open("thinking", events)
            events.append(ThinkingDelta(self._index, self._block, text))
        for detail in details:
            thought = read_detail(detail)
            if thought is not None:
                self._read_detail(thought, integer_in(detail, "index"), events)

    def _turn_to(self, index: int, events: list[Event]) -> None:
        """End the open thought when a detail belongs to another one."""
        if self._kind == "thinking" and self._thought.index not in (None, index):
            self._end_block(events)

    def _read_detail(self, thought: Thinking, index: int, events: list[Event]) -> None:
        self._turn_to(index, events)
        text = "" if self._thought.spoken else self._unseen(thought.text, index)
        if text or (thought.summary and not self._thought.summary):
            self._open("thinking", events)
            events.append(ThinkingDelta(self._index, self._block, text, thought.summary))
            self._thought.summary = thought.summary
        if self._kind == "thinking" and not thought.redacted:
            self._thought.index = index
            self._thought.id = thought.id
        if thought.signature:
            self._open("thinking", events, anew=thought.redacted)
            self._thought.id = ""
            events.append(
                ThinkingSignature(
                    self._index, self._block, thought.signature, thought.format, thought.redacted, thought.id
                )
            )
            self._end_block(events)

    def _unseen(self, text: str, index: int) -> str:
        if not self._dialect.whole_details:
            return text
        seen = self._seen.get(index, "")
        if not text.startswith(seen):
            return text
        self._seen[index] = text
        return text[len(seen) :]

    def _read_call(self, call: dict[str, Any], number: int, events: list[Event]) -> None:
        index = integer_in(call, "index", -1)
        id = text_in(call, "id")
        if index < 0:  # some vendors send each call whole and count nothing
            index = number if id or not self._tools else max(self._tools)
        known = self._tools.get(index)
        if known is not None and id and id != known[1]:  # Google's compatible endpoint: all calls at index 0
            index = max(self._tools) + 1
            known = None
        made = read_tool_call(call, index, self._reply_id)
        if known is None:
            self._open("tool", events, anew=True)
            self._tools[index] = self._block, id or made_id(self._reply_id, index)
            if made.extra:
                events.append(Beside(self._index, OWN, made.extra, self._block))
            events.append(ToolStart(self._index, self._block, made.id, made.name, made.signature, made.custom))
            block = self._block
        else:
            block = known[0]
            if made.extra:
                events.append(Beside(self._index, OWN, made.extra, block))
        if made.arguments:
            events.append(ToolDelta(self._index, block, made.arguments))

    def _open(self, kind: str, events: list[Event], *, anew: bool = False) -> None:
        """Make a block of this kind the open one."""
        if self._kind == kind and not anew:
            return
        self._end_block(events)
        self._kind = kind
        self._block = self._next
        self._next += 1

    def _end_block(self, events: list[Event]) -> None:
        if not self._kind:
            return
        if self._kind == "thinking":
            if self._thought.id:
                events.append(ThinkingSignature(self._index, self._block, "", OWN, id=self._thought.id))
            self._thought.end()
        events.append(BlockEnd(self._index, self._block))
        self._kind = ""


class _Thought:
    """What is known of the open thinking block."""

    __slots__ = ("_ended", "id", "index", "spoken", "summary")

    def __init__(self) -> None:
        self.spoken = False  # this stream tells thinking as plain text too, so that its details repeat it
        self._ended = 0
        self.index: int | None = None  # among the details, once one was seen
        self.id = ""
        self.summary = False

    def known_index(self) -> int:
        """Return the index among the details: without one, thoughts count up from 0."""
        return self._ended if self.index is None else self.index

    def end(self) -> None:
        self._ended += 1
        self.index = None
        self.id = ""
        self.summary = False


_decode = msgspec.json.Decoder().decode


def _is_error(chunk: dict[str, Any]) -> bool:
    """Say whether a chunk is an error: OpenAI's, or one of the flat shapes, or MiniMax's."""
    if chunk.get("error"):
        return True
    base = chunk.get("base_resp")
    if is_object(base) and base.get("status_code") not in (0, None):
        return True
    return "choices" not in chunk and ("message" in chunk or chunk.get("object") == "error")


def _flat(chunk: dict[str, Any]) -> dict[str, Any]:
    base = chunk.get("base_resp")
    return {"message": base.get("status_msg")} if is_object(base) else chunk
