"""The turns of a chat, written as DashScope's messages."""

from collections.abc import Sequence
from typing import Any, assert_never

from tokengate.core.chat import Message
from tokengate.core.parts import (
    Audio,
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
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME, write_media, write_text
from tokengate.formats.dashscope.shapes import is_object


def write_messages(messages: Sequence[Message], losses: Losses, *, listed: bool, own: bool) -> list[dict[str, Any]]:
    """Return the messages: content is always a list when `listed`, and else a string where a string says all.

    `own` chats came in this format, and what they hold without a word goes back. Raises Unsupported.
    """
    written: list[dict[str, Any]] = []
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        written.extend(_write_result(result, losses, listed=listed, own=own) for result in results)
        # A result holds only text: what else a tool gave back is shown by the user.
        shown = [part for result in results for part in result.content if isinstance(part, Image | Audio | Video)]
        others = [*shown, *(part for part in message.parts if not isinstance(part, ToolResult))]
        if others or not results:
            written.append(_write_message(message, others, losses, listed=listed, own=own))
    return written


def _write_message(
    message: Message, parts: Sequence[Part], losses: Losses, *, listed: bool, own: bool
) -> dict[str, Any]:
    thinking = "".join(part.text for part in parts if isinstance(part, Thinking))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    content = [part for part in parts if not isinstance(part, Thinking | ToolCall)]
    role = "system" if message.role == "developer" else message.role
    written: dict[str, Any] = {
        "role": role,
        "content": _write_content(content, losses, listed=listed, own=own, said=role == "assistant"),
    }
    if thinking:
        written["reasoning_content"] = thinking
    if any(isinstance(part, Thinking) and part.redacted for part in parts):
        losses.drop("thinking")
    if calls:
        written["tool_calls"] = [_write_call(index, call, losses) for index, call in enumerate(calls)]
    if message.name:
        written["name"] = message.name
    if message.partial:
        written["partial"] = True
    _write_extra(message.extra, written, losses, own=own)
    return written


def _write_result(result: ToolResult, losses: Losses, *, listed: bool, own: bool) -> dict[str, Any]:
    texts = [part for part in result.content if not isinstance(part, Image | Audio | Video)]
    if any(not isinstance(part, Text | Opaque) for part in texts):
        raise losses.refuse("tool_result", "can only hold text here")
    written: dict[str, Any] = {
        "role": "tool",
        "content": _write_content(texts, losses, listed=listed, own=own, said=False),
        "tool_call_id": result.call_id,
    }
    if result.name:
        written["name"] = result.name
    if result.is_error:
        losses.drop("is_error")
    if result.cache is not None:
        losses.drop("cache")
    _write_extra(result.extra, written, losses, own=own)
    return written


def _write_call(index: int, call: ToolCall, losses: Losses) -> dict[str, Any]:
    if call.cache is not None:
        losses.drop("cache")
    return {
        "id": call.id,
        "type": "function",
        "index": index,
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _write_content(parts: Sequence[Part], losses: Losses, *, listed: bool, own: bool, said: bool) -> str | list[Any]:
    entries = [entry for part in parts if (entry := _write_part(part, losses, own=own, said=said)) is not None]
    if listed or len(entries) > 1:
        return entries
    if not entries:
        return ""
    only = entries[0]
    return only["text"] if is_object(only) and only.keys() == {"text"} else entries


def _write_part(part: Part, losses: Losses, *, own: bool, said: bool) -> Any:
    """Return a content list's entry; None for what is left out of what the model `said`."""
    match part:
        case Text():
            if part.citations:
                losses.drop("citations")
            entry = write_text(part, losses)
            _write_extra(part.extra, entry, losses, own=own)
            return entry
        case Refusal():
            return {"text": part.text}
        case Image() | Audio() | Video():
            if said:
                raise losses.refuse(_WORDS[type(part)], "cannot be part of what the model said")
            entry = write_media(part, losses)
            _write_extra(part.extra, entry, losses, own=own)
            return entry
        case Opaque():
            if part.format == NAME:
                return part.raw
            if not said:
                raise losses.refuse(part.kind)
            losses.drop(part.kind)
            return None
        case File():
            raise losses.refuse("file")
        case Thinking() | ToolCall() | ToolResult():
            raise AssertionError("written elsewhere")
        case _:
            assert_never(part)


_WORDS = {Image: "image", Audio: "audio", Video: "video"}


def _write_extra(extra: Any, written: dict[str, Any], losses: Losses, *, own: bool) -> None:
    for name, raw in extra.items():
        if own:
            written.setdefault(name, raw)
        else:
            losses.drop(name)
