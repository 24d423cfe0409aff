"""Puts what a caller names by address into the request itself, for formats whose vendor fetches nothing."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator

from msgspec.structs import replace

from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Audio, Data, File, Image, Part, Source, ToolResult, Url, Video
from tokengate.core.wire import Inlined

Fetch = Callable[[str, int], Awaitable[Inlined]]

_MAX_FILE_BYTES = 20 * 1024 * 1024
_MAX_FILES = 64
_AT_ONCE = 4


def needs_fetching(chat: Chat) -> bool:
    """Say whether anything lies at an address of the web."""
    return next(_urls(chat), None) is not None


async def inlined(chat: Chat, fetch: Fetch) -> Chat:
    """Return the chat with everything that lies at an address of the web inside it. Raises BadRequest."""
    urls = list(dict.fromkeys(_urls(chat)))
    if len(urls) > _MAX_FILES:
        raise BadRequest(f"A request may name at most {_MAX_FILES} files by address.", param="messages")
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
    found = {url: task.result() for url, task in tasks.items()}
    messages = (replace(one, parts=tuple(_with(part, found) for part in one.parts)) for one in chat.messages)
    return replace(chat, messages=tuple(messages))


def _urls(chat: Chat) -> Iterator[str]:
    for message in chat.messages:
        for part in message.parts:
            yield from _urls_of(part)


def _urls_of(part: Part) -> Iterator[str]:
    match part:
        case Image() | Audio() | File():
            sources: tuple[Source, ...] = (part.source,)
        case Video():
            sources = part.frames
        case ToolResult():
            for inner in part.content:
                yield from _urls_of(inner)
            return
        case _:
            return
    for source in sources:
        if isinstance(source, Url) and source.url.lower().startswith(("http://", "https://")):
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
