"""A whole reply of text or multimodal generation, read.

`{"output": {"choices" | "text", …}, "usage", "request_id"}`. Readers of other vendors' replies are forgiving: what is
missing or null is left out, what is unknown is kept in `extra`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.fold import finish_of
from tokengate.core.parts import Extra, Image, Opaque, Part, Text, Thinking, ToolCall
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult, TokenLogprob, TopLogprob
from tokengate.formats.dashscope.content import NAME, read_source
from tokengate.formats.dashscope.messages import read_signature, write_signature
from tokengate.formats.dashscope.shapes import NULL, decode_anything, decode_object, encode, is_null, is_object, others
from tokengate.formats.dashscope.usage import read_usage


class WireFunction(Struct):
    name: str | None = None
    arguments: Any = None


class WireCall(Struct):
    id: str | None = None
    index: int | None = None
    function: WireFunction | None = None
    extra_content: Raw = NULL


class WireMessage(Struct):
    content: Raw = NULL
    role: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Raw] | None = None


class WireTop(Struct):
    token: str = ""
    logprob: float = 0.0
    bytes: tuple[int, ...] | None = None


class WireLogprob(WireTop):
    top_logprobs: list[WireTop] | None = None


class WireLogprobs(Struct):
    content: list[WireLogprob] | None = None


class WireChoice(Struct):
    message: WireMessage | None = None
    finish_reason: str | None = None
    index: int | None = None
    logprobs: WireLogprobs | None = None


class WireSearchResult(Struct):
    url: str | None = None
    title: str | None = None
    site_name: str | None = None
    icon: str | None = None
    index: int | None = None


class WireSearch(Struct):
    search_results: list[WireSearchResult] | None = None


class WireOutput(Struct):
    choices: list[Raw] | None = None
    text: str | None = None
    finish_reason: str | None = None
    search_info: WireSearch | None = None


class WireHead(Struct):
    """What is around the output, in whole replies and in events."""

    output: Raw = NULL
    usage: Raw = NULL
    request_id: str | None = None
    code: Any = None
    message: Any = None


_decode = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(WireOutput).decode
_decode_choice = msgspec.json.Decoder(WireChoice).decode
_decode_call = msgspec.json.Decoder(WireCall).decode

_OUTPUT = frozenset(WireOutput.__struct_fields__)
_CHOICE = frozenset(WireChoice.__struct_fields__)
_MESSAGE = frozenset(WireMessage.__struct_fields__)
_CALL = frozenset({"id", "index", "type", "function"})
_FUNCTION = frozenset(WireFunction.__struct_fields__)
_TEXT = frozenset({"text", "type"})

_REASONS = {
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}


def read_reply(body: bytes) -> Reply:
    """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200."""
    try:
        wire = _decode(body)
        if wire.code or is_null(wire.output):
            raise UpstreamFailed(error_message(wire.message), kind="invalid")
        output = _decode_output(wire.output)
        extra = beside(wire.output)
        choices = _read_choices(output)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    return Reply(
        id=wire.request_id or "",
        choices=choices,
        usage=None if is_null(wire.usage) else read_usage(bytes(wire.usage)),
        searches=read_searches(output.search_info),
        format=NAME,
        extra=extra,
    )


def beside(output: Raw) -> Extra:
    """Return the members of an output that nobody knows. Raises ValueError."""
    return others(decode_object(output), _OUTPUT)


def read_choice(raw: Raw) -> tuple[WireChoice, Extra]:
    """Return a choice, and the members of it and of its message that nobody knows. Raises ValueError."""
    return _decode_choice(raw), _beside(raw, _CHOICE, "message", _MESSAGE)


def read_call(raw: Raw) -> tuple[WireCall, Extra]:
    """Return a tool call, and the members of it and of its function that nobody knows. Raises ValueError."""
    call = _decode_call(raw)
    known = write_signature(read_signature(call.extra_content))
    extra = _beside(raw, _CALL, "function", _FUNCTION)
    return call, {name: value for name, value in extra.items() if decode_anything(value) != known.get(name)}


def error_message(message: Any) -> str:
    """Return what a vendor's error says."""
    return message if type(message) is str and message else "The upstream sent an error."


