"""Puts what a caller names by address into the request itself: what the vendor does not fetch, and uploaded files."""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Audio, Data, File, Image, Part, Source, Text, ToolResult, Url, Video
from tokengate.core.wire import Inlined

Fetch = Callable[[str, int], Awaitable[Inlined]]
ReadUpload = Callable[[str], Awaitable[Inlined]]
MustInline = Callable[[str, str], bool]  # of a kind of media and its address: `Format.must_inline`

_WEB = ("http://", "https://")
_UPLOADED = "oss://"
_uploaded_text = re.compile(rb'"oss:(?:\\?/){2}[^"\\]*(?:\\.[^"\\]*)*"')
_uploaded_texts = _uploaded_text.findall
_decode_text = msgspec.json.Decoder(str).decode
_MAX_UPLOADED_BYTES = 64 * 1024 * 1024  # of one request, in memory
_MAX_FILE_BYTES = 20 * 1024 * 1024
_MAX_FILES = 64
_AT_ONCE = 4


def needs_fetching(chat: Chat, must_inline: MustInline) -> bool:
    """Say whether anything lies at an address of the web that the vendor does not fetch from."""
    return next(_urls(chat, _on_the_web(must_inline)), None) is not None


async def inlined(chat: Chat, fetch: Fetch, must_inline: MustInline) -> Chat:
    """Return the chat with everything inside it that the vendor does not fetch. Raises BadRequest."""
    urls = _some(_urls(chat, _on_the_web(must_inline)))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(url: str) -> Data:
        async with gate:
            found = await fetch(url, _MAX_FILE_BYTES)
        return Data(found.media_type, base64.b64encode(found.body).decode())

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {url: group.create_task(one(url)) for url in urls}
    except ExceptionGroup as failed:
        refusals = [error for error in failed.exceptions if isinstance(error, BadRequest)]
        if not refusals:
            raise
        raise refusals[0] from None
    return _filled(chat, {url: task.result() for url, task in tasks.items()})


async def with_uploads(chat: Chat, read: ReadUpload) -> Chat | None:
    """Return the chat with every uploaded file that it names inside it; None when it names none. Raises BadRequest."""
    urls = _some(_urls(chat, lambda kind, url: url.startswith(_UPLOADED)))
    return _filled(chat, await _read(urls, read)) if urls else None


async def body_with_uploads(body: bytes, read: ReadUpload) -> bytes:
    """Return the bytes of a request that is no chat, with a data URL for every text in it that is an uploaded file's
    address. Raises BadRequest."""
    texts = dict.fromkeys(_uploaded_texts(body))
    if not texts:
        return body
    try:
        urls = {text: _decode_text(text) for text in texts}
    except ValueError as error:
        raise BadRequest(f"The request body cannot be read: {error}.") from None
    found = await _read(_some(urls.values()), read)

    def data_url(match: re.Match[bytes]) -> bytes:
        data = found[urls[match[0]]]
        return f'"data:{data.media_type};base64,{data.base64}"'.encode()

    return _uploaded_text.sub(data_url, body)


async def _read(urls: list[str], read: ReadUpload) -> dict[str, Data]:
    found: dict[str, Data] = {}
    size_bytes = 0
    for url in urls:
        file = await read(url)
        size_bytes += len(file.body)
        if size_bytes > _MAX_UPLOADED_BYTES:
            raise BadRequest(f"The files of a request may have {_MAX_UPLOADED_BYTES} bytes together.", param="messages")
        found[url] = Data(file.media_type, base64.b64encode(file.body).decode())
    return found


def _some(urls: Iterable[str]) -> list[str]:
    """Return addresses without repetitions. Raises BadRequest for too many."""
    some = list(dict.fromkeys(urls))
    if len(some) > _MAX_FILES:
        raise BadRequest(f"A request may name at most {_MAX_FILES} files by address.", param="messages")
    return some


def _filled(chat: Chat, found: dict[str, Data]) -> Chat:
    messages = (replace(one, parts=tuple(_with(part, found) for part in one.parts)) for one in chat.messages)
    return replace(chat, messages=tuple(messages))


def _on_the_web(must_inline: MustInline) -> MustInline:
    return lambda kind, url: url.lower().startswith(_WEB) and must_inline(kind, url)


def _urls(chat: Chat, wanted: MustInline) -> Iterator[str]:
    for message in chat.messages:
        for part in message.parts:
            if type(part) is not Text:  # as most are
                yield from _urls_of(part, wanted)


def _urls_of(part: Part, wanted: MustInline) -> Iterator[str]:
    sources: tuple[Source, ...]
    match part:
        case Image():
            kind, sources = "image", (part.source,)
        case Audio():
            kind, sources = "audio", (part.source,)
        case File():
            kind, sources = "file", (part.source,)
        case Video():
            kind, sources = "video", part.frames
        case ToolResult():
            for inner in part.content:
                yield from _urls_of(inner, wanted)
            return
        case _:
            return
    for source in sources:
        if isinstance(source, Url) and wanted(kind, source.url):
            yield source.url


def _with(part: Part, found: dict[str, Data]) -> Part:
    match part:
        case Image() | Audio() | File():
            return replace(part, source=_source(part.source, found))
        case Video():
            return replace(part, frames=tuple(_source(one, found) for one in part.frames))
        case ToolResult():
            return replace(part, content=tuple(_with(one, found) for one in part.content))
        case _:
            return part


def _source(source: Source, found: dict[str, Data]) -> Source:
    return found.get(source.url, source) if isinstance(source, Url) else source
