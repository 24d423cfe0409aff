"""Pictures, sound, films and documents as parts of an OpenAI message.

{"type": "image_url", "image_url": {"url", "detail"}, "min_pixels", "max_pixels"}
{"type": "input_audio", "input_audio": {"data", "format"}}     {"type": "audio_url", "audio_url": {"url"}}
{"type": "video_url", "video_url": {"url"}, "fps", ...}        {"type": "video", "video": [frame, ...], "fps", ...}
{"type": "file", "file": {"file_id" | "file_data", "filename"}}
"""

import re
from typing import Any

from tokengate.core.errors import BadRequest
from tokengate.core.parts import Audio, Data, File, FileId, Image, Source, Url, Video
from tokengate.formats.openai.fields import Fields
from tokengate.formats.openai.refusal import missing, must_be
from tokengate.formats.openai.shapes import is_list

_data_url = re.compile(r"data:([^,;]*)((?:;[^,;]*)*);base64,", re.IGNORECASE).match

_AUDIO_TYPES = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "pcm16": "audio/pcm",
}
_AUDIO_FORMATS = {
    **{media_type: name for name, media_type in _AUDIO_TYPES.items()},
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/x-m4a": "m4a",
}
_AT_ADDRESSES = frozenset({"3gp", "aac", "amr", "flac", "m4a", "mp3", "ogg", "opus", "wav", "webm"})
_FILE_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
}


def read_image(part: Fields) -> Image:
    """Read an image part; the address may also stand where its object should."""
    value = part.any("image_url")
    if type(value) is str:
        source, detail = read_source(value, part.path("image_url")), None
    else:
        inner = _needed(value, part, "image_url")
        source = read_source(inner.needed_text("url"), inner.path("url"))
        detail = inner.text("detail")
        part.keep("image_url", inner)
    return Image(source, detail, part.integer("min_pixels"), part.integer("max_pixels"))


def read_audio(part: Fields) -> Audio:
    """Read a part with sound inside the request, or at an address (DashScope)."""
    inner = part.needed_inner("input_audio")
    data = inner.needed_text("data")
    name = inner.text("format")
    part.keep("input_audio", inner)
    if is_address(data):
        return Audio(Url(data))
    media_type = "" if name is None else audio_type(name)
    found = _data_url(data)
    if found is not None:
        return Audio(Data(found[1] or media_type, data[found.end() :]))
    return Audio(Data(media_type, data))


def read_audio_url(part: Fields) -> Audio:
    """Read a part with the address of sound."""
    inner = part.needed_inner("audio_url")
    url = inner.needed_text("url")
    part.keep("audio_url", inner)
    return Audio(read_source(url, inner.path("url")))


def read_video(part: Fields, kind: str) -> Video:
    """Read a film, or the list of its frames."""
    value = part.any(kind)
    if is_list(value) and kind == "video":
        frames = tuple(
            read_source(frame, f"{part.path(kind)}[{index}]") for index, frame in enumerate(_texts(value, part, kind))
        )
        whole = False
    elif type(value) is str:
        frames, whole = (read_source(value, part.path(kind)),), True
    else:
        inner = _needed(value, part, kind)
        frames, whole = (read_source(inner.needed_text("url"), inner.path("url")),), True
        part.keep(kind, inner)
    return Video(
        frames,
        whole,
        fps=part.number("fps"),
        min_pixels=part.integer("min_pixels"),
        max_pixels=part.integer("max_pixels"),
        total_pixels=part.integer("total_pixels"),
        max_frames=part.integer("max_frames"),
    )


def read_file(part: Fields) -> File:
    """Read a document that was uploaded before, or lies inside the request."""
    inner = part.needed_inner("file")
    name = inner.text("filename") or ""
    file_id = inner.text("file_id")
    data = inner.text("file_data")
    if file_id is None and data is None:
        raise BadRequest(f"'{inner.param}' needs a file_id or file_data.", param=inner.param)
    part.keep("file", inner)
    if data is None:
        return File(FileId(file_id or ""), name)
    found = _data_url(data)
    if found is not None:
        return File(Data(found[1] or _file_type(name), data[found.end() :]), name)
    if is_address(data):
        return File(Url(data), name)
    return File(Data(_file_type(name), data), name)


def read_source(url: str, param: str) -> Source:
    """Read an address: a data URL is the bytes themselves. Raises BadRequest for other data URLs than base64."""
    source = source_of(url)
    if not url or (isinstance(source, Url) and url[:5].lower() == "data:"):
        raise must_be(param, "an address, or a data URL in base64")
    return source


def source_of(url: str) -> Url | Data:
    """Return what an address, or a data URL, holds."""
    found = _data_url(url)
    return Url(url) if found is None else Data(found[1], url[found.end() :])


def write_url(source: Url | Data) -> str:
    """Return a source as one address."""
    match source:
        case Url():
            return source.url
        case Data():
            return f"data:{source.media_type};base64,{source.base64}"


def audio_type(name: str) -> str:
    """Return the media type of OpenAI's name of an audio format."""
    return _AUDIO_TYPES.get(name, f"audio/{name}")


def audio_format(media_type: str) -> str:
    """Return OpenAI's name of an audio format."""
    return _AUDIO_FORMATS.get(media_type, media_type.removeprefix("audio/") or "wav")


def format_at(url: str) -> str:
    """Return the audio format that an address ends with, as its file's name says."""
    name = url.partition("?")[0].rpartition("/")[2]
    found = name.rpartition(".")[2].lower() if "." in name else ""
    return found if found in _AT_ADDRESSES else "wav"


def is_address(text: str) -> bool:
    """Say whether there is an address where a vendor takes base64 too."""
    return "://" in text[:16]


def _file_type(name: str) -> str:
    return _FILE_TYPES.get(name.rpartition(".")[2].lower(), "application/pdf")


def _needed(value: Any, part: Fields, name: str) -> Fields:
    if value is None:
        raise missing(part.path(name))
    return Fields(value, part.path(name))


def _texts(values: list[Any], part: Fields, name: str) -> list[str]:
    if not values or any(type(value) is not str for value in values):
        raise must_be(part.path(name), "a list of addresses")
    return values
