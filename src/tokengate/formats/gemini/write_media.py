"""Writes pictures, sound, films and documents as inline data or the address of a file."""

from typing import Any, assert_never

import msgspec

from tokengate.core.parts import NO_EXTRA, Audio, Data, Extra, File, FileId, Image, Source, Url, Video
from tokengate.core.wire import Losses
from tokengate.formats.gemini.extra import nest
from tokengate.formats.gemini.media import guess_type

_LINEAR = {"pcm16": "audio/L16", "pcm": "audio/L16"}
_decode_text = msgspec.json.Decoder(str).decode


def write_media(part: Image | Audio | Video | File, losses: Losses, *, own: bool) -> list[dict[str, Any]]:
    """Return a part of a request; a film that is given as frames is so many pictures. Raises Unsupported."""
    if part.cache is not None:
        losses.drop("cache")
    extra = part.extra if own else NO_EXTRA
    match part:
        case Image():
            _drop(
                losses, detail=part.detail not in (None, "auto"), min_pixels=part.min_pixels, max_pixels=part.max_pixels
            )
            return [_source(part.source, extra, losses, "image", own=own)]
        case Audio():
            if part.transcript and isinstance(part.source, FileId):
                return [{"text": part.transcript}]
            return [_source(part.source, extra, losses, "audio", own=own)]
        case File():
            _drop(losses, title=part.title, context=part.context, citations=part.citations)
            return [_source(part.source, extra, losses, "file", part.name, own=own)]
        case Video():
            _drop(
                losses,
                min_pixels=part.min_pixels,
                max_pixels=part.max_pixels,
                total_pixels=part.total_pixels,
                max_frames=part.max_frames,
            )
            return _film(part, extra, losses, own=own)
        case _:
            assert_never(part)


def _film(part: Video, extra: Extra, losses: Losses, *, own: bool) -> list[dict[str, Any]]:
    if not part.whole:
        _drop(losses, fps=part.fps)
        return [_source(frame, NO_EXTRA, losses, "image", own=own) for frame in part.frames]
    written = _source(part.frames[0], extra, losses, "video", own=own)
    looks: dict[str, Any] = {}
    if part.start_s is not None:
        looks["startOffset"] = _offset(part.start_s)
    if part.end_s is not None:
        looks["endOffset"] = _offset(part.end_s)
    if part.fps is not None:
        looks["fps"] = part.fps
    if looks:
        written["videoMetadata"] = {**looks, **written.get("videoMetadata", {})}
    return [written]


def _source(source: Source, extra: Extra, losses: Losses, word: str, name: str = "", *, own: bool) -> dict[str, Any]:
    held: dict[str, Any] = {}
    match source:
        case Data():
            held = {
                "mimeType": _LINEAR.get(source.media_type.partition("/")[2], source.media_type),
                "data": source.base64,
            }
            written = {"inlineData": held}
            # What the caller said of an address does not go with what was fetched from it.
            extra = {name: raw for name, raw in extra.items() if not name.startswith("fileData.")}
        case Url():
            said = extra.get("fileData.mimeType")
            media_type = _decode_text(said) if said is not None else "" if own else guess_type(source)
            held = {"fileUri": source.url, **({"mimeType": media_type} if media_type else {})}
            written = {"fileData": held}
        case FileId():
            raise losses.refuse(word, "names an uploaded file, which only the vendor that has it can read")
    if name:
        held["displayName"] = name
    nest(written, extra)
    return written


def _offset(seconds: float) -> str:
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def _drop(losses: Losses, **given: object) -> None:
    """Drop each of the words that was given."""
    for word, value in given.items():
        if value:
            losses.drop(word)
