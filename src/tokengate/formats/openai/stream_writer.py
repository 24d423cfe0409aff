"""A streamed reply of the vocabulary, written as OpenAI's chat chunks."""

from typing import Any, assert_never

from msgspec import Raw, json

from tokengate.core.beside import with_more
from tokengate.core.chat import Chat
from tokengate.core.custom_tools import custom_names, input_of
from tokengate.core.errors import GatewayError
from tokengate.core.parts import NO_EXTRA, Audio, Data, Extra, Image, Thinking, Url
from tokengate.core.reply import (
    REPLY,
    Beside,
    BlockEnd,
    CitationAdded,
    Event,
    Failure,
    Finish,
    LogprobsAdded,
    Media,
    RefusalDelta,
    ServerTool,
    Start,
    Step,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolDelta,
    ToolStart,
)
from tokengate.core.sse import write_frame
from tokengate.core.wire import Heading
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.finish import write_finish
from tokengate.formats.openai.pieces import write_annotation, write_image, write_logprobs, write_searches
from tokengate.formats.openai.reply_writer import ID_HEAD, stop_members, with_beside, write_signature
from tokengate.formats.openai.stream import DONE, error_event
from tokengate.formats.openai.thoughts import OWN, write_detail
from tokengate.formats.openai.tools import FUNCTIONS
from tokengate.formats.openai.usage import write_usage


