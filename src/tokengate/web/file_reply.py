"""Answers with a stored file, whole or the part that the caller asks for (RFC 9110, sections 13 and 14).

The file passes piece by piece: a caller who takes it in slowly slows the reading, and one who leaves ends it.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from typing import Final

from tokengate.core.errors import BadRange, PreconditionFailed, Unavailable
from tokengate.files.results import Result, Stored
from tokengate.web.request import Headers, Request

# What a browser may show as a page of the gateway's own: nothing in it can run.
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"})
_PLAYED: Final = ("audio/", "video/")
_STALLED_S: Final = 60.0  # a caller who takes nothing for so long is left
_MAX_DIGITS: Final = 18

_range = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII | re.IGNORECASE).fullmatch
_tags = re.compile(r'(?:W/)?"[^"]*"').findall


async def send_file(request: Request, result: Result) -> None:
    """Answer GET or HEAD. Raises BadRange, PreconditionFailed, Unavailable, NotFound before anything is sent; what
    fails later breaks the reply off."""
    stored = result.stored
    etag = f'"{stored.sha256}"'
    if_match = request.headers.get("if-match")
    if if_match is not None and not _names(if_match, etag):
        raise PreconditionFailed
    headers = _headers(request, stored, etag)
    if _names(request.headers.get("if-none-match", ""), etag):
        request.whole(304, headers, b"")
        return
    part = range_of(request.headers, stored.size_bytes, etag) if request.method == "GET" else None
    start, end = part or (0, stored.size_bytes)
    if part is not None:
        headers.append(("content-range", f"bytes {start}-{end - 1}/{stored.size_bytes}"))
    status = 200 if part is None else 206
    if request.method == "HEAD" or start == end:
        request.open(status, headers, size_bytes=end - start)
        request.end(b"")
        return
    await _stream(request, result, start, end, status, headers)


def range_of(headers: Mapping[str, str], size_bytes: int, etag: str) -> tuple[int, int] | None:
    """Return the part that is asked for, as start and end; None is the whole, also for several parts, other units, and
    a part of a file that has changed since. Raises BadRange for one that begins behind the file's end.

    `bytes=0-99` is (0, 100), `bytes=-5` of ten bytes (5, 10).
    """
    found = _range(headers.get("range", ""))
    if found is None or max(map(len, found.groups())) > _MAX_DIGITS:
        return None
    if headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise BadRange(size_bytes)
    return start, end


async def _stream(request: Request, result: Result, start: int, end: int, status: int, headers: Headers) -> None:
    left_bytes = end - start
    try:
        async with aclosing(result.read(start, end)) as pieces:
            async for piece in pieces:
                if not request.status:
                    request.open(status, headers, size_bytes=end - start)
                left_bytes -= len(piece)
                async with asyncio.timeout(_STALLED_S):
                    await request.write(piece)
        if left_bytes:
            raise Unavailable("The file is not whole in its storage.", code="results_unavailable")
        request.end(b"")
    except BaseException:
        request.break_off()
        raise


def _headers(request: Request, stored: Stored, etag: str) -> Headers:
    kind = stored.media_type
    shown = kind in _SHOWN or kind.startswith(_PLAYED)
    return [
        ("content-type", kind),
        ("content-disposition", f'{"inline" if shown else "attachment"}; filename="{stored.name}"'),
        ("etag", etag),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; media-src 'self'; img-src 'self'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-request-id", request.id),
    ]


def _names(condition: str, etag: str) -> bool:
    """Say whether a condition of entity tags is about this one."""
    return condition.strip() == "*" or etag in (tag.removeprefix("W/") for tag in _tags(condition))
