"""Content blocks of a request, read into parts. A block whose type is not here stays whole, as an `Opaque` part."""

import base64
from collections.abc import Callable
from typing import Any, TypeVar, assert_never

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest
from tokengate.core.parts import (
    NO_EXTRA,
    CacheMark,
    Citation,
    Data,
    Extra,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from tokengate.formats.anthropic import types
from tokengate.formats.anthropic.refusal import read
from tokengate.formats.anthropic.signature import call_signature, unwrap
from tokengate.formats.anthropic.types import NAME


def read_content(content: str | list[Raw] | None, at: str, refused: frozenset[str] = frozenset()) -> tuple[Part, ...]:
    """Return the parts of a message or a tool's result; `at` is where its content stands. Raises BadRequest.

    `refused` are the kinds of block that may not stand there.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    parts: list[Part] = []
    signature = ""
    for index, raw in enumerate(content):
        part = _read_block(bytes(raw), f"{at}.{index}", refused)
        match part:
            case _CallSignature():
                signature = part.signature
                continue
            case ToolCall() if signature:
                part, signature = msgspec.structs.replace(part, signature=signature), ""
            case _:
                pass
        parts.append(part)
    return tuple(parts)


def read_texts(content: str | list[Raw], at: str) -> tuple[Part, ...]:
    """Return the parts of a system prompt, which holds only text. Raises BadRequest."""
    parts = read_content(content, at, _NOT_TEXT)
    for index, part in enumerate(parts):
        if isinstance(part, Opaque):
            raise BadRequest(f"'{at}.{index}' must be a text block.", param=f"{at}.{index}")
    return parts


def cache_mark(control: types.CacheControl | None) -> CacheMark | None:
    """Return a cache marker of the request."""
    return None if control is None else CacheMark(control.ttl or "5m")


def read_citation(raw: Raw) -> Citation:
    """Return a citation; one that this format was only lent to say keeps no bytes of it. Raises ValueError."""
    wire = _decode_citation(raw)
    own = wire.type != "web_search_result_location" or wire.encrypted_index != ""
    return Citation(
        url=wire.url or wire.source or "",
        title=wire.title or wire.document_title or "",
        quote=wire.cited_text or "",
        format=NAME if own else "",
        raw=Raw(msgspec.json.encode(_decode_anything(raw))) if own else None,
    )


def unknown_members(raw: bytes, known: frozenset[str], at: str) -> Extra:
    """Return the members of a JSON object that have no word in the vocabulary, nulls left out. Raises BadRequest."""
    members = read(_decode_members, raw, at)
    if members.keys() <= known:
        return NO_EXTRA
    return {
        name: Raw(bytes(value)) for name, value in members.items() if name not in known and bytes(value) != b"null"
    } or NO_EXTRA


class _CallSignature(Struct, frozen=True):
    """Belongs to the tool call that follows."""

    signature: str


class _Typed(Struct):
    type: str


def _read_block(raw: bytes, at: str, refused: frozenset[str]) -> Part | _CallSignature:
    kind = read(_decode_type, raw, at).type
    if kind in refused:
        raise BadRequest(f"'{at}' may not be a {kind} block.", param=at)
    reader = _READERS.get(kind)
    if reader is None:
        read(_decode_anything, raw, at)
        return Opaque(NAME, kind, Raw(raw))
    return reader(raw, at)


def _text(raw: bytes, at: str) -> Part:
    wire = read(_decode_text, raw, at)
    citations = tuple(
        read(lambda raw: read_citation(Raw(raw)), bytes(citation), f"{at}.citations.{index}")
        for index, citation in enumerate(wire.citations or ())
    )
    return Text(wire.text, cache_mark(wire.cache_control), citations, unknown_members(raw, _TEXT, at))


def _image(raw: bytes, at: str) -> Part:
    wire = read(_decode_image, raw, at)
    return Image(
        _source(wire.source),
        cache=cache_mark(wire.cache_control),
        extra=unknown_members(raw, _IMAGE, at),
    )


def _document(raw: bytes, at: str) -> Part:
    wire = read(_decode_document, raw, at)
    match wire.source:
        case types.ContentSource():
            read(_decode_anything, raw, at)
            return Opaque(NAME, "document", Raw(raw))
        case types.TextSource(data=text):
            source = Data("text/plain", base64.b64encode(text.encode()).decode())
        case other:
            source = _source(other)
    return File(
        source,
        title=wire.title or "",
        context=wire.context or "",
        citations=wire.citations is not None and wire.citations.enabled,
        cache=cache_mark(wire.cache_control),
        extra=unknown_members(raw, _DOCUMENT, at),
    )


def _source(source: types.Base64Source | types.UrlSource | types.FileSource) -> Source:
    match source:
        case types.Base64Source():
            return Data(source.media_type, source.data)
        case types.UrlSource():
            return Url(source.url)
        case types.FileSource():
            return FileId(source.file_id)
        case _:
            assert_never(source)


def _thinking(raw: bytes, at: str) -> Part | _CallSignature:
    wire = read(_decode_thinking, raw, at)
    signature = call_signature(wire.thinking, wire.signature)
    return unwrap(wire.thinking, wire.signature) if signature is None else _CallSignature(signature)


def _redacted(raw: bytes, at: str) -> Part:
    return unwrap("", read(_decode_redacted, raw, at).data, redacted=True)


def _tool_use(raw: bytes, at: str) -> Part:
    wire = read(_decode_tool_use, raw, at)
    read(_decode_members, wire.input, f"{at}.input")
    return ToolCall(
        wire.id,
        wire.name,
        _string(wire.input, f"{at}.input"),
        cache=cache_mark(wire.cache_control),
        extra=unknown_members(raw, _TOOL_USE, at),
    )


def _tool_result(raw: bytes, at: str) -> Part:
    wire = read(_decode_tool_result, raw, at)
    return ToolResult(
        wire.tool_use_id,
        read_content(wire.content, f"{at}.content", _NOT_IN_RESULTS),
        is_error=wire.is_error is True,
        cache=cache_mark(wire.cache_control),
        extra=unknown_members(raw, _TOOL_RESULT, at),
    )


def _string(raw: Raw, at: str) -> str:
    return read(lambda value: str(value, "utf-8"), bytes(raw), at)


Wire = TypeVar("Wire", bound=Struct)


def _decoder(kind: type[Wire]) -> tuple[Callable[[bytes | Raw], Wire], frozenset[str]]:
    return msgspec.json.Decoder(kind).decode, frozenset((*kind.__struct_encode_fields__, "type"))


_decode_type = msgspec.json.Decoder(_Typed).decode
_decode_anything = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_citation = msgspec.json.Decoder(types.Citation).decode
_decode_text, _TEXT = _decoder(types.TextBlock)
_decode_image, _IMAGE = _decoder(types.ImageBlock)
_decode_document, _DOCUMENT = _decoder(types.DocumentBlock)
_decode_thinking, _ = _decoder(types.ThinkingBlock)
_decode_redacted, _ = _decoder(types.RedactedThinkingBlock)
_decode_tool_use, _TOOL_USE = _decoder(types.ToolUseBlock)
_decode_tool_result, _TOOL_RESULT = _decoder(types.ToolResultBlock)

_NOT_IN_RESULTS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})

_NOT_TEXT = frozenset({*_NOT_IN_RESULTS, "image", "document"})

_Reader = Callable[[bytes, str], Any]
_READERS: dict[str, _Reader] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
