"""The entries of a content list, `{"text"}`, `{"image"}`, `{"video"}` and `{"audio"}`, read and written."""

import re
from collections.abc import Callable
from typing import Any, assert_never

import msgspec
from msgspec import Raw

from tokengate.core.parts import (
    Audio,
    CacheMark,
    Data,
    FileId,
    Image,
    Opaque,
    Part,
    Source,
    Text,
    Url,
    Video,
)
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.parameters import ContentPart
from tokengate.formats.dashscope.shapes import decode_object, others

NAME = "dashscope"

_MEDIA = ("text", "image", "video", "audio")
_KNOWN = frozenset(ContentPart.__struct_fields__)

_data_url = re.compile(r"data:([^,]*);base64,").match
_decode_part = msgspec.json.Decoder(ContentPart).decode


def read_part(raw: Raw, refuse: Callable[[], Exception]) -> Part:
    """Return one entry; one that holds none of the four kinds stays as it is.

    Raises msgspec.ValidationError for a member of the wrong type, and what `refuse` returns for an entry that is of
    two kinds or of none.
    """
    members = decode_object(raw)
    kinds = [kind for kind in _MEDIA if kind in members]
    if len(kinds) > 1 or not members:
        raise refuse()
    if not kinds:
        kind = next(iter(members))
        if "type" in members:
            kind = msgspec.json.decode(members["type"], type=str)
        return Opaque(NAME, kind, Raw(bytes(raw)))
    wire = _decode_part(raw)
    cache = None if wire.cache_control is None else CacheMark()
    extra = others(members, _KNOWN)
    if wire.text is not None:
        return Text(wire.text, cache, extra=extra)
    if wire.image is not None:
        return Image(
            read_source(wire.image), min_pixels=wire.min_pixels, max_pixels=wire.max_pixels, cache=cache, extra=extra
        )
    if wire.audio is not None:
        return Audio(read_source(wire.audio), cache=cache, extra=extra)
    if wire.video is None:
        raise refuse()
    whole = isinstance(wire.video, str)
    frames = (wire.video,) if isinstance(wire.video, str) else tuple(wire.video)
    if not frames:
        raise refuse()
    return Video(
        tuple(map(read_source, frames)),
        whole,
        wire.fps,
        wire.min_pixels,
        wire.max_pixels,
        wire.total_pixels,
        wire.max_frames,
        cache=cache,
        extra=extra,
    )


def read_source(url: str) -> Source:
    """Return what a URL stands for: bytes in a `data:` URL, or an address."""
    head = _data_url(url)
    return Data(head[1], url[head.end() :]) if head else Url(url)


def write_source(source: Source) -> str | None:
    """Return a source as a URL; None for a file that only its own vendor knows."""
    match source:
        case Url():
            return source.url
        case Data():
            return f"data:{source.media_type};base64,{source.base64}"
        case FileId():
            return None
        case _:
            assert_never(source)


def write_text(part: Text, losses: Losses) -> dict[str, Any]:
    """Return a text's entry."""
    entry: dict[str, Any] = {"text": part.text}
    _mark(entry, part.cache, losses)
    return entry


def write_media(part: Image | Audio | Video, losses: Losses) -> dict[str, Any]:
    """Return an input's entry. Raises Unsupported for a source that is not an address or the bytes themselves."""
    match part:
        case Image():
            entry: dict[str, Any] = {"image": _written(part.source, "image", losses)}
            if part.detail not in (None, "auto"):
                losses.drop("detail")
            _hint(entry, min_pixels=part.min_pixels, max_pixels=part.max_pixels)
        case Audio():
            entry = {"audio": _written(part.source, "audio", losses)}
        case Video():
            entry = _write_video(part, losses)
        case _:
            assert_never(part)
    _mark(entry, part.cache, losses)
    return entry


def _write_video(part: Video, losses: Losses) -> dict[str, Any]:
    if part.start_s is not None or part.end_s is not None:
        raise losses.refuse("clip", "cannot be a part of a film")
    frames = [_written(frame, "video", losses) for frame in part.frames]
    entry: dict[str, Any] = {"video": frames[0] if part.whole else frames}
    _hint(
        entry,
        fps=part.fps,
        min_pixels=part.min_pixels,
        max_pixels=part.max_pixels,
        total_pixels=part.total_pixels,
        max_frames=part.max_frames,
    )
    return entry


def _written(source: Source, word: str, losses: Losses) -> str:
    url = write_source(source)
    if url is None:
        raise losses.refuse(word, "must be a URL or the bytes themselves, not a file's id")
    return url


def _hint(entry: dict[str, Any], **hints: float | None) -> None:
    for name, value in hints.items():
        if value is not None:
            entry[name] = value


def _mark(entry: dict[str, Any], cache: CacheMark | None, losses: Losses) -> None:
    if cache is None:
        return
    entry["cache_control"] = {"type": "ephemeral"}
    if cache.ttl != "5m":  # the only lifetime that there is
        losses.drop("ttl")
