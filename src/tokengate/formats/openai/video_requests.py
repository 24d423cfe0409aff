"""Requests for films in OpenAI's format, read into the vocabulary: JSON, or forms as OpenAI's SDKs send them.

https://platform.openai.com/docs/api-reference/videos/create, and vLLM-Omni's `docs/serving/videos_api.md`, 2026-11.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

from tokengate.core.errors import BadRequest
from tokengate.core.images import Size, read_size
from tokengate.core.parts import Extra, Source
from tokengate.core.splice import Members
from tokengate.core.video import Film
from tokengate.formats.openai.form import FormPart, data_url, field_integer, field_text
from tokengate.formats.openai.media import read_source
from tokengate.formats.openai.parameters import (
    FILMS_MUST_BE,
    MAX_FILM_SECONDS,
    MAX_FILM_SIDE,
    PictureReference,
    VideoBody,
    VideoEditBody,
    VideoRemixBody,
)
from tokengate.formats.openai.refusal import missing, must_be, refusal_of

NAME: Final = "openai"

# The vocabulary's words that are called otherwise here.
NAMES: Final[Mapping[str, str]] = {
    "first_frame": "input_reference",
    "has_sound": "generate_sound",
    "extends_prompt": "prompt_extend",
    "remix_of": "video",
}

DEFAULT_FPS: Final = 24  # vLLM-Omni's
_UNSAID_SECONDS: Final = 5  # OpenAI makes 4 and DashScope 5 when the request does not say how many

# What would make it another film, or another length of one, and has no word of ours.
_REFUSED: Final = frozenset(
    {
        "audio_reference",
        "characters",
        "control_reference",
        "control_type",
        "extra_params",
        "height",
        "image_reference",
        "lora",
        "video_params",
        "video_reference",
        "width",
    }
)
_FRAMES: Final = ("num_frames", "fps")
_INTEGERS: Final = frozenset({"num_frames", "fps", "seed"})
_FLAGS: Final = frozenset({"generate_sound", "prompt_extend", "watermark"})
_TRUTHS: Final = {"true": True, "false": False, "1": True, "0": False}

Wire = TypeVar("Wire", VideoBody, VideoRemixBody, VideoEditBody)

_encode = msgspec.json.Encoder().encode


def json_of_film_form(parts: Iterable[FormPart]) -> bytes:
    """Return the JSON body of a form's parts; `input_reference` may be a file, and SDKs write its members, and those of
    `video`, as `input_reference[image_url]`. Raises BadRequest."""
    body: dict[str, Any] = {}
    for given, data, file_name, media_type in parts:
        name, inside, member = given.removesuffix("]").partition("[")
        if name in body:
            raise BadRequest(f"'{name}' appears more than once in the form.", param=name)
        if file_name is not None:
            if given not in ("input_reference", "video"):
                raise BadRequest(f"'{given}' must not be a file.", param=given)
            body[name] = data_url(data, media_type)
        elif inside:
            body[name] = {member: field_text(data, given)}
        else:
            body[name] = _value(name, field_text(data, given))
    return _encode(body)


def read_film(body: bytes) -> Film:
    """Read the body of `POST /v1/videos`. Raises BadRequest."""
    wire, members = _read(body, _decode_film)
    size = _size(wire.size)
    return Film(
        format=NAME,
        model=wire.model,
        prompt=wire.prompt,
        negative_prompt=wire.negative_prompt,
        first_frame=_reference(wire.input_reference),
        seconds=_seconds(wire),
        size=size,
        resolution=wire.resolution,
        has_sound=wire.generate_sound,
        seed=wire.seed,
        extends_prompt=wire.prompt_extend,
        watermark=wire.watermark,
        most_seconds=_UNSAID_SECONDS,
        extra=_others(members),
    )


def read_remix(body: bytes) -> str:
    """Read the body of `POST /v1/videos/{video_id}/remix`: the new prompt. Raises BadRequest."""
    return _read(body, _decode_remix)[0].prompt


def read_edit(body: bytes) -> tuple[str, str]:
    """Read the body of `POST /v1/videos/edits`: the id of the video, and the new prompt. Raises BadRequest."""
    wire = _read(body, _decode_edit)[0]
    return wire.video.id, wire.prompt


_decode_film = msgspec.json.Decoder(VideoBody)
_decode_remix = msgspec.json.Decoder(VideoRemixBody)
_decode_edit = msgspec.json.Decoder(VideoEditBody)
_decode_anything = msgspec.json.Decoder().decode

_NAMES: Final = frozenset(VideoBody.__struct_encode_fields__)


def _read(body: bytes, decoder: msgspec.json.Decoder[Wire]) -> tuple[Wire, Members]:
    decode: Callable[[bytes], Wire] = decoder.decode
    try:
        members = Members(body)
        wire = decode(body)
        for name in members:
            if name not in _NAMES:
                _decode_anything(members.get(name) or b"")
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, words=FILMS_MUST_BE) from None
    for name in members:
        if name not in _NAMES and name.casefold() in _NAMES:
            raise BadRequest(f"'{name}' must be written '{name.casefold()}'.", param=name)
        if name in _REFUSED and members.get(name) != b"null":
            raise BadRequest(f"'{name}' is not served here.", param=name, code="unsupported_parameter")
    return wire, members


def _seconds(wire: VideoBody) -> int | None:
    """Return how long it shall be: `num_frames` says it, too."""
    if wire.num_frames is not None:
        if wire.seconds is not None:
            raise BadRequest("Send either 'seconds' or 'num_frames'.", param="num_frames")
        seconds = -(-wire.num_frames // (wire.fps or DEFAULT_FPS))
        if seconds > MAX_FILM_SECONDS:
            raise BadRequest(f"'num_frames' must come to at most {MAX_FILM_SECONDS} s.", param="num_frames")
        return seconds
    if wire.seconds is None:
        return None
    text = str(wire.seconds)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_FILM_SECONDS):
        raise must_be("seconds", FILMS_MUST_BE["seconds"])
    return int(text)


def _size(text: str | None) -> Size | None:
    if text is None:
        return None
    size = read_size(text)
    if size is None or max(size.width, size.height) > MAX_FILM_SIDE:
        raise must_be("size", FILMS_MUST_BE["size"])
    return size


def _reference(one: str | PictureReference | None) -> Source | None:
    match one:
        case None:
            return None
        case str():
            return read_source(one, "input_reference")
        case PictureReference():
            if one.file_id is not None:
                param = "input_reference.file_id"
                raise BadRequest(f"'{param}' cannot be used here; send the picture.", param=param)
            if one.image_url is None:
                raise missing("input_reference.image_url")
            return read_source(one.image_url, "input_reference.image_url")


def _others(members: Members) -> Extra:
    """Return what has no word in the vocabulary; frames are a vendor's own, once they have said the length."""
    kept = (name for name in members if name not in _NAMES or name in _FRAMES)
    return {name: Raw(value) for name in kept if (value := members.get(name) or b"null") != b"null"}


def _value(name: str, text: str) -> Any:
    """Return a field as JSON has it; what does not fit stays a text, for the reader to refuse."""
    if name in _INTEGERS:
        return field_integer(text)
    return _TRUTHS.get(text.lower(), text) if name in _FLAGS else text
