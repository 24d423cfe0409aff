"""What a vendor answers: output items and the object around them, read into the vocabulary."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.fold import finish_of
from tokengate.core.parts import NO_EXTRA, Extra, Opaque, Part, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult, TokenLogprob, TopLogprob
from tokengate.core.usage import ReportedUsage
from tokengate.formats.responses.beside import (
    beside,
    beside_call,
    beside_content,
    beside_message,
    beside_reasoning,
    has_strangers,
)
from tokengate.formats.responses.citations import read_citation
from tokengate.formats.responses.read_items import thoughts
from tokengate.formats.responses.signature import call_signature
from tokengate.formats.responses.types import NAME, NONE, ReasoningItem
from tokengate.formats.responses.usage import read_usage

T = TypeVar("T")


class Error(Struct):
    """An error object, inside a reply or as a stream's last event."""

    code: Any = None
    message: Any = None


class Content(Struct):
    """A part of a message's content."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[Raw] | None = None
    logprobs: list[Raw] | None = None


class Item(Struct):
    """An output item, as far as the vocabulary has words for it."""

    type: str = ""
    id: str | None = None
    content: Raw = NONE  # of a message, or of reasoning
    phase: str | None = None
    summary: Raw = NONE
    encrypted_content: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Any = None
    input: Any = None

    @property
    def is_call(self) -> bool:
        """Whether it asks for a function or a custom tool of the caller's."""
        return self.type in _CALLS and self.namespace is None


class Response(Struct):
    """The object around the output."""

    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    service_tier: str | None = None
    output: list[Raw] | None = None
    usage: Raw = NONE
    tool_usage: Raw = NONE
    error: Raw = NONE
    incomplete_details: Raw = NONE


def read_reply(body: bytes) -> Reply:
    """Read a whole reply. Raises UpstreamFailed when it is not one, or failed: then its provider reads the error."""
    response = decode(decode_response, body)
    if response.error != NONE or response.status in _FAILED:
        message, error = error_of(response.error)
        raise UpstreamFailed(message, kind="status", body=str(bytes(error), "utf-8", "replace"))
    if response.output is None:
        raise invalid()
    parts: list[Part] = []
    logprobs: list[TokenLogprob] = []
    signature = ""  # of the call that comes next
    before = Item()
    for raw in response.output:
        item = decode(decode_item, raw)
        parts.extend(read_item(item, raw, signature, before))
        logprobs.extend(_logprobs_of(item))
        signature = signature_after(item, signature)
        before = item
    finish, native = finish_read(response, tuple(parts))
    return Reply(
        id=response.id or "",
        model=response.model or "",
        created_s=int(response.created_at or 0),
        choices=(
            Choice(parts=tuple(parts), finish=finish, native=native, logprobs=tuple(logprobs) if logprobs else None),
        ),
        usage=usage_of(response),
        service_tier=response.service_tier,
        searches=pages_found(response),
        format=NAME,
        extra=decode(beside, body),
    )


def read_item(item: Item, raw: Raw, signature: str, before: Item) -> list[Part]:
    """Return the parts of an output item; `signature` is that of a call. Raises UpstreamFailed."""
    extra = beside_item(item, raw)
    if item.type == "message":
        said = (_content(content, more, item.phase or "") for content, more in contents(item))
        parts = [part for part in said if part is not None]
        if not parts:
            return [Opaque(NAME, item.type, raw)] if decode(has_strangers, raw) else []
        if isinstance(parts[0], Text) and before.type == item.type and (before.phase or "") == parts[0].phase:
            parts[0] = replace(parts[0], apart=True)
    elif item.type == "reasoning":
        parts = read_thoughts(item, raw)
    elif item.is_call:
        parts = [call_of(item, signature)]
    else:
        return [Opaque(NAME, item.type, raw)]
    return [replace(part, extra={**part.extra, **extra}) if extra and not at else part for at, part in enumerate(parts)]


def beside_item(item: Item, raw: Raw) -> Extra:
    """Return the members of an item that nobody knows, which its first part has. Raises UpstreamFailed."""
    if item.is_call:
        return decode(beside_call, raw)
    match item.type:
        case "message":
            return decode(beside_message, raw)
        case "reasoning":
            return decode(beside_reasoning, raw)
        case _:
            return NO_EXTRA


def read_thoughts(item: Item, raw: Raw) -> list[Thinking]:
    """Return what a reasoning item says, which may be nothing; none for one that only carries a call's signature."""
    if call_signature(item.encrypted_content or "") is not None:
        return []
    return thoughts(decode(_decode_reasoning, raw)) or [Thinking("")]


def signature_after(item: Item, signature: str) -> str:
    """Return the signature of the first call after an item; `signature` is that of the first call from it on."""
    if item.type == "reasoning":
        return call_signature(item.encrypted_content or "") or signature
    return "" if item.is_call else signature


def call_of(item: Item, signature: str = "") -> ToolCall:
    """Return the call that an item asks for."""
    custom = item.type == "custom_tool_call"
    arguments = item.input if custom else item.arguments
    text = arguments if isinstance(arguments, str) else ""
    return ToolCall(item.call_id or item.id or "", item.name or "", text, signature, custom)


def contents(item: Item) -> list[tuple[Content, Extra]]:
    """Return the content parts of a message, with members that nobody knows. Raises UpstreamFailed."""
    raws = decode(_decode_list, item.content) or ()
    return [(decode(_decode_content, raw), decode(beside_content, raw)) for raw in raws]


