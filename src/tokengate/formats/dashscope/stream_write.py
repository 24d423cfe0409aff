"""A streamed reply, written for a caller of text or multimodal generation.

Events carry what is new, or, when the caller did not ask for `incremental_output`, all that was said so far. The event
with a choice's finish reason waits for the usage, which comes with it.
"""

from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.beside import with_extra, with_more
from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.parts import NO_EXTRA, Citation, Extra, Thinking
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
from tokengate.core.wire import Heading
from tokengate.formats.dashscope.answers import (
    flat,
    pages_cited,
    request_id,
    write_call,
    write_finish,
    write_logprobs,
    write_media,
    write_reported,
    write_searches,
)
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.errors import write_error
from tokengate.formats.dashscope.requests import PARTS, TEXT, WHOLE
from tokengate.formats.dashscope.shapes import encode, is_object
from tokengate.formats.dashscope.thinking import write_proofs


class DashScopeStreamWriter:
    """Implements `StreamWriter`."""

    __slots__ = ("_beside", "_choices", "_citations", "_count", "_id", "_listed", "_numbered", "_text", "_whole")

    def __init__(self, heading: Heading, chat: Chat) -> None:
        self._id = request_id(heading)
        self._count = 0
        self._beside: dict[str, Raw] = {}  # members that nobody knows; they wait for the next event
        self._listed = PARTS in chat.style
        self._whole = WHOLE in chat.style
        self._numbered = chat.output.n is not None and chat.output.n > 1
        self._text = TEXT in chat.style and not self._numbered and not chat.tools
        self._choices: dict[int, _Choice] = {}
        self._citations: list[Citation] = []

    def write(self, event: Event) -> bytes:
        """Return the event's bytes, which may be none. Finish ends the stream."""
        match event:
            case Start() | BlockEnd() | Step():
                return b""
            case Beside():
                if event.format == NAME and event.choice == REPLY:
                    self._beside |= event.members
                elif event.format == NAME:
                    self._choice(event.choice).keep(event)
                return b""
            case CitationAdded():
                self._citations.append(event.citation)
                return b""
            case Finish():
                return self._finish(event)
            case Failure():
                return self._frame("error", 500, {"code": "InternalError", "message": event.message})
            case _:
                choice = self._choice(event.choice)
                message = choice.add(event)
                if message is None or (self._text and not isinstance(event, TextDelta | RefusalDelta | ThinkingDelta)):
                    return b""
                return self._result(event.choice, choice, message, "null")

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit end of a stream that cannot be whole."""
        return self._event("error", error.status, write_error(error, self._id))

    def _choice(self, index: int) -> "_Choice":
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(whole=self._whole, listed=self._listed)
        return choice

    def _finish(self, event: Finish) -> bytes:
        stopped = [(index, choice) for index, choice in sorted(self._choices.items()) if choice.stop is not None]
        frames: list[bytes] = []
        for place, (index, choice) in enumerate(stopped, 1):
            assert choice.stop is not None
            last = place == len(stopped)
            reason = write_finish(choice.stop.finish)
            output: dict[str, Any] = {}
            if last and (searches := event.searches or pages_cited(self._citations)):
                output["search_info"] = {"search_results": write_searches(searches)}
            usage = write_reported(event.usage, own=False) if last else {}
            frames.append(self._result(index, choice, choice.last(), reason, output, usage))
        return b"".join(frames)

    def _result(
        self,
        index: int,
        choice: "_Choice",
        message: dict[str, Any],
        reason: str,
        more: dict[str, Any] | None = None,
        usage: Any = None,
    ) -> bytes:
        output: dict[str, Any]
        if self._text:
            thinking = {name: value for name, value in message.items() if name.startswith("reasoning")}
            output = {"finish_reason": reason, "text": _text_of(message["content"]), **thinking}
            output = with_extra(output, flat(choice.take_beside()))
        else:
            written: dict[str, Any] = {"message": message, "finish_reason": reason}
            if self._numbered:
                written["index"] = index
            if logprobs := choice.take_logprobs():
                written["logprobs"] = write_logprobs(logprobs)
            output = {"choices": [with_extra(written, choice.take_beside())]}
        output = {**self._beside, **output, **(more or {})}
        if not self._whole:
            self._beside = {}
        return self._frame("result", 200, {"output": output, "usage": usage or {}})

    def _frame(self, kind: str, status: int, data: dict[str, Any]) -> bytes:
        return self._event(kind, status, encode({**data, "request_id": self._id}))

    def _event(self, kind: str, status: int, data: bytes) -> bytes:
        self._count += 1
        return write_event(self._count, kind, status, data)


def _text_of(content: str | list[Any]) -> str:
    """Return the text of a message, which comes first where there is more."""
    if isinstance(content, str):
        return content
    first = content[0] if content else None
    return first.get("text", "") if is_object(first) else ""


def write_event(number: int, kind: str, status: int, data: bytes) -> bytes:
    """Return one event of a stream, a result or an error."""
    # The vendor's SDK takes the status of an error from a line that the vendor does not send.
    line = b"status:%d\n" % status if kind == "error" else b""
    return b"id:%d\nevent:%b\n:HTTP_STATUS/%d\n%bdata:%b\n\n" % (number, kind.encode(), status, line, data)


_Told = (
    TextDelta
    | RefusalDelta
    | ThinkingDelta
    | ThinkingSignature
    | ToolStart
    | ToolDelta
    | ServerTool
    | Media
    | LogprobsAdded
    | Stop
)


class _Call:
    __slots__ = ("arguments", "block", "id", "name", "signature")

    def __init__(self, start: ToolStart) -> None:
        self.block = start.block
        self.id, self.name, self.signature = start.id, start.name, start.signature
        self.arguments: list[str] = []


class _Choice:
    """One choice as it grows, and what was said of it when every event has to say all."""

    __slots__ = (
        "_beside",
        "_calls",
        "_content",
        "_listed",
        "_logprobs",
        "_media",
        "_places",
        "_proofs",
        "_said",
        "_thoughts",
        "_whole",
        "stop",
    )

    def __init__(self, *, whole: bool, listed: bool) -> None:
        self.stop: Stop | None = None
        self._whole = whole
        self._listed = listed
        self._beside: dict[int, Extra] = {}  # members that nobody knows, by block, which wait for what tells them
        self._content: list[str] = []
        self._media: list[Any] = []
        self._thoughts: dict[int, list[str]] = {}  # by block
        self._proofs: dict[int, ThinkingSignature] = {}
        self._calls: list[_Call] = []
        self._places: dict[int, int] = {}  # block -> place among the calls
        self._logprobs: list[TokenLogprob] = []
        self._said: Extra = NO_EXTRA  # of all texts

    def keep(self, event: Beside) -> None:
        """Take members that nobody knows, of the choice or of a block."""
        self._beside[event.block] = with_more(self._beside.get(event.block, NO_EXTRA), event.members)

    def take_beside(self, block: int = REPLY) -> Extra:
        """Return the members to tell now of a block, or of the choice itself."""
        return self._beside.get(block, NO_EXTRA) if self._whole else self._beside.pop(block, NO_EXTRA)

    def add(self, event: _Told) -> dict[str, Any] | None:
        """Take one event more; return the message that tells it, None when nothing can be told yet."""
        match event:
            case TextDelta() | RefusalDelta():
                extra = self.take_beside(event.block)
                if self._whole:
                    self._content.append(event.text)
                    self._said = with_more(self._said, extra)
                return self._message(text=event.text, extra=extra) if event.text or extra else None
            case ThinkingDelta():
                self._thoughts.setdefault(event.block, []).append(event.text)
                return self._message(thought=event.text) if event.text else None
            case ThinkingSignature():
                self._proofs[event.block] = event
                self._thoughts.setdefault(event.block, [])
                return None
            case ToolStart():
                self._places[event.block] = len(self._calls)
                self._calls.append(_Call(event))
                return self._message(call=self._started(len(self._calls) - 1))
            case ToolDelta():
                place = self._places[event.block]
                if self._whole:
                    self._calls[place].arguments.append(event.arguments)
                return self._message(call=self._going_on(place, event.arguments)) if event.arguments else None
            case Media():
                return self._message(entry=self._kept(write_media(event.part)))
            case ServerTool():
                return self._message(entry=self._kept(event.part.raw)) if event.part.format == NAME else None
            case LogprobsAdded():
                self._logprobs.extend(event.logprobs)
                return None
            case Stop():
                self.stop = event
                return None
            case _:
                assert_never(event)

    def last(self) -> dict[str, Any]:
        """Return the message of the last event: nothing new, and what proves the thinking."""
        message = self._message()
        late = [place for place, call in enumerate(self._calls) if call.block in self._beside and not self._whole]
        if late:
            message["tool_calls"] = [self._going_on(place, "") for place in late]
        message.update(write_proofs(self._thinking()))
        return message

    def take_logprobs(self) -> list[TokenLogprob]:
        """Return the tokens to tell with the next event."""
        taken = self._logprobs
        if not self._whole:
            self._logprobs = []
        return taken

    def _message(
        self, *, text: str = "", extra: Extra = NO_EXTRA, thought: str = "", call: Any = None, entry: Any = None
    ) -> dict[str, Any]:
        entries: list[Any] = [] if entry is None else [entry]
        calls: list[Any] = [] if call is None else [call]
        if self._whole:
            text, extra = "".join(self._content), self._said
            thought = "".join("".join(pieces) for pieces in self._thoughts.values())
            entries = self._media
            calls = [self._started(place) for place in range(len(self._calls))]
        content: Any = text
        if self._listed or entries or extra:
            content = [{"text": text, **extra}, *entries] if text or extra else list(entries)
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if thought:
            message["reasoning_content"] = thought
        if calls:
            message["tool_calls"] = calls
        return message

    def _kept(self, entry: Any) -> Any:
        if self._whole:
            self._media.append(entry)
        return entry

    def _started(self, place: int) -> dict[str, Any]:
        call = self._calls[place]
        written = write_call(place, call.id, call.name, "".join(call.arguments), call.signature)
        return with_extra(written, self.take_beside(call.block))

    def _going_on(self, place: int, arguments: str) -> dict[str, Any]:
        written = {"index": place, "id": "", "type": "function", "function": {"arguments": arguments}}
        return with_extra(written, self.take_beside(self._calls[place].block))

    def _thinking(self) -> list[Thinking]:
        parts: list[Thinking] = []
        for block, pieces in sorted(self._thoughts.items()):
            proof = self._proofs.get(block)
            text = "".join(pieces)
            if proof is None:
                parts.append(Thinking(text))
            else:
                parts.append(Thinking(text, proof.signature, proof.format, proof.redacted, id=proof.id))
        return parts
