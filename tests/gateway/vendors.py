"""What vendors of each wire format send, whole and streamed, good and bad, in as few words as the format allows."""

import json
from typing import Any, Literal, cast

from msgspec import Struct

Said = dict[str, Any]
VendorUsage = Literal["full", "none", "null", "empty"]  # as asked, absent, null, or with details that are null or {}

MESSAGE = "Busy; come back"
REQUEST_ID = "req-of-the-vendor"


class Vendor(Struct, frozen=True):
    """One wire format at a backend. Everything said is "Hello " and "there", with 10 tokens read and 5 written."""

    name: str
    provider: str
    formats: tuple[str, ...]
    whole: Said
    empty: Said  # a whole reply that says nothing
    opening: tuple[Said, ...]
    texts: tuple[Said, Said]
    closing: tuple[Said, ...]  # what ends a stream, its usage in it
    nothing: tuple[Said, ...]  # what may come before content without being any
    early_usage: tuple[Said, ...]  # usage before the content
    error: Said  # as a body, with a status or without
    error_event: Said
    request_id: str = "x-request-id"  # the header with the vendor's id of a request

    def frame(self, said: Said) -> bytes:
        """Return one event of a stream as this vendor writes it."""
        data = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        match self.name:
            case "anthropic" | "responses":
                return b"event: %b\ndata: %b\n\n" % (said["type"].encode(), data)
            case "dashscope":
                kind, status = (b"error", b"503") if "code" in said else (b"result", b"200")
                return b"id:1\nevent:%b\n:HTTP_STATUS/%b\ndata:%b\n\n" % (kind, status, data)
            case _:
                return b"data: %b\n\n" % data

    def frames(self, *said: Said) -> list[bytes]:
        return [self.frame(one) for one in said]

    def stream(self) -> list[bytes]:
        """Return a good stream."""
        return [*self.frames(*self.opening, *self.texts, *self.closing), *self.last()]

    def last(self) -> list[bytes]:
        return [b"data: [DONE]\n\n"] if self.name == "openai" else []


def _chunk(*choices: Said, **more: Any) -> Said:
    return {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [*choices], **more}


def _delta(finish: str | None = None, **delta: Any) -> Said:
    return {"index": 0, "delta": delta, "finish_reason": finish}


_CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
_ERROR = {"error": {"message": MESSAGE, "type": "server_error", "param": None, "code": None}}
OPENAI = Vendor(
    name="openai",
    provider="openai",
    formats=("openai",),
    whole={
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}],
        "usage": _CHAT_USAGE,
    },
    empty={
        "id": "c1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
    },
    opening=(_chunk(_delta(role="assistant", content="")),),
    texts=(_chunk(_delta(content="Hello ")), _chunk(_delta(content="there"))),
    closing=(_chunk(_delta("stop")), _chunk(usage=_CHAT_USAGE)),
    nothing=(_chunk(prompt_filter_results=[]), _chunk(_delta(role="assistant", content=None))),
    early_usage=(_chunk(usage=_CHAT_USAGE),),
    error=_ERROR,
    error_event=_ERROR,
)


def _message(**more: Any) -> Said:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None, **more}


def _start(**usage: Any) -> Said:
    return {"type": "message_start", "message": _message(content=[], stop_reason=None, usage=usage)}


_CLAUDE_ERROR = {"type": "error", "error": {"type": "api_error", "message": MESSAGE}, "request_id": None}
ANTHROPIC = Vendor(
    name="anthropic",
    provider="anthropic",
    formats=("anthropic",),
    whole=_message(
        content=[{"type": "text", "text": "Hello there"}],
        stop_reason="end_turn",
        usage={"input_tokens": 10, "output_tokens": 5},
    ),
    empty=_message(content=[], stop_reason="end_turn", usage={"input_tokens": 10, "output_tokens": 0}),
    opening=(
        _start(input_tokens=10, output_tokens=1),
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ),
    texts=(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there"}},
    ),
    closing=(
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ),
    nothing=({"type": "ping"}, {"type": "something_new", "index": 3}),
    early_usage=(_start(input_tokens=10, output_tokens=5),),
    error=_CLAUDE_ERROR,
    error_event=_CLAUDE_ERROR,
    request_id="request-id",
)


def _candidate(text: str = "", finish: str | None = None, **more: Any) -> Said:
    said: Said = {"index": 0}
    if text or finish is None:
        said["content"] = {"role": "model", "parts": [{"text": text}]}
    if finish is not None:
        said["finishReason"] = finish
    return {"candidates": [said], "modelVersion": "m", "responseId": "g1", **more}