def read_logprobs(raws: list[Raw] | None, *, refusal: bool = False) -> list[TokenLogprob]:
    """Return the tokens of a piece of text. Raises UpstreamFailed."""
    return [_logprob(decode(_decode_logprob, raw), refusal=refusal) for raw in raws or ()]


def finish_read(response: Response, parts: tuple[Part, ...]) -> tuple[FinishReason, str]:
    """Return why the model stopped, and the vendor's own word for it."""
    match response.status:
        case "completed" | None:
            return finish_of(parts), response.status or ""
        case "incomplete":
            reason = decode(_decode_details, response.incomplete_details)
            native = (reason.reason if reason else None) or "incomplete"
            return FinishReason.CONTENT_FILTER if native == "content_filter" else FinishReason.LENGTH, native
        case status:
            return FinishReason.ERROR, status


def usage_of(response: Response) -> ReportedUsage | None:
    """Return what was used, the vendor's web searches counted in."""
    if response.usage == NONE:
        return None
    return read_usage(response.usage, _searches(response))


def pages_found(response: Response) -> tuple[SearchResult, ...]:
    """Return the pages that the vendor's web searches found, which it tells when `include` asks for them."""
    urls: dict[str, None] = {}
    for raw in response.output or ():
        try:
            search = _decode_search(raw)
        except (ValueError, RecursionError):
            continue
        if search.type == WEB_SEARCH and search.action is not None:
            urls.update((source.url, None) for source in search.action.sources or () if source.url)
    return tuple(SearchResult(url, index=number) for number, url in enumerate(urls, 1))


def error_of(raw: Raw) -> tuple[str, Raw]:
    """Return the message of an error object, and a body with it as a provider reads them."""
    try:
        error = _decode_error(raw)
    except (ValueError, RecursionError):
        error = Error()
    message = error.message if isinstance(error.message, str) and error.message else "The upstream sent an error."
    return message, Raw(b'{"error":%b}' % bytes(raw))


def decode(decoder: Callable[[bytes], T], raw: bytes) -> T:
    """Return a decoded piece of a reply. Raises UpstreamFailed."""
    try:
        return decoder(raw)
    except (ValueError, RecursionError) as error:
        raise invalid() from error


def invalid() -> UpstreamFailed:
    """Return what is wrong with a reply that is none."""
    return UpstreamFailed("The upstream's reply cannot be read.", kind="invalid")


def _content(content: Content, extra: Extra, phase: str) -> Text | Refusal | None:
    if content.type == "refusal":
        return Refusal(content.refusal or "", extra)
    if content.text is None:
        return None
    citations = tuple(read_citation(one) for one in content.annotations or ())
    return Text(content.text, citations=citations, extra=extra, phase=phase)


def _logprobs_of(item: Item) -> list[TokenLogprob]:
    if item.type != "message":
        return []
    return [one for content, _ in contents(item) for one in read_logprobs(content.logprobs)]


def _logprob(wire: "_Logprob", *, refusal: bool) -> TokenLogprob:
    top = tuple(TopLogprob(one.token, one.logprob, _bytes(one.bytes)) for one in wire.top_logprobs or ())
    return TokenLogprob(wire.token, wire.logprob, _bytes(wire.bytes), top, refusal)


def _bytes(values: list[int] | None) -> tuple[int, ...] | None:
    return None if values is None else tuple(values)


def _searches(response: Response) -> int:
    """Return how many web searches the vendor made: as it counted them, else the calls in the output."""
    try:
        counted = _decode_tool_usage(response.tool_usage)
        if counted is not None and counted.web_search is not None:
            return max(0, counted.web_search.num_requests)
        actions = [_decode_search(raw) for raw in response.output or ()]
    except (ValueError, RecursionError):
        return 0
    return sum(1 for one in actions if one.type == WEB_SEARCH and one.action and one.action.type == "search")


class _Details(Struct):
    reason: str | None = None


class _TopLogprob(Struct):
    token: str = ""
    logprob: float = 0.0
    bytes: list[int] | None = None


class _Logprob(Struct):
    token: str = ""
    logprob: float = 0.0
    bytes: list[int] | None = None
    top_logprobs: list[_TopLogprob] | None = None


class _WebSearch(Struct):
    num_requests: int = 0


class _ToolUsage(Struct):
    web_search: _WebSearch | None = None


class _Source(Struct):
    url: str | None = None


class _Action(Struct):
    type: str = ""
    sources: list[_Source] | None = None


class _Search(Struct):
    type: str = ""
    action: _Action | None = None


WEB_SEARCH = "web_search_call"
_FAILED = frozenset({"failed", "cancelled"})
_CALLS = frozenset({"function_call", "custom_tool_call"})
decode_response = msgspec.json.Decoder(Response).decode
decode_item = msgspec.json.Decoder(Item).decode
_decode_reasoning = msgspec.json.Decoder(ReasoningItem).decode
_decode_list = msgspec.json.Decoder(list[Raw] | None).decode
_decode_content = msgspec.json.Decoder(Content).decode
_decode_details = msgspec.json.Decoder(_Details | None).decode
_decode_logprob = msgspec.json.Decoder(_Logprob).decode
_decode_tool_usage = msgspec.json.Decoder(_ToolUsage | None).decode
_decode_search = msgspec.json.Decoder(_Search).decode
_decode_error = msgspec.json.Decoder(Error).decode