class ChatStreamWriter:
    """Implements `StreamWriter`."""

    __slots__ = ("_begun", "_beside", "_chat", "_choices", "_custom", "_functions", "_head")

    def __init__(self, heading: Heading, chat: Chat) -> None:
        self._chat = chat
        self._custom = custom_names(chat)
        self._functions = FUNCTIONS in chat.style
        self._choices: dict[int, _Choice] = {}
        self._begun: set[int] = set()
        self._beside: dict[str, Raw] = {}  # members that wait for the next chunk
        self._head: dict[str, Any] = {
            "id": ID_HEAD + heading.id,
            "object": "chat.completion.chunk",
            "created": heading.created_s,
            "model": heading.model,
        }

    def write(self, event: Event) -> bytes:
        """Return the event's bytes, which may be none."""
        match event:
            case TextDelta():  # first, since nearly all are
                return self._say(event)
            case Start():
                return self._start(event)
            case Stop():
                return self._stop(event)
            case Finish():
                return self._finish(event)
            case Failure():
                return error_event(event.message, "upstream_error", "upstream_error")
            case BlockEnd():
                return self._end_block(event)
            case Beside():
                return self._add(event) if event.format == OWN else b""
            case ServerTool() | Step():
                return b""  # what a vendor's own tool did; its outcome is in the text
            case LogprobsAdded():
                self._choice(event.choice).logprobs += event.logprobs
                return b""
            case _:
                return self._piece(event)

    def _piece(self, event: "_Piece") -> bytes:
        match event:
            case RefusalDelta():
                logprobs = self._choice(event.choice).take_logprobs()
                return self._chunk(event.choice, {"refusal": event.text}, logprobs=logprobs)
            case ThinkingDelta():
                return self._think(event)
            case ThinkingSignature():
                return self._prove(event)
            case ToolStart():
                return self._call(event)
            case ToolDelta():
                return self._argue(event)
            case CitationAdded():
                return self._cite(event)
            case Media():
                return self._show(event)
            case _:
                assert_never(event)

    def _add(self, event: Beside) -> bytes:
        """Keep members that nobody knows for the next chunk; those of the same names before them leave first."""
        if event.choice == REPLY:
            before = self._flush() if self._beside.keys() & event.members.keys() else b""
            self._beside |= event.members
            return before
        choice = self._choice(event.choice)
        if event.block != REPLY:
            choice.called[event.block] = with_more(choice.take_called(event.block), event.members)
            return b""
        before = self._chunk(event.choice, {}) if choice.beside.keys() & event.members.keys() else b""
        choice.beside |= event.members
        return before

    def _flush(self) -> bytes:
        """Return the chunks of members that still wait."""
        waiting = [index for index, choice in self._choices.items() if choice.beside]
        out = b"".join(self._chunk(index, {}) for index in waiting)
        return out + self._frame({"choices": []}) if self._beside else out

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit end of a stream that cannot be whole; no `[DONE]` comes after it."""
        return error_event(error.message, error.type, error.code, param=error.param)

    def _start(self, event: Start) -> bytes:
        if event.service_tier is not None:
            self._head["service_tier"] = event.service_tier
        self._head["system_fingerprint"] = event.system_fingerprint
        return self._begin(0)

    def _begin(self, index: int) -> bytes:
        """Return the chunk that every choice begins with."""
        self._begun.add(index)
        return self._chunk(index, {"role": "assistant", "content": "", "refusal": None})

    def _choice(self, index: int) -> "_Choice":
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        return choice

    def _say(self, event: TextDelta) -> bytes:
        choice = self._choices.get(event.choice) or self._choice(event.choice)
        choice.begins.setdefault(event.block, choice.said)
        choice.said += len(event.text)
        if choice.logprobs or choice.beside or self._beside or event.choice not in self._begun:
            return self._chunk(event.choice, {"content": event.text}, logprobs=choice.take_logprobs())
        if choice.around is None:  # chunks of text alone differ in nothing else
            before, _, after = self._chunk(event.choice, {"content": _TEXT}).rpartition(encode(_TEXT))
            choice.around = (before, after)
        before, after = choice.around
        return b"%b%b%b" % (before, encode(event.text), after)

    def _think(self, event: ThinkingDelta) -> bytes:
        if not (event.text or event.summary):
            return b""
        # The details tell the text again, whole, once it is proved: only then is it known that they are needed.
        choice = self._choice(event.choice)
        first = not choice.thought
        choice.thought.append(event.text)
        choice.summary = choice.summary or event.summary
        delta: dict[str, Any] = {"reasoning_content": event.text} if event.text else {}
        if first and (choice.thoughts or event.summary):  # says that another thought begins, or what kind of one
            thought = Thinking("", summary=event.summary)
            delta["reasoning_details"] = [write_detail(thought, choice.thoughts)]
        return self._chunk(event.choice, delta) if delta else b""

    def _prove(self, event: ThinkingSignature) -> bytes:
        choice = self._choice(event.choice)
        text = "" if event.redacted else "".join(choice.thought)
        thought = Thinking(text, event.signature, event.format, event.redacted, choice.summary, event.id)
        detail = write_detail(thought, choice.thoughts)
        choice.thought.clear()
        choice.proved = True
        return self._chunk(event.choice, {"reasoning_details": [detail]})

    def _call(self, event: ToolStart) -> bytes:
        choice = self._choice(event.choice)
        index = len(choice.calls)
        custom = event.custom or event.name in self._custom
        choice.calls[event.block] = call = _Call(index, custom=custom, wrapped=custom and not event.custom)
        if self._functions:
            function = {"name": event.name, "arguments": ""}
            return b"" if index else self._chunk(event.choice, {"function_call": function})
        kind, arguments = ("custom", "input") if call.custom else ("function", "arguments")
        told: dict[str, Any] = {"index": index, "id": event.id, "type": kind, kind: {"name": event.name, arguments: ""}}
        if event.signature:
            told |= write_signature(event.signature)
        return self._chunk(event.choice, {"tool_calls": [with_beside(told, choice.take_called(event.block))]})

    def _argue(self, event: ToolDelta) -> bytes:
        call = self._choice(event.choice).calls.get(event.block)
        if call is None:
            return b""
        call.argued = True
        if call.wrapped:  # its text is inside JSON, which can be opened only when it is whole
            call.pieces.append(event.arguments)
            return b""
        return self._arguments(event, call, event.arguments)

    def _arguments(self, event: ToolDelta | BlockEnd, call: "_Call", arguments: str) -> bytes:
        choice = event.choice
        if self._functions:
            return b"" if call.index else self._chunk(choice, {"function_call": {"arguments": arguments}})
        inner = {"custom": {"input": arguments}} if call.custom else {"function": {"arguments": arguments}}
        extra = self._choice(choice).take_called(event.block)
        return self._chunk(choice, {"tool_calls": [with_beside({"index": call.index, **inner}, extra)]})

    def _end_block(self, event: BlockEnd) -> bytes:
        choice = self._choice(event.choice)
        call = choice.calls.get(event.block)
        if call is None:
            choice.end_thought()
            return b""
        if call.wrapped:
            return self._arguments(event, call, input_of("".join(call.pieces)))
        if call.argued or call.custom:
            return b""
        return self._arguments(event, call, "{}")  # a call without arguments is JSON too

    def _cite(self, event: CitationAdded) -> bytes:
        choice = self._choice(event.choice)
        shift = choice.begins.setdefault(event.block, 0)
        return self._chunk(event.choice, {"annotations": [write_annotation(event.citation, shift, choice.said)]})

    def _show(self, event: Media) -> bytes:
        choice = self._choice(event.choice)
        match event.part:
            case Image():
                choice.images += 1
                return self._chunk(event.choice, {"images": [write_image(event.part, choice.images - 1)]})
            case Audio():
                return self._chunk(event.choice, {"audio": _write_sound(event.part)})

    def _stop(self, event: Stop) -> bytes:
        word = write_finish(event.finish, functions=self._functions)
        choice = self._choice(event.choice)
        late = [] if self._functions else choice.take_late()
        logprobs = choice.take_logprobs()
        beside = stop_members(event.native, word, event.stop_sequence)
        delta = {"tool_calls": late} if late else {}
        return self._chunk(event.choice, delta, finish=word, logprobs=logprobs, **beside)

    def _finish(self, event: Finish) -> bytes:
        assert event.usage is not None, "a reply is billed before it is whole"
        searches = write_searches(event.searches)
        before = self._flush()
        if self._chat.include_usage:
            usage = write_usage(event.usage.usage)
            return before + self._frame({"choices": [], "usage": usage, **searches}) + DONE
        if searches:
            choice: dict[str, Any] = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
            return before + self._frame({"choices": [choice], **searches}) + DONE
        return before + DONE

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        finish: str | None = None,
        logprobs: tuple[TokenLogprob, ...] = (),
        **beside: Any,
    ) -> bytes:
        before = b"" if index in self._begun else self._begin(index)
        known = self._choices.get(index)
        more = known.take_beside() if known is not None else {}
        inside = _members(more.pop("message", None))
        choice = {
            **more,
            "index": index,
            "delta": {**inside, **delta},
            "logprobs": write_logprobs(logprobs) if logprobs else None,
            "finish_reason": finish,
            **beside,
        }
        return before + self._frame({"choices": [choice], **({"usage": None} if self._chat.include_usage else {})})

    def _frame(self, rest: dict[str, Any]) -> bytes:
        beside, self._beside = self._beside, {}
        return write_frame(encode({**beside, **self._head, **rest}))


_TEXT = "\0text"  # stands for a text where chunks are alike but for it

_Piece = RefusalDelta | ThinkingDelta | ThinkingSignature | ToolStart | ToolDelta | CitationAdded | Media


class _Call:
    """What the writer remembers of one tool call."""

    __slots__ = ("argued", "custom", "index", "pieces", "wrapped")

    def __init__(self, index: int, *, custom: bool, wrapped: bool) -> None:
        self.index = index
        self.custom = custom
        self.wrapped = wrapped  # a custom tool that its vendor knows as a function
        self.pieces: list[str] = []
        self.argued = False

    @property
    def kind(self) -> str:
        return "custom" if self.custom else "function"


class _Choice:
    """What the writer remembers of one choice."""

    __slots__ = (
        "around",
        "begins",
        "beside",
        "called",
        "calls",
        "images",
        "logprobs",
        "proved",
        "said",
        "summary",
        "thought",
        "thoughts",
    )

    def __init__(self) -> None:
        self.beside: dict[str, Raw] = {}  # which waits for the choice's next chunk
        self.calls: dict[int, _Call] = {}  # by block
        self.called: dict[int, Extra] = {}  # members that wait for the next piece of a call, by block
        self.said = 0  # characters of text
        self.begins: dict[int, int] = {}  # block -> where its text begins
        self.around: tuple[bytes, bytes] | None = None  # a chunk of text before and after it
        self.images = 0
        self.logprobs: tuple[TokenLogprob, ...] = ()  # which wait for the text that they belong to
        self.thought: list[str] = []  # of the open block
        self.summary = False
        self.proved = False
        self.thoughts = 0  # that have ended

    def take_beside(self) -> dict[str, Raw]:
        beside, self.beside = self.beside, {}
        return beside

    def take_called(self, block: int) -> Extra:
        return self.called.pop(block, NO_EXTRA)

    def take_late(self) -> list[dict[str, Any]]:
        """Take what was said of calls after their last pieces."""
        called, self.called = self.called, {}
        known = [(self.calls[block], extra) for block, extra in called.items() if block in self.calls]
        return [with_beside({"index": call.index, call.kind: {}}, extra) for call, extra in known]

    def take_logprobs(self) -> tuple[TokenLogprob, ...]:
        logprobs, self.logprobs = self.logprobs, ()
        return logprobs

    def end_thought(self) -> None:
        if self.thought or self.proved:
            self.thoughts += 1
        self.thought.clear()
        self.summary = self.proved = False


def _members(raw: Raw | None) -> dict[str, Any]:
    return {} if raw is None else _decode_members(raw)


_decode_members = json.Decoder(dict[str, Any]).decode


def _write_sound(part: Audio) -> dict[str, Any]:
    written: dict[str, Any] = {"id": part.id} if part.id else {}
    match part.source:
        case Data():
            if part.source.base64:
                written["data"] = part.source.base64
        case Url():
            written["url"] = part.source.url
        case _:
            raise AssertionError("what a model said is bytes or lies at an address")
    if part.transcript:
        written["transcript"] = part.transcript
    return written
