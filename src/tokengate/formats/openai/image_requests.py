"""Requests for pictures in OpenAI's format: the three operations' bodies, read into the vocabulary.

An edit's pictures are `images`, objects with an `image_url`, or `image`, addresses; either may be data URLs, as which
the files of a form arrive.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from tokengate.core.errors import BadRequest
from tokengate.core.images import Draw, Size, Task, read_size
from tokengate.core.parts import Extra, Source
from tokengate.core.splice import Members
from tokengate.formats.openai.media import read_source
from tokengate.formats.openai.parameters import (
    MAX_PICTURE_SIDE,
    MAX_PICTURES_IN,
    PICTURES_MUST_BE,
    ImageBody,
    ImageEditBody,
    ImageVariationBody,
    PictureReference,
)
from tokengate.formats.openai.refusal import missing, must_be, refusal_of

NAME: Final = "openai"

# What OpenAI's own models draw otherwise than as one picture of pixels, at prices of its own.
_OTHER_PICTURES: Final = ("svg", "complexity", "frame_count", "frame_duration_ms", "markup")

Wire = TypeVar("Wire", ImageBody, ImageEditBody, ImageVariationBody)


def read_generation(body: bytes) -> Draw:
    """Read the body of `POST /v1/images/generations`. Raises BadRequest."""
    wire, members = _read(body, _decode_generation, _GENERATION)
    return _draw("generation", wire, members, (), None)


def read_edit(body: bytes) -> Draw:
    """Read the body of `POST /v1/images/edits`. Raises BadRequest."""
    wire, members = _read(body, _decode_edit, _EDIT)
    if wire.image is not None and wire.images is not None:
        raise BadRequest("Send either 'image' or 'images'.", param="images")
    if wire.images is not None:
        pictures = tuple(_reference(one, f"images[{at}]") for at, one in enumerate(wire.images))
    else:
        named = [wire.image] if isinstance(wire.image, str) else wire.image
        if named is None:
            raise missing("image")
        pictures = tuple(read_source(one, f"image[{at}]") for at, one in enumerate(named))
    if not 1 <= len(pictures) <= MAX_PICTURES_IN:
        param = "image" if wire.images is None else "images"
        raise must_be(param, PICTURES_MUST_BE[param])
    match wire.mask:
        case None:
            mask = None
        case str():
            mask = read_source(wire.mask, "mask")
        case PictureReference():
            mask = _reference(wire.mask, "mask")
    draw = _draw("edit", wire, members, pictures, mask)
    return msgspec.structs.replace(draw, fidelity=wire.input_fidelity)


def read_variation(body: bytes) -> Draw:
    """Read the body of `POST /v1/images/variations`. Raises BadRequest."""
    wire, members = _read(body, _decode_variation, _VARIATION)
    return Draw(
        format=NAME,
        model=wire.model,
        task="variation",
        pictures=(read_source(wire.image, "image"),),
        n=wire.n or 1,
        size=_size(wire.size),
        delivery=wire.response_format,
        user=wire.user,
        extra=_others(members, _VARIATION),
    )


_decode_generation = msgspec.json.Decoder(ImageBody).decode
_decode_edit = msgspec.json.Decoder(ImageEditBody).decode
_decode_variation = msgspec.json.Decoder(ImageVariationBody).decode
_decode_anything = msgspec.json.Decoder().decode

_GENERATION: Final = frozenset(ImageBody.__struct_encode_fields__)
_EDIT: Final = frozenset(ImageEditBody.__struct_encode_fields__)
_VARIATION: Final = frozenset(ImageVariationBody.__struct_encode_fields__)


def _read(body: bytes, decode: Callable[[bytes], Wire], names: frozenset[str]) -> tuple[Wire, Members]:
    try:
        members = Members(body)
        wire = decode(body)
        for name in members:
            if name not in names:
                _decode_anything(members.get(name) or b"")
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, words=PICTURES_MUST_BE) from None
    for name in members:
        if name not in names and name.casefold() in names:
            raise BadRequest(f"'{name}' must be written '{name.casefold()}'.", param=name)
        if name in _OTHER_PICTURES and members.get(name) != b"null":
            raise BadRequest(f"'{name}' is not served here.", param=name, code="unsupported_parameter")
    return wire, members


def _draw(
    task: Task, wire: ImageBody | ImageEditBody, members: Members, pictures: tuple[Source, ...], mask: Source | None
) -> Draw:
    if wire.stream and wire.response_format == "url":
        raise BadRequest("A stream carries pictures as base64; leave 'response_format' out.", param="response_format")
    names = _EDIT if task == "edit" else _GENERATION
    return Draw(
        format=NAME,
        model=wire.model,
        task=task,
        prompt=wire.prompt,
        pictures=pictures,
        mask=mask,
        n=wire.n or 1,
        size=_size(wire.size),
        quality=_chosen(wire.quality),
        background=_chosen(wire.background),
        output_format=wire.output_format,
        compression=wire.output_compression,
        moderation=_chosen(wire.moderation),
        style=wire.style,
        negative_prompt=wire.negative_prompt,
        seed=wire.seed,
        delivery=wire.response_format,
        stream=wire.stream is True,
        partial_images=wire.partial_images,
        user=wire.user or wire.safety_identifier,
        extra=_others(members, names),
    )


def _chosen(value: str | None) -> str | None:
    return None if value == "auto" else value


def _size(text: str | None) -> Size | None:
    if text is None or text == "auto":
        return None
    size = read_size(text)
    if size is None or max(size.width, size.height) > MAX_PICTURE_SIDE:
        raise must_be("size", PICTURES_MUST_BE["size"])
    return size


def _reference(one: PictureReference, param: str) -> Source:
    if one.file_id is not None:
        raise BadRequest(f"'{param}.file_id' cannot be used here; send the picture.", param=f"{param}.file_id")
    if one.image_url is None:
        raise missing(f"{param}.image_url")
    return read_source(one.image_url, f"{param}.image_url")


def _others(members: Members, names: frozenset[str]) -> Extra:
    return {name: Raw(members.get(name) or b"null") for name in members if name not in names}
