"""Whole replies in OpenAI's chat format, read into the vocabulary.

Vendors differ in what they leave out and in how they write it; whatever cannot be understood says nothing.
"""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import NO_EXTRA, Audio, Citation, Extra, Image, Part, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import Choice, FinishReason, Reply
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
from tokengate.formats.openai.shapes import is_list, is_object
from tokengate.formats.openai.think_text import ThinkText
from tokengate.formats.openai.thoughts import OWN, read_thoughts
from tokengate.formats.openai.usage import read_usage


def read_reply(body: bytes, dialect: Dialect) -> Reply:
    """Read the reply of a chat completion. Raises UpstreamFailed when it is none, or says that the vendor gave up."""
    try:
        value: Any = _decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    if not is_object(value) or not is_list(value.get("choices")):
        raise UpstreamFailed("The upstream's reply is not a chat completion.", kind="invalid")
    id = text_in(value, "id")
    choices = tuple(_read_choice(choice, index, id, dialect) for index, choice in enumerate(objects(value["choices"])))
    for choice in choices:
        if choice.finish is FinishReason.ERROR:
            raise gave_up(choice.native)
    usage = value.get("usage")
    return Reply(
        id=id,
        model=text_in(value, "model"),
        created_s=integer_in(value, "created"),
        choices=choices,
        usage=read_usage(encode(usage), reasoning_outside=dialect.reasoning_outside) if is_object(usage) else None,
        service_tier=text_in(value, "service_tier") or None,
        system_fingerprint=text_in(value, "system_fingerprint") or None,
        searches=read_searches(value),
        format=OWN,
        extra=beside(value),
    )


def gave_up(word: str) -> UpstreamFailed:
    """Return the failure of a vendor whose finish reason says that it could not go on."""
    return UpstreamFailed(f"The upstream gave up: {word}.", kind="status")


def read_tool_call(call: dict[str, Any], index: int, reply_id: str) -> ToolCall:
    """Return a call of a tool; one without an id gets one that is the same whenever it is read."""
    kind = "custom" if is_object(call.get("custom")) else "function"
    inner = call.get(kind)
    fields = inner if is_object(inner) else _NOTHING
    arguments = fields.get("input" if kind == "custom" else "arguments")
    if is_object(arguments):  # Ollama's own shape
        arguments = encode(arguments).decode()
    return ToolCall(
        text_in(call, "id") or made_id(reply_id, index),
        text_in(fields, "name"),
        arguments if type(arguments) is str else "",
        read_signature(call),
        kind == "custom",
        extra=_beside_call(call, kind, fields),
    )


def made_id(reply_id: str, index: int) -> str:
    """Return the id of a tool call to which the vendor gave none."""
    known = "".join(letter for letter in reply_id if letter.isascii() and letter.isalnum())[-24:]
    return f"call_{known}_{index}" if known else f"call_{index}"


def read_signature(call: dict[str, Any]) -> str:
    """Return the thought signature of a tool call, where Google's compatible endpoint puts it."""
    outer = call.get("extra_content")
    google = outer.get("google") if is_object(outer) else None
    return text_in(google, "thought_signature") if is_object(google) else ""


def native_word(choice: dict[str, Any]) -> str:
    """Return the vendor's own word for why it stopped."""
    return text_in(choice, "native_finish_reason") or text_in(choice, "finish_reason")


def stop_sequence(choice: dict[str, Any]) -> str | None:
    """Return the stop sequence that matched, where vLLM and SGLang tell it."""
    return text_in(choice, "stop_reason") or text_in(choice, "matched_stop") or None


def beside(value: dict[str, Any]) -> Extra:
    """Return the members of a reply, or of a stream's chunk, that nobody knows."""
    return _rest(value, _REPLY_MEMBERS)


def beside_choice(choice: dict[str, Any], message: dict[str, Any]) -> Extra:
    """Return the members of a choice that nobody knows, with those of its message, or of its piece of one."""
    extra = _rest(choice, _CHOICE_MEMBERS)
    inside = _rest(message, _MESSAGE_MEMBERS)
    return {**extra, "message": Raw(encode(inside))} if inside else extra


