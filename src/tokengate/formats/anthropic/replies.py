"""Whole replies: read from the vendor, written for a client."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, assert_never

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import (
    NO_EXTRA,
    Audio,
    Citation,
    Data,
    Extra,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)
from tokengate.core.reply import Choice, Reply, SearchResult
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading
from tokengate.formats.anthropic.arguments import write_input
from tokengate.formats.anthropic.read_blocks import read_citation
from tokengate.formats.anthropic.signature import call_signature, unwrap, wrap, wrap_call
from tokengate.formats.anthropic.stops import read_stop, write_stop
from tokengate.formats.anthropic.types import NAME
from tokengate.formats.anthropic.usage import read_usage, write_usage

NONE = Raw(b"null")
_CALL_MEMBERS = frozenset({"type", "id", "name", "input"})
_SEARCHED = "web_search_tool_result"


class Block(Struct):
    """A content block of a reply, as far as it has words in the vocabulary."""

    type: str = ""
    text: str = ""
    citations: list[Raw] | None = None
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: Raw = NONE


def read_reply(body: bytes) -> Reply:
    """Read a whole reply. Raises UpstreamFailed when it is not one."""
    try:
        wire = _decode(body)
        blocks = [(_decode_block(raw), bytes(raw)) for raw in wire.content]
        parts = tuple(_parts(blocks))
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
    searched = [block for block in blocks if block[0].type == _SEARCHED]
    native = wire.stop_reason or ""
    usage = read_usage(bytes(wire.usage))
    return Reply(
        id=wire.id,
        model=wire.model,
        choices=(
            Choice(
                parts=parts,
                finish=read_stop(native) if native else None,
                native=native,
                stop_sequence=wire.stop_sequence,
            ),
        ),
        usage=usage,
        service_tier=service_tier_of(wire.usage),
        searches=tuple(number(page for block, raw in searched for page in searches_of(block.type, raw)))
        if searched
        else (),
        format=NAME,
    )


def write_reply(reply: Reply, heading: Heading) -> bytes:
    """Return a whole reply. A request of this format has one answer, so there is one choice."""
    choice = reply.choices[0] if reply.choices else Choice()
    usage = reply.usage.usage if reply.usage else Usage()
    parts = _with_sources(ending_in_words(choice.parts), reply.searches)
    own = reply.format == NAME
    message = write_message(heading, [block for part in parts for block in write_blocks(part, own=own)])
    refused = any(isinstance(part, Refusal) for part in parts)
    message["stop_reason"] = write_stop(choice.finish, choice.native, choice.stop_sequence, refused=refused)
    message["stop_sequence"] = choice.stop_sequence
    message["usage"] = write_usage(usage, reply.service_tier)
    return msgspec.json.encode(message)


def ending_in_words(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the parts without sealed thinking behind the last words: Gemini puts a signature there, which it does not
    ask for again, but programs made for Anthropic's API take the last block for the answer."""
    last = parts[-1] if parts else None
    if isinstance(last, Thinking) and last.redacted:
        said = any(isinstance(part, Text | Refusal) and part.text for part in parts)
        return parts[:-1] if said else parts
    return parts


def sources_of(searches: Iterable[SearchResult]) -> Iterator[Citation]:
    """Yield the pages of a search as sources of what was said."""
    return (Citation(url=page.url, title=page.title) for page in searches)


def write_message(heading: Heading, content: list[dict[str, Any] | Raw]) -> dict[str, Any]:
    """Return a message that says nothing yet of its end and its usage."""
    return {
        "id": f"msg_{heading.id}",
        "type": "message",
        "role": "assistant",
        "model": heading.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
    }


def write_blocks(part: Part, *, own: bool) -> Iterator[dict[str, Any] | Raw]:
    """Yield the content blocks that say a part of a reply; none for what has no words here, or says nothing. `own` says
    that the vendor spoke this format."""
    match part:
        case Text(text="", citations=()) | Refusal(text="") | Thinking(text="", signature="", id=""):
            return
        case Text():
            citations = [write_citation(citation) for citation in part.citations]
            yield {"type": "text", "text": part.text, "citations": citations or None}
        case Refusal():
            yield {"type": "text", "text": part.text, "citations": None}
        case Thinking(redacted=True):
            yield {"type": "redacted_thinking", "data": wrap(part)}
        case Thinking():
            yield {"type": "thinking", "thinking": part.text, "signature": wrap(part)}
        case ToolCall():
            if part.signature:
                yield {"type": "thinking", "thinking": "", "signature": wrap_call(part.signature)}
            call = {"type": "tool_use", "id": part.id, "name": part.name, "input": write_input(part.arguments)}
            yield {**part.extra, **call} if own else call
        case Image() | Audio():
            yield from write_media(part)
        case Opaque():
            if part.format == NAME:
                yield part.raw
        case File() | Video() | ToolResult():
            raise AssertionError("a reply holds no input")
        case _:
            assert_never(part)


