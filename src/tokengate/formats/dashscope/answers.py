"""A whole reply, written for a caller of text or multimodal generation."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.beside import with_extra
from tokengate.core.chat import Chat
from tokengate.core.parts import (
    Audio,
    Citation,
    Extra,
    File,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult, TokenLogprob
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Heading
from tokengate.formats.dashscope.content import NAME, write_source
from tokengate.formats.dashscope.messages import write_signature
from tokengate.formats.dashscope.requests import PARTS, TEXT
from tokengate.formats.dashscope.shapes import decode_object, encode
from tokengate.formats.dashscope.thinking import write_thinking
from tokengate.formats.dashscope.usage import write_usage


def write_reply(reply: Reply, heading: Heading, chat: Chat) -> bytes:
    """Return a reply. What `result_format` text cannot say (tool calls, several choices) comes as messages."""
    own = reply.format == NAME
    output: dict[str, Any] = {}
    if TEXT in chat.style and len(reply.choices) == 1 and not any(map(_needs_message, reply.choices[0].parts)):
        choice = reply.choices[0]
        output["text"] = "".join(_texts(choice.parts))
        output["finish_reason"] = write_finish(choice.finish, choice.native if own else "")
        output.update(write_thinking([part for part in choice.parts if isinstance(part, Thinking)]))
        if own:
            output = with_extra(output, flat(choice.extra))
    else:
        several = len(reply.choices) > 1
        listed = PARTS in chat.style
        output["choices"] = [
            _write_choice(choice, own=own, listed=listed, numbered=several) for choice in reply.choices
        ]
    if searches := reply.searches or pages_cited(_citations(reply)):
        output["search_info"] = {"search_results": write_searches(searches)}
    if own:
        for name, raw in reply.extra.items():
            output.setdefault(name, raw)
    return encode({"output": output, "usage": write_reported(reply.usage, own=own), "request_id": request_id(heading)})


def flat(extra: Extra) -> Extra:
    """Return the members of a choice that nobody knows as `result_format` text has them: the choice and its message are
    the output itself, as their finish reason and thinking are there."""
    message = extra.get("message")
    if message is None:
        return extra
    return {**decode_object(message), **{name: raw for name, raw in extra.items() if name != "message"}}


def request_id(heading: Heading) -> str:
    """Return the id of a call as the gateway's own headers write it: this format has one name for both."""
    return f"req_{heading.id}"


def write_reported(reported: ReportedUsage | None, *, own: bool) -> dict[str, Any] | Raw:
    """Return usage: the vendor's own object where it came in this format."""
    if reported is None:
        return {}
    return Raw(reported.raw) if own and reported.raw else write_usage(reported.usage)


def write_finish(finish: FinishReason | None, native: str = "") -> str:
    """Return a finish reason; `native` is the vendor's own when it is DashScope's."""
    if native:
        return native
    match finish:
        case None:
            return "null"
        case FinishReason.STOP | FinishReason.PAUSE:
            return "stop"
        case FinishReason.LENGTH | FinishReason.TOOL_CALLS | FinishReason.CONTENT_FILTER | FinishReason.ERROR:
            return finish.value
        case _:
            assert_never(finish)


def pages_cited(citations: Iterable[Citation]) -> tuple[SearchResult, ...]:
    """Return the pages that an answer cites, for a vendor that does not tell what its search found."""
    pages = {one.url: SearchResult(one.url, one.title) for one in citations if one.url}
    return tuple(pages.values())


def _citations(reply: Reply) -> Iterator[Citation]:
    for choice in reply.choices:
        for part in choice.parts:
            if isinstance(part, Text):
                yield from part.citations


def write_searches(searches: Sequence[SearchResult]) -> list[dict[str, Any]]:
    """Return the pages that a search found."""
    return [
        {
            "site_name": found.site,
            "icon": found.icon,
            "index": found.index or place,
            "title": found.title,
            "url": found.url,
        }
        for place, found in enumerate(searches, 1)
    ]


def write_logprobs(logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
    """Return the tokens of an answer with how likely they were."""
    return {
        "content": [
            {
                "token": token.token,
                "logprob": token.logprob,
                "bytes": token.bytes,
                "top_logprobs": [{"token": top.token, "logprob": top.logprob, "bytes": top.bytes} for top in token.top],
            }
            for token in logprobs
        ]
    }


def write_call(index: int, call_id: str, name: str, arguments: str, signature: str) -> dict[str, Any]:
    """Return a tool call."""
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function, **write_signature(signature)}


def write_media(part: Image | Audio) -> dict[str, Any]:
    """Return an entry of content with a picture or sound that the model made."""
    url = write_source(part.source) or ""
    return {"image": url} if isinstance(part, Image) else {"audio": url}


def _write_choice(choice: Choice, *, own: bool, listed: bool, numbered: bool) -> dict[str, Any]:
    thinking = [part for part in choice.parts if isinstance(part, Thinking)]
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": _write_content(choice.parts, own=own, listed=listed)}
    message.update(write_thinking(thinking))
    if calls:
        message["tool_calls"] = [_write_call(index, call, own=own) for index, call in enumerate(calls)]
    written: dict[str, Any] = {"finish_reason": write_finish(choice.finish, choice.native if own else "")}
    if numbered:
        written["index"] = choice.index
    written["message"] = message
    if choice.logprobs is not None:
        written["logprobs"] = write_logprobs(choice.logprobs)
    return with_extra(written, choice.extra) if own else written


def _write_call(index: int, call: ToolCall, *, own: bool) -> dict[str, Any]:
    written = write_call(index, call.id, call.name, call.arguments, call.signature)
    return with_extra(written, call.extra) if own else written


def _write_content(parts: Sequence[Part], *, own: bool, listed: bool) -> str | list[Any]:
    entries = [entry for part in parts if (entry := _write_entry(part, own=own)) is not None]
    if listed or any(type(entry) is not dict or entry.keys() != {"text"} for entry in entries):
        return entries
    return "".join(_texts(parts))


def _write_entry(part: Part, *, own: bool) -> Any:
    match part:
        case Text():
            return {"text": part.text, **part.extra} if own else {"text": part.text}
        case Refusal():
            return {"text": part.text}
        case Image() | Audio():
            return write_media(part)
        case Opaque(format="dashscope"):
            return part.raw
        case Opaque() | Thinking() | ToolCall():
            return None
        case Video() | File() | ToolResult():
            raise AssertionError("a reply holds no input")
        case _:
            assert_never(part)


def _texts(parts: Sequence[Part]) -> list[str]:
    return [part.text for part in parts if isinstance(part, Text | Refusal)]


def _needs_message(part: Part) -> bool:
    return not isinstance(part, Text | Refusal | Thinking)