def read_finish(reason: str | None, parts: Sequence[Part]) -> FinishReason | None:
    """Return why a choice ended. While it goes on the reason is null, or the string "null"."""
    if reason is None or reason == "null":
        return None
    return _REASONS.get(reason) or finish_of(tuple(parts))


def read_searches(search: WireSearch | None) -> tuple[SearchResult, ...]:
    """Return the pages that a search found."""
    return tuple(
        SearchResult(found.url or "", found.title or "", found.site_name or "", found.icon or "", found.index or 0)
        for found in (search.search_results if search else None) or ()
    )


def read_logprobs(logprobs: WireLogprobs | None) -> tuple[TokenLogprob, ...]:
    """Return the tokens of an answer with how likely they were."""
    return tuple(
        TokenLogprob(
            token.token,
            token.logprob,
            token.bytes,
            tuple(TopLogprob(top.token, top.logprob, top.bytes) for top in token.top_logprobs or ()),
        )
        for token in (logprobs.content if logprobs else None) or ()
    )


def read_content(content: Raw) -> list[Text | Image | Opaque]:
    """Return what a message says, empty entries too: their places count. Raises msgspec.ValidationError."""
    value: Any = decode_anything(content)
    if value is None:
        return []
    if type(value) is str:
        return [Text(value)]
    return [_read_entry(raw) for raw in _decode_list(content)]


def read_arguments(function: WireFunction | None) -> str:
    """Return a call's arguments as JSON text, which they should be already."""
    arguments = None if function is None else function.arguments
    if arguments is None:
        return ""
    return arguments if type(arguments) is str else encode(arguments).decode()


_decode_list = msgspec.json.Decoder(list[Raw]).decode


def _read_choices(output: WireOutput) -> tuple[Choice, ...]:
    if output.choices is None:
        if output.text is None:
            return ()
        parts = (Text(output.text),) if output.text else ()
        reason = output.finish_reason
        return (Choice(parts=parts, finish=read_finish(reason, parts), native=_native(reason)),)
    return tuple(_read_choice(place, choice) for place, choice in enumerate(output.choices))


def _read_choice(place: int, raw: Raw) -> Choice:
    wire, extra = read_choice(raw)
    parts = _read_message(wire.message) if wire.message else ()
    logprobs = read_logprobs(wire.logprobs)
    return Choice(
        index=place if wire.index is None else wire.index,
        parts=parts,
        finish=read_finish(wire.finish_reason, parts),
        native=_native(wire.finish_reason),
        logprobs=logprobs or None,
        extra=extra,
    )


def _read_message(wire: WireMessage) -> tuple[Part, ...]:
    thinking = (Thinking(wire.reasoning_content),) if wire.reasoning_content else ()
    said = [part for part in read_content(wire.content) if not isinstance(part, Text) or part.text or part.extra]
    calls = [
        ToolCall(
            call.id or "",
            (call.function.name if call.function else None) or "",
            read_arguments(call.function),
            read_signature(call.extra_content),
            extra=extra,
        )
        for call, extra in map(read_call, wire.tool_calls or ())
    ]
    return (*thinking, *said, *calls)


def _read_entry(raw: Raw) -> Text | Image | Opaque:
    value: Any = decode_anything(raw)
    if is_object(value):
        if type(value.get("text")) is str:
            return Text(value["text"], extra=others(decode_object(raw), _TEXT))
        if type(value.get("image")) is str:
            return Image(read_source(value["image"]))
        kind = next(iter(value), "")
        return Opaque(NAME, kind, Raw(bytes(raw)))
    raise msgspec.ValidationError("an entry of a content list is no object")


def _beside(raw: Raw, known: frozenset[str], inner: str, known_inside: frozenset[str]) -> Extra:
    """Return the members of an object that nobody knows, with those of the object in its member `inner`."""
    members = decode_object(raw)
    extra = others(members, known)
    inside = members.get(inner, NULL)
    if not is_null(inside) and (more := others(decode_object(inside), known_inside)):
        extra[inner] = Raw(encode(more))
    return extra


def _native(reason: str | None) -> str:
    return "" if reason is None or reason == "null" else reason