_decode = msgspec.json.Decoder().decode
_NOTHING: dict[str, Any] = {}

_REPLY_MEMBERS = frozenset(
    {"id", "object", "model", "created", "choices", "usage", "error"}
    | {"service_tier", "system_fingerprint", "search_info"}
)
_CHOICE_MEMBERS = frozenset(
    {"index", "message", "delta", "finish_reason", "native_finish_reason", "logprobs", "stop_reason", "matched_stop"}
)
_CALL_MEMBERS = frozenset({"index", "id", "type", "function", "custom", "extra_content"})
_FUNCTION_MEMBERS = frozenset({"name", "arguments", "input"})
_MESSAGE_MEMBERS = frozenset(
    {
        "role",
        "content",
        "refusal",
        "annotations",
        "audio",
        "images",
        "tool_calls",
        "function_call",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
    }
)


def _beside_call(call: dict[str, Any], kind: str, inner: dict[str, Any]) -> Extra:
    """Return the members of a tool call that nobody knows, with those of the function in it."""
    extra = dict(_rest(call, _CALL_MEMBERS))
    if inside := _rest(inner, _FUNCTION_MEMBERS):
        extra[kind] = Raw(encode(inside))
    outer = call.get("extra_content")
    if is_object(outer) and (rest := _without_signature(outer)):
        extra["extra_content"] = Raw(encode(rest))
    return extra or NO_EXTRA


def _without_signature(content: dict[str, Any]) -> dict[str, Any]:
    """Return what is in `extra_content` beside Google's thought signature."""
    google = content.get("google")
    if not is_object(google):
        return content
    rest = {name: value for name, value in google.items() if name != "thought_signature"}
    others = {name: value for name, value in content.items() if name != "google"}
    return {**others, "google": rest} if rest else others


def _read_choice(choice: dict[str, Any], index: int, reply_id: str, dialect: Dialect) -> Choice:
    message = choice.get("message")
    fields = message if is_object(message) else _NOTHING
    parts = _read_message(fields, reply_id, dialect)
    called = any(isinstance(part, ToolCall) for part in parts)
    return Choice(
        index=integer_in(choice, "index", index),
        parts=parts,
        finish=read_finish(choice.get("finish_reason"), dialect.finish_reasons, called=called),
        native=native_word(choice),
        stop_sequence=stop_sequence(choice),
        logprobs=read_logprobs(choice.get("logprobs")) or None,
        extra=beside_choice(choice, fields),
    )


def _read_message(message: dict[str, Any], reply_id: str, dialect: Dialect) -> tuple[Part, ...]:
    parts: list[Part] = list(read_thoughts(message))
    text = content_text(message.get("content"))
    if dialect.think_text and text:
        thought, text = _told_apart(text)
        if thought and not parts:
            parts.append(Thinking(thought))
    citations = read_annotations(message.get("annotations"))
    parts += _said(text, citations)
    if refusal := text_in(message, "refusal"):
        parts.append(Refusal(refusal))
    sound: Audio | None = read_sound(message.get("audio"))
    if sound is not None:
        parts.append(sound)
    images: tuple[Image, ...] = read_images(message)
    parts += images
    calls = objects(message.get("tool_calls"))
    parts += [read_tool_call(call, number, reply_id) for number, call in enumerate(calls)]
    legacy = message.get("function_call")
    if is_object(legacy) and not calls:
        parts.append(read_tool_call({"function": legacy}, 0, reply_id))
    return tuple(parts)


def _said(text: str, citations: tuple[Citation, ...]) -> list[Part]:
    return [Text(text, citations=citations)] if text or citations else []


def _told_apart(text: str) -> tuple[str, str]:
    """Return what of a text was thought and what was said."""
    splitter = ThinkText()
    told = [*splitter.feed(text), *splitter.close()]
    return (
        "".join(piece.text for piece in told if piece.thought),
        "".join(piece.text for piece in told if not piece.thought),
    )


def _rest(value: dict[str, Any], known: frozenset[str]) -> Extra:
    if value.keys() <= known:
        return NO_EXTRA
    return {name: Raw(encode(item)) for name, item in value.items() if name not in known and item is not None}