def write_media(part: Image | Audio) -> Iterator[dict[str, Any]]:
    """Yield the block of a picture, as one is sent to a model, or of what was spoken. No model of Anthropic's makes
    either."""
    if isinstance(part, Audio):
        if part.transcript:
            yield {"type": "text", "text": part.transcript, "citations": None}
        return
    match part.source:
        case Data(media_type=media_type, base64=data):
            source = {"type": "base64", "media_type": media_type, "data": data}
        case Url(url=url):
            source = {"type": "url", "url": url}
        case FileId(id=file_id):
            source = {"type": "file", "file_id": file_id}
    yield {"type": "image", "source": source}


def write_citation(citation: Citation) -> dict[str, Any] | Raw:
    """Return a citation; a foreign one as a search result, whose empty index says that it is none of Anthropic's."""
    if citation.format == NAME and citation.raw is not None:
        return citation.raw
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "cited_text": citation.quote,
        "encrypted_index": "",
    }


def beside_call(raw: bytes) -> Extra:
    """Return the members of a tool call that nobody knows. Raises ValueError."""
    members = _decode_members(raw)
    if members.keys() <= _CALL_MEMBERS:
        return NO_EXTRA
    kept = {name: value for name, value in members.items() if name not in _CALL_MEMBERS and value != NONE}
    return {name: Raw(msgspec.json.encode(_decode_anything(value))) for name, value in kept.items()} or NO_EXTRA


def read_opaque(kind: str, raw: bytes) -> Opaque:
    """Return a block of the vendor's own, as compact JSON."""
    return Opaque(NAME, kind, Raw(msgspec.json.encode(_decode_anything(raw))))


def searches_of(kind: str, raw: bytes) -> Iterator[SearchResult]:
    """Yield the pages that a block says were found."""
    if kind != _SEARCHED:
        return
    try:
        results = _decode_results(raw).content
    except (ValueError, RecursionError):  # an error object, which is not a list
        return
    for result in results:
        if result.url:
            yield SearchResult(result.url, result.title)


def number(results: Iterator[SearchResult]) -> Iterator[SearchResult]:
    """Yield the pages with their places in the order in which they were found."""
    for index, result in enumerate(results, 1):
        yield msgspec.structs.replace(result, index=index)


def service_tier_of(usage: Raw) -> str | None:
    """Return the tier that a usage object names."""
    try:
        return _decode_tier(usage).service_tier
    except (ValueError, RecursionError):
        return None


def thinking_of(block: Block) -> Thinking:
    """Return what a vendor of this format thought."""
    if block.type == "redacted_thinking":
        return unwrap("", block.data, redacted=True)
    return unwrap(block.thinking, block.signature)


def _with_sources(parts: tuple[Part, ...], searches: tuple[SearchResult, ...]) -> Sequence[Part]:
    """Return the parts; the last text has the pages of a search that nothing else in the reply names."""
    told = any(isinstance(part, Opaque) or (isinstance(part, Text) and part.citations) for part in parts)
    texts = [place for place, part in enumerate(parts) if isinstance(part, Text) and part.text]
    if told or not searches or not texts:
        return parts
    last = parts[texts[-1]]
    assert isinstance(last, Text)
    cited = msgspec.structs.replace(last, citations=tuple(sources_of(searches)))
    return (*parts[: texts[-1]], cited, *parts[texts[-1] + 1 :])


class _Reply(Struct):
    content: list[Raw]
    id: str = ""
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Raw = NONE


class _Result(Struct):
    url: str = ""
    title: str = ""


class _Results(Struct):
    content: list[_Result]


class _Tier(Struct):
    service_tier: str | None = None


_decode = msgspec.json.Decoder(_Reply).decode
_decode_block = msgspec.json.Decoder(Block).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_anything = msgspec.json.Decoder().decode
_decode_results = msgspec.json.Decoder(_Results).decode
_decode_tier = msgspec.json.Decoder(_Tier).decode


def _parts(blocks: list[tuple[Block, bytes]]) -> Iterator[Part]:
    signature = ""
    for block, raw in blocks:
        match block.type:
            case "text":
                yield Text(block.text, citations=tuple(read_citation(citation) for citation in block.citations or ()))
            case "thinking" | "redacted_thinking":
                proof = call_signature(block.thinking, block.signature)
                if proof is None:
                    yield thinking_of(block)
                else:
                    signature = proof
            case "tool_use":
                arguments = "{}" if bytes(block.input) == b"null" else str(bytes(block.input), "utf-8")
                yield ToolCall(block.id, block.name, arguments, signature, extra=beside_call(raw))
                signature = ""
            case _:
                yield read_opaque(block.type, raw)
