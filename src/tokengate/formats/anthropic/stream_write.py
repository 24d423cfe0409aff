"""Writes a streamed reply in the order that Anthropic keeps: message_start, each block's start, deltas and stop,
message_delta with the reason and the usage, message_stop.

Blocks are numbered as they appear. What the reply's input came to is known at its end, so message_start says 0 and
message_delta the truth.
"""

from typing import Any, assert_never

import msgspec
from msgspec import Raw

from tokengate.core.errors import GatewayError
from tokengate.core.parts import Citation, Opaque, Thinking
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
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading
from tokengate.formats.anthropic.errors import write_error
from tokengate.formats.anthropic.replies import sources_of, write_citation, write_media, write_message
from tokengate.formats.anthropic.signature import wrap, wrap_call
from tokengate.formats.anthropic.stops import write_stop
from tokengate.formats.anthropic.types import NAME
from tokengate.formats.anthropic.usage import write_delta_usage, write_usage

_NO_INPUT: dict[str, Any] = {}


class StreamWriter:
    """Implements `core.wire.StreamWriter`. Of several choices the first is written: a request here has one."""

    __slots__ = ("_called", "_cited", "_heading", "_next", "_open", "_refused", "_said_text", "_sealed", "_stop")

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._open: dict[int, _Open] = {}  # by the vocabulary's number of the block
        self._called: dict[int, dict[str, Raw]] = {}  # members of calls that have not begun
        self._next = 0
        self._cited = False  # the sources of what is said were named
        self._refused = False
        self._said_text = False
        self._sealed = ""  # thinking that waits for the block behind it; see `replies.ending_in_words`
        self._stop: Stop | None = None

    def write(self, event: Event) -> bytes:
        """Return the event's bytes, which may be none. Finish must come with usage; it ends the stream."""
        match event:
            case Start():
                message = write_message(self._heading, [])
                message["usage"] = write_usage(Usage(), event.service_tier)
                return _frame("message_start", {"message": message})
            case Finish():
                return self._finish(event)
            case Beside():
                if event.format == NAME and event.choice == 0 and event.block != REPLY:
                    self._called.setdefault(event.block, {}).update(event.members)
                return b""
            case Failure() | LogprobsAdded() | Step():
                return b""
            case _:
                return self._in_choice(event) if event.choice == 0 else b""

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit end of a stream that cannot be whole."""
        return b"event: error\ndata: %b\n\n" % write_error(error)

    def _in_choice(
        self,
        event: TextDelta
        | RefusalDelta
        | ThinkingDelta
        | ThinkingSignature
        | ToolStart
        | ToolDelta
        | ServerTool
        | CitationAdded
        | Media
        | BlockEnd
        | Stop,
    ) -> bytes:
        match event:
            case TextDelta() | RefusalDelta():
                self._refused = self._refused or isinstance(event, RefusalDelta)
                self._said_text = self._said_text or bool(event.text)
                return self._said(event.block, _TEXT, {"type": "text_delta", "text": event.text})
            case CitationAdded():
                self._cited = True
                return self._said(event.block, _TEXT, _cite(event.citation))
            case ThinkingDelta():
                out = self._said(event.block, _THINKING, {"type": "thinking_delta", "thinking": event.text})
                if event.summary and event.block in self._open:
                    self._open[event.block].summary = True
                return out
            case ThinkingSignature():
                return self._sign(event)
            case ToolStart():
                return self._start_tool(event)
            case ToolDelta():
                return self._tool_delta(event)
            case ServerTool():
                self._cited = True
                return self._opaque(event.part)
            case Media():
                return self._leave() + b"".join(map(self._whole, write_media(event.part)))
            case BlockEnd():
                opened = self._open.get(event.block)
                # Sources come last, and belong to what was said: a text ends where the next block begins.
                return b"" if opened is not None and opened.kind == "text" else self._close(event.block)
            case Stop():
                self._stop = event
                return b""
            case _:
                assert_never(event)

    def _said(self, block: int, start: dict[str, Any], delta: dict[str, Any]) -> bytes:
        """Return a delta of a block of running text, opened if it is not, behind the end of the one before.

        A block that says nothing is none: clients send blocks back, and empty ones are refused.
        """
        if "" in (delta.get("text"), delta.get("thinking")):
            return b""
        opened = self._open.get(block)
        if opened is not None and opened.kind == start["type"]:
            return _delta(opened.index, delta)
        return self._leave() + self._start(block, start) + _delta(self._open[block].index, delta)

    def _sign(self, event: ThinkingSignature) -> bytes:
        opened = self._open.get(event.block)
        summary = opened is not None and opened.summary
        proof = wrap(Thinking("", event.signature, event.format, event.redacted, summary, event.id))
        if event.redacted:
            out = self._leave() if self._sealed else b""
            self._sealed = proof
            return out
        return self._said(event.block, _THINKING, {"type": "signature_delta", "signature": proof})

    def _start_tool(self, event: ToolStart) -> bytes:
        out = self._leave()
        if event.signature:
            out += self._start(event.block, _THINKING)
            proof = wrap_call(event.signature)
            out += _delta(self._open[event.block].index, {"type": "signature_delta", "signature": proof})
            out += self._close(event.block)
        extra = self._called.pop(event.block, {})
        start = {**extra, "type": "tool_use", "id": event.id, "name": event.name, "input": _NO_INPUT}
        return out + self._start(event.block, start)

    def _tool_delta(self, event: ToolDelta) -> bytes:
        opened = self._open.get(event.block)
        if opened is None or not event.arguments:
            return b""
        return _delta(opened.index, {"type": "input_json_delta", "partial_json": event.arguments})

    def _opaque(self, part: Opaque) -> bytes:
        return self._leave() + self._whole(part.raw) if part.format == NAME else b""

    def _leave(self) -> bytes:
        """End what is open but for calls, and say what waits, as another block begins."""
        out = b"".join(self._close(number) for number, other in [*self._open.items()] if other.kind != "tool_use")
        if self._sealed:
            out += self._whole({"type": "redacted_thinking", "data": self._sealed})
            self._sealed = ""
        return out

    def _whole(self, content: dict[str, Any] | Raw) -> bytes:
        """Return a block that comes in one piece."""
        index = self._next
        self._next += 1
        start = _frame("content_block_start", {"index": index, "content_block": content})
        return start + _frame("content_block_stop", {"index": index})

    def _start(self, block: int, content: dict[str, Any]) -> bytes:
        self._open[block] = _Open(self._next, content["type"])
        self._next += 1
        return _frame("content_block_start", {"index": self._next - 1, "content_block": content})

    def _close(self, block: int) -> bytes:
        opened = self._open.pop(block, None)
        if opened is None:
            return b""
        return _frame("content_block_stop", {"index": opened.index})

    def _finish(self, finish: Finish) -> bytes:
        assert finish.usage is not None, "the pipeline settles before the end"
        out = self._cite(finish)
        if not self._said_text:
            out += self._leave()
        out += b"".join(self._close(block) for block in [*self._open])
        stop = self._stop
        sequence = stop.stop_sequence if stop else None
        reason = write_stop(stop.finish if stop else None, stop.native if stop else "", sequence, refused=self._refused)
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        usage = write_delta_usage(finish.usage.usage)
        return out + _frame("message_delta", {"delta": delta, "usage": usage}) + _frame("message_stop", {})

    def _cite(self, finish: Finish) -> bytes:
        """Return the pages of a search that nothing in the reply named, as sources of its last text."""
        text = next((opened for opened in self._open.values() if opened.kind == "text"), None)
        if self._cited or text is None:
            return b""
        return b"".join(_delta(text.index, _cite(citation)) for citation in sources_of(finish.searches))


class _Open:
    """A block between its start and its stop."""

    __slots__ = ("index", "kind", "summary")

    def __init__(self, index: int, kind: str) -> None:
        self.index = index
        self.kind = kind
        self.summary = False


_TEXT: dict[str, Any] = {"type": "text", "text": "", "citations": None}
_THINKING: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": ""}


def _cite(citation: Citation) -> dict[str, Any]:
    return {"type": "citations_delta", "citation": write_citation(citation)}


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    return _frame("content_block_delta", {"index": index, "delta": delta})


def _frame(name: str, members: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode({"type": name, **members}))