_GOOGLE_USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
_GOOGLE_ERROR = {"error": {"code": 503, "message": MESSAGE, "status": "UNAVAILABLE"}}
GEMINI = Vendor(
    name="gemini",
    provider="google",
    formats=("gemini",),
    whole=_candidate("Hello there", "STOP", usageMetadata=_GOOGLE_USAGE),
    empty=_candidate("", "STOP", usageMetadata={"promptTokenCount": 10, "totalTokenCount": 10}),
    opening=(),
    texts=(_candidate("Hello "), _candidate("there")),
    closing=(_candidate("", "STOP", usageMetadata=_GOOGLE_USAGE),),
    nothing=({"modelVersion": "m", "responseId": "g1"}, {"candidates": [], "modelVersion": "m"}),
    early_usage=({"usageMetadata": _GOOGLE_USAGE, "modelVersion": "m", "responseId": "g1"},),
    error=_GOOGLE_ERROR,
    error_event=_GOOGLE_ERROR,
)


def _output(text: str | None, finish: str, **more: Any) -> Said:
    choices = [] if text is None else [{"finish_reason": finish, "message": {"role": "assistant", "content": text}}]
    return {"output": {"choices": choices}, "request_id": "d1", **more}


_QWEN_USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
_QWEN_ERROR = {"code": "ServiceUnavailable", "message": MESSAGE, "request_id": REQUEST_ID}
DASHSCOPE = Vendor(
    name="dashscope",
    provider="dashscope_native",
    formats=("dashscope",),
    whole=_output("Hello there", "stop", usage=_QWEN_USAGE),
    empty=_output("", "stop", usage={"input_tokens": 10, "output_tokens": 0, "total_tokens": 10}),
    opening=(),
    texts=(_output("Hello ", "null"), _output("there", "null")),
    closing=(_output("", "stop", usage=_QWEN_USAGE),),
    nothing=(_output(None, "null"), _output("", "null")),
    early_usage=(_output("", "null", usage=_QWEN_USAGE),),
    error=_QWEN_ERROR,
    error_event=_QWEN_ERROR,
)


def _response(status: str, *output: Said, **more: Any) -> Said:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "model": "m",
        "status": status,
        "output": [*output],
        **more,
    }


def _item(*content: Said, status: str = "completed") -> Said:
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": [*content]}


def _output_text(text: str) -> Said:
    return {"type": "output_text", "text": text, "annotations": []}


def _piece(text: str) -> Said:
    return {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }


_RESPONSES_USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
RESPONSES = Vendor(
    name="responses",
    provider="openai",
    formats=("responses",),
    whole=_response("completed", _item(_output_text("Hello there")), usage=_RESPONSES_USAGE),
    empty=_response("completed", usage={"input_tokens": 10, "output_tokens": 0, "total_tokens": 10}),
    opening=(
        {"type": "response.created", "response": _response("in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": _item(status="in_progress")},
    ),
    texts=(_piece("Hello "), _piece("there")),
    closing=(
        {"type": "response.output_item.done", "output_index": 0, "item": _item(_output_text("Hello there"))},
        {
            "type": "response.completed",
            "response": _response("completed", _item(_output_text("Hello there")), usage=_RESPONSES_USAGE),
        },
    ),
    nothing=(
        {"type": "response.in_progress", "response": _response("in_progress")},
        {"type": "response.something.new", "output_index": 3},
    ),
    early_usage=({"type": "response.in_progress", "response": _response("in_progress", usage=_RESPONSES_USAGE)},),
    error=_ERROR,
    error_event={"type": "error", "code": "server_error", "message": MESSAGE, "param": None, "sequence_number": 3},
)

VENDORS = (OPENAI, ANTHROPIC, GEMINI, DASHSCOPE, RESPONSES)

_USAGE_NAMES = ("usage", "usageMetadata")


def with_usage(said: Said, usage: VendorUsage) -> Said:
    """Return what a vendor says, with its usage changed wherever it stands."""
    changed: Said = {}
    for name, value in said.items():
        if name in _USAGE_NAMES:
            if usage == "none":
                continue
            changed[name] = {"full": value, "null": None, "empty": _with_details(value)}[usage]
        elif name in ("message", "response") and isinstance(value, dict):
            changed[name] = with_usage(cast(Said, value), usage)
        else:
            changed[name] = value
    return changed


def _with_details(usage: Said) -> Said:
    """Return usage whose details are null, {} or lists without anything."""
    return {
        **usage,
        "prompt_tokens_details": None,
        "completion_tokens_details": {},
        "input_tokens_details": None,
        "output_tokens_details": {},
        "promptTokensDetails": [],
        "candidatesTokensDetails": None,
        "cache_creation": None,
        "server_tool_use": None,
    }
