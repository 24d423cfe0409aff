"""A form (multipart/form-data) with one file, read as it arrives: its fields are held, the file is not."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final, Protocol, TypeVar

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from tokengate.core.errors import BadRequest, UnsupportedMediaType
from tokengate.web.forms import FORM_TYPE, boundary_of, is_form
from tokengate.web.request import Request

T = TypeVar("T")

_MAX_FIELD_BYTES: Final = 8 * 1024
_MAX_FIELDS_BYTES: Final = 4 * 1024 * 1024  # together, where fields may be long: four samples of known speakers
_MAX_PARTS: Final = 32


class Writer(Protocol):
    """Takes the file."""

    async def write(self, data: bytes) -> None: ...


OpenFile = Callable[[dict[str, str]], AbstractAsyncContextManager[Writer]]  # by the fields that came before it
TakeFile = Callable[[str, str], Writer]  # by the names of the part and the file
Events = AsyncGenerator[MultipartSegment | bytes | None]  # of each part its head, its pieces, and None at its end


async def read_form(request: Request, limit_bytes: int, open_file: OpenFile) -> None:
    """Read a form whose file is its last part, to its end; the file is written through what `open_file` returns. Raises
    UnsupportedMediaType, BadRequest, BodyTooLarge, ClientGone, and what `open_file` raises; its block ends well only
    for a whole form."""
    await _reading(request, limit_bytes, lambda events: _read(events, open_file))


async def read_mixed_form(request: Request, limit_bytes: int, take: TakeFile) -> list[tuple[str, str]]:
    """Read a form to its end, and return its fields in their order; of files there may be any number, anywhere, each
    written to what `take` returns. Raises what `read_form` raises."""
    return await _reading(request, limit_bytes, lambda events: _read_mixed(events, take))


async def _reading(request: Request, limit_bytes: int, read: Callable[[Events], Awaitable[T]]) -> T:
    declared = request.headers.get("content-type", "")
    boundary = boundary_of(declared)
    if not is_form(declared) or not boundary:
        raise UnsupportedMediaType(declared, wanted=FORM_TYPE)
    try:
        parser = PushMultipartParser(boundary, max_segment_count=_MAX_PARTS, strict=True)
        async with aclosing(_events(parser, request.body_pieces(limit_bytes))) as events:
            return await read(events)
    except ParserLimitReached as error:
        raise BadRequest(f"The form is too large: {error}.") from None
    except MultipartError as error:
        raise BadRequest(f"The form cannot be read: {error}.") from None


async def _read(events: Events, open_file: OpenFile) -> None:
    fields: dict[str, str] = {}
    async for event in events:
        assert isinstance(event, MultipartSegment), "a part begins with its head"
        if event.filename is None:
            name = event.name or ""
            fields[name] = await _text(name, events, _MAX_FIELD_BYTES)
            continue
        async with open_file(fields) as writer:
            async for data in _payload(events):
                await writer.write(data)
            async for _ in events:
                raise BadRequest("The file must be the last part of the form.", param="file")
        return
    raise BadRequest("The form has no file.", param="file")


async def _read_mixed(events: Events, take: TakeFile) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    left_bytes = _MAX_FIELDS_BYTES
    async for event in events:
        assert isinstance(event, MultipartSegment), "a part begins with its head"
        name = event.name or ""
        if event.filename is None:
            text = await _text(name, events, left_bytes)
            left_bytes -= len(text)
            fields.append((name, text))
            continue
        writer = take(name, event.filename)
        async for data in _payload(events):
            await writer.write(data)
    return fields


async def _events(parser: PushMultipartParser, pieces: AsyncGenerator[bytes]) -> Events:
    """Yield what is in a form. Raises MultipartError when it ends too early."""
    async with aclosing(pieces):
        async for piece in pieces:
            for event in parser.parse(piece):
                yield event
    parser.close()


async def _payload(events: Events) -> AsyncGenerator[bytes]:
    """Yield the pieces of one part."""
    async for data in events:
        if data is None:
            return
        assert not isinstance(data, MultipartSegment), "a part ends before the next begins"
        yield bytes(data)


async def _text(name: str, events: Events, most_bytes: int) -> str:
    text = bytearray()
    async for data in _payload(events):
        text += data
        if len(text) > most_bytes:
            raise BadRequest(f"'{name[:100]}' is longer than {most_bytes} bytes.", param=name[:100])
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"'{name[:100]}' is not UTF-8.", param=name[:100]) from None
