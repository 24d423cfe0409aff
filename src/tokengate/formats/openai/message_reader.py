"""The messages of an OpenAI request, read into the vocabulary.

Tool messages in a row become one turn of the user; a message's reasoning comes before its text, its tool calls after.
"""

from typing import Any

from msgspec import Raw, structs

from tokengate.core.chat import Message
from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    Audio,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from tokengate.formats.openai.cache_marks import read_cache_mark
from tokengate.formats.openai.fields import Fields, encode
from tokengate.formats.openai.media import read_audio, read_audio_url, read_file, read_image, read_video
from tokengate.formats.openai.refusal import missing, must_be
from tokengate.formats.openai.shapes import is_list
from tokengate.formats.openai.thoughts import OWN, read_thoughts

# Said by a model's reply and sent back with it: nothing that a model is given to read.
_REPLY_ONLY = ("annotations", "reasoning_content", "reasoning", "reasoning_details")

_SPEAKERS = frozenset({"system", "developer", "user", "assistant"})


def read_messages(messages: list[dict[str, Any]]) -> tuple[Message, ...]:
    """Read messages whose roles and contents were checked. Raises BadRequest."""
    read: list[Message] = []
    calls: dict[str, ToolCall] = {}
    results: list[ToolResult] = []
    for index, message in enumerate(messages):
        if len(message) == 2 and type(content := message.get("content")) is str and message["role"] in _SPEAKERS:
            if results:
                read.append(Message("user", tuple(results)))
                results = []
            read.append(Message(message["role"], (Text(content),) if content else ()))
            continue
        fields = Fields(message, f"messages[{index}]")
        role = fields.needed_text("role")
        if role in ("tool", "function"):
            results.append(_read_result(fields, role, calls))
            continue
        if results:
            read.append(Message("user", tuple(results)))
            results = []
        if role == "assistant":
            told = _read_assistant(message, fields, index)
            calls |= {part.id: part for part in told.parts if isinstance(part, ToolCall)}
            read.append(told)
        else:
            assert role in ("system", "developer", "user"), "roles were checked"
            parts = _marked(_read_content(fields), fields)
            read.append(Message(role, parts, fields.text("name") or "", extra=fields.rest()))
    if results:
        read.append(Message("user", tuple(results)))
    return tuple(read)


def read_tool_call(fields: Fields) -> ToolCall:
    """Read one entry of `tool_calls`."""
    id = fields.needed_text("id")
    kind = fields.text("type") or "function"
    fields.any("index")
    cache = read_cache_mark(fields)
    signature = _read_signature(fields)
    match kind:
        case "function":
            inner = fields.needed_inner("function")
            name, arguments = inner.needed_text("name"), inner.text("arguments") or ""
        case "custom":
            inner = fields.needed_inner("custom")
            name, arguments = inner.needed_text("name"), inner.text("input") or ""
        case _:
            raise must_be(fields.path("type"), "function or custom")
    return ToolCall(id, name, arguments, signature, kind == "custom", cache, fields.rest())


def _read_assistant(message: dict[str, Any], fields: Fields, index: int) -> Message:
    content = _read_content(fields)
    for name in _REPLY_ONLY:
        fields.any(name)
    parts: list[Part] = [*read_thoughts(message), *content]
    if refusal := fields.text("refusal"):
        parts.append(Refusal(refusal))
    if (audio := fields.inner("audio")) is not None:
        id = audio.needed_text("id")
        parts.append(Audio(FileId(id), id=id))
    parts += _read_images(fields)
    for number, call in enumerate(fields.items("tool_calls") or ()):
        parts.append(read_tool_call(Fields(call, f"{fields.path('tool_calls')}[{number}]")))
    if (legacy := fields.inner("function_call")) is not None:
        parts.append(ToolCall(_legacy_id(index), legacy.needed_text("name"), legacy.text("arguments") or ""))
    partial = [fields.flag("partial"), fields.flag("prefix")]
    return Message(
        "assistant", _marked(tuple(parts), fields), fields.text("name") or "", True in partial, fields.rest()
    )


def _read_result(fields: Fields, role: str, calls: dict[str, ToolCall]) -> ToolResult:
    name = fields.text("name") or ""
    if role == "tool":
        id = fields.needed_text("tool_call_id")
        call = calls.get(id)
    else:
        if not name:
            raise missing(fields.path("name"))
        call = next((call for call in reversed(calls.values()) if call.name == name), None)
        if call is None:
            raise BadRequest(
                f"'{fields.path('name')}' is {name!r}, but no message before it calls that function.",
                param=fields.path("name"),
            )
        id = call.id
    content = _read_content(fields)
    cache = read_cache_mark(fields)
    return ToolResult(id, content, name, False, call is not None and call.custom, cache, fields.rest())


def _read_content(fields: Fields) -> tuple[Part, ...]:
    content = fields.any("content")
    if is_list(content):
        param = fields.path("content")
        return tuple(_read_part(Fields(part, f"{param}[{index}]"), part) for index, part in enumerate(content))
    return (Text(content),) if content else ()


def _read_part(fields: Fields, part: dict[str, Any]) -> Part:
    kind = fields.needed_text("type")
    cache = read_cache_mark(fields)
    read: Part
    match kind:
        case "text":
            return Text(fields.needed_text("text"), cache, extra=fields.rest())
        case "refusal":
            return Refusal(fields.needed_text("refusal"))
        case "image_url":
            read = read_image(fields)
        case "input_audio":
            read = read_audio(fields)
        case "audio_url":
            read = read_audio_url(fields)
        case "video_url" | "video":
            read = read_video(fields, kind)
        case "file":
            read = read_file(fields)
        case _:
            return Opaque(OWN, kind, Raw(encode(part)))
    extra = fields.rest()
    return read if cache is None and not extra else structs.replace(read, cache=cache, extra=extra)


def _read_images(fields: Fields) -> list[Image]:
    """Read the pictures that a model drew earlier."""
    images: list[Image] = []
    for number, image in enumerate(fields.items("images") or ()):
        inner = Fields(image, f"{fields.path('images')}[{number}]")
        images.append(read_image(inner))
    return images


def _read_signature(fields: Fields) -> str:
    """Take Gemini's thought signature out of `extra_content.google`."""
    outer = fields.inner("extra_content")
    if outer is None:
        return ""
    signature: str | None = None
    if (google := outer.inner("google")) is not None:
        signature = google.text("thought_signature")
        outer.keep("google", google)
    fields.keep("extra_content", outer)
    return signature or ""


def _marked(parts: tuple[Part, ...], fields: Fields) -> tuple[Part, ...]:
    """Put a cache marker that stands on the message on its last part that can carry one."""
    mark = read_cache_mark(fields)
    if mark is None:
        return parts
    for index in range(len(parts) - 1, -1, -1):
        if hasattr(parts[index], "cache"):
            return (*parts[:index], structs.replace(parts[index], cache=mark), *parts[index + 1 :])
    return parts


def _legacy_id(index: int) -> str:
    return f"call_{index}"
