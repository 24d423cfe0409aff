"""Parts of a conversation, written as content blocks for the vendor."""

import base64
import hashlib
import re
from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.parts import (
    Audio,
    CacheMark,
    Citation,
    Data,
    Extra,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.anthropic.arguments import write_input
from tokengate.formats.anthropic.replies import write_citation
from tokengate.formats.anthropic.types import IMAGE_TYPES, NAME

Block = dict[str, Any]

_is_call_id = re.compile(r"[a-zA-Z0-9_-]+", re.ASCII).fullmatch
_not_in_call_id = re.compile(r"[^a-zA-Z0-9_-]", re.ASCII).sub
_data_uri = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,", re.ASCII | re.IGNORECASE).match

_MAX_ID = 40  # characters of a foreign id that are kept in front of its digest


class BlockWriter:
    """Writes the parts of one request. `own` says that the caller spoke this format, whose members go back as they
    came."""

    __slots__ = ("_losses", "_own")

    def __init__(self, losses: Losses, *, own: bool) -> None:
        self._losses = losses
        self._own = own

    def write(self, parts: tuple[Part, ...], *, said: bool = False) -> list[Block | Raw]:
        """Return the blocks of a message; `said` by a model, or for it. Raises Unsupported."""
        blocks: list[Block | Raw] = []
        for part in parts:
            block = self._text(part) if type(part) is Text else self._block(part, said=said)
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self, part: Part, *, said: bool) -> Block | Raw | None:
        match part:
            case Text():
                return self._text(part)
            case Refusal():
                return self._text(Text(part.text))
            case Image():
                return self._image(part)
            case File():
                return self._document(part)
            case ToolCall():
                return self._tool_use(part)
            case ToolResult():
                return self._tool_result(part)
            case Thinking():
                return self._thinking(part)
            case Opaque(format=format, raw=raw) if format == NAME:
                return raw
            case Opaque() if said:
                self._losses.drop(part.kind)  # a tool that its own vendor ran; the text says what came of it
                return None
            case Audio() | Video() | Opaque():
                raise self._losses.refuse(part.kind if isinstance(part, Opaque) else type(part).__name__.lower())
            case _:
                assert_never(part)

    def _text(self, part: Text) -> Block | None:
        if not part.text.strip() and not self._own:
            return None  # it would be refused, and says nothing
        block: Block = {"type": "text", "text": part.text}
        if part.citations:
            self._cite(block, part.citations)
        return self._marked(block, part.cache, part.extra)

    def _cite(self, block: Block, given: tuple[Citation, ...]) -> None:
        citations = [write_citation(one) for one in given if one.format == NAME and one.raw is not None]
        if citations:
            block["citations"] = citations
        if len(citations) < len(given):
            self._losses.drop("citations")

    def _image(self, part: Image) -> Block:
        for word in ("detail", "min_pixels", "max_pixels"):
            if getattr(part, word) not in (None, "auto"):
                self._losses.drop(word)
        block: Block = {"type": "image", "source": self._image_source(part.source)}
        return self._marked(block, part.cache, part.extra)

    def _thinking(self, part: Thinking) -> Block | None:
        """Return thinking that the vendor can verify; other vendors' would be refused."""
        if part.format != NAME or not part.signature:
            self._losses.drop("thinking")
            return None
        if part.redacted:
            return {"type": "redacted_thinking", "data": part.signature}
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}

    def _tool_use(self, part: ToolCall) -> Block:
        arguments = write_input(part.arguments)
        block: Block = {"type": "tool_use", "id": self._call_id(part.id), "name": part.name, "input": arguments}
        return self._marked(block, part.cache, part.extra)

    def _tool_result(self, part: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self._call_id(part.call_id)}
        match part.content:
            case ():
                pass
            case (Text(text=text, cache=None, citations=()) as only,) if not only.extra:
                block["content"] = text
            case _:
                block["content"] = self.write(part.content)
        if part.is_error:
            block["is_error"] = True
        return self._marked(block, part.cache, part.extra)

    def _document(self, part: File) -> Block:
        block: Block = {"type": "document", "source": self._file_source(part.source)}
        if part.title or part.name:
            block["title"] = part.title or part.name
        if part.context:
            block["context"] = part.context
        if part.citations:
            block["citations"] = {"enabled": True}
        return self._marked(block, part.cache, part.extra)

    def _image_source(self, source: Source) -> Block:
        match _without_uri(source):
            case Data(media_type=media_type, base64=data):
                media_type = "image/jpeg" if media_type == "image/jpg" else media_type
                if media_type not in IMAGE_TYPES and not self._own:
                    raise self._losses.refuse(
                        "image", f"must be a JPEG, PNG, GIF or WebP, not {media_type or 'unknown'}"
                    )
                return {"type": "base64", "media_type": media_type, "data": data}
            case other:
                return self._address(other, "image")

    def _file_source(self, source: Source) -> Block:
        match _without_uri(source):
            case Data(media_type="application/pdf", base64=data):
                return {"type": "base64", "media_type": "application/pdf", "data": data}
            case Data(media_type=media_type, base64=data):
                text = _text_in(data) if media_type.startswith("text/") else None
                if text is None:
                    raise self._losses.refuse("file", f"must be a PDF or plain text, not {media_type or 'unknown'}")
                return {"type": "text", "media_type": "text/plain", "data": text}
            case other:
                return self._address(other, "file")

    def _address(self, source: Url | FileId, word: str) -> Block:
        match source:
            case Url(url=url):
                if not self._own and not url.lower().startswith(("https://", "http://")):
                    raise self._losses.refuse(word, "must be at an http address or inside the request")
                return {"type": "url", "url": url}
            case FileId(id=file_id):
                if not self._own:
                    raise self._losses.refuse(word, "was uploaded elsewhere, where this backend cannot read it")
                return {"type": "file", "file_id": file_id}

    def _marked(self, block: Block, cache: CacheMark | None, extra: Extra) -> Block:
        """Return the block with its cache marker and with what only this format knows."""
        if cache is not None:
            block["cache_control"] = write_cache(cache)
        for name, value in extra.items():
            if self._own:
                block[name] = value
            else:
                self._losses.drop(name)
        return block

    def _call_id(self, call_id: str) -> str:
        """Return the id of a tool call in the letters that the vendor allows; the same for a call and its result."""
        if self._own or _is_call_id(call_id):
            return call_id
        digest = hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:16]
        return f"{_not_in_call_id('_', call_id[:_MAX_ID])}_{digest}"


def write_cache(cache: CacheMark) -> Block:
    """Return a cache marker; five minutes are what it means without a word."""
    return {"type": "ephemeral"} if cache.ttl == "5m" else {"type": "ephemeral", "ttl": cache.ttl}


def _without_uri(source: Source) -> Source:
    """Return what a data URI holds; any other source as it is."""
    if isinstance(source, Url) and (head := _data_uri(source.url)):
        return Data(head[1] or "text/plain", source.url[head.end() :])
    return source


def _text_in(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
