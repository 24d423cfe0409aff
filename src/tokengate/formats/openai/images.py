"""Pictures in OpenAI's format, to and from the vocabulary: generations as JSON, edits and variations as forms.

https://platform.openai.com/docs/api-reference/images, and vLLM-Omni's `entrypoints/openai/protocol/images.py`, 2026-11.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Draw, Drawing, Picture, Task
from tokengate.core.parts import Data, Source
from tokengate.core.service import Form
from tokengate.core.sse import FrameBuffer, data_of, split_frames, write_frame
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.openai.form import FormFile, write_form
from tokengate.formats.openai.image_requests import NAME, read_edit, read_generation, read_variation
from tokengate.formats.openai.image_usage import read_image_usage, write_image_usage
from tokengate.formats.openai.shapes import is_object

PATHS: Final[Mapping[Task, str]] = {
    "generation": "/images/generations",
    "edit": "/images/edits",
    "variation": "/images/variations",
}
_READERS: Final[Mapping[Task, Callable[[bytes], Draw]]] = {
    "generation": read_generation,
    "edit": read_edit,
    "variation": read_variation,
}
_EVENTS: Final[Mapping[Task, str]] = {"generation": "image_generation", "edit": "image_edit"}  # variations have none

# The vocabulary's words and OpenAI's, as far as a request carries them as they are.
_WORDS: Final = {
    "quality": "quality",
    "background": "background",
    "output_format": "output_format",
    "compression": "output_compression",
    "moderation": "moderation",
    "fidelity": "input_fidelity",
    "style": "style",
    "negative_prompt": "negative_prompt",
    "seed": "seed",
    "partial_images": "partial_images",
    "user": "user",
}
# Without these the picture is as good as what was asked for.
_MINOR: Final = frozenset(
    {"quality", "compression", "moderation", "fidelity", "style", "seed", "partial_images", "user"}
)

_MAX_FRAME_BYTES: Final = 64 * 1024 * 1024  # one picture in base64

_encode = msgspec.json.Encoder().encode


class OpenAIImages(Struct, frozen=True, kw_only=True):
    """Implements `core.images.ImageFormat`. A vendor's file says which words the vendor `lacks` (those of `Draw`, and
    url: it answers only base64), whether it takes response_format at all, and whether it has the events."""

    task: Task
    lacks: frozenset[str] = frozenset()
    takes_delivery: bool = True
    has_events: bool = False
    only_addresses: bool = False

    @property
    def name(self) -> str:
        return NAME

    @property
    def inlines(self) -> bool:
        """Say whether pictures must be inside a request: files of a form are."""
        return self.task != "generation"

    def path(self, model: str) -> str:
        return PATHS[self.task]

    def read(self, body: bytes) -> Draw:
        """Read a client's request. Raises BadRequest."""
        return _READERS[self.task](body)

    def only_as_job(self, model: str) -> bool:
        return False

    def streams(self, question: Draw) -> bool:
        return question.stream and self.has_events

    def forwards(self, question: Draw) -> bool:
        """Say whether the vendor reads what the caller wrote, and answers what the caller reads."""
        if self.inlines or (question.stream and not self.has_events):
            return False
        if question.delivery is not None and not self.takes_delivery:
            return False
        if question.delivery == "url" and "url" in self.lacks:
            return False
        return not any(getattr(question, word) is not None for word in self.lacks & _WORDS.keys())

    def write(self, question: Draw, losses: Losses) -> bytes | Form:
        """Return the body of a request. Raises Unsupported for what would make it another picture, and for addresses
        where the vendor gives none."""
        asked = self._members(question, losses)
        if question.format == NAME:
            asked = {**question.extra, **asked}
        else:
            for name in question.extra:
                losses.drop(name)
        return _form(asked, question) if self.inlines else _encode(asked)

    def read_reply(self, body: bytes, question: Draw) -> Drawing:
        """Read a reply. Raises UpstreamFailed."""
        try:
            reply = _decode(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's pictures cannot be read.", kind="invalid") from error
        pictures = tuple(
            Picture(one.b64_json, one.url, one.revised_prompt) for one in reply.data or () if one.b64_json or one.url
        )
        if not pictures:
            raise UpstreamFailed("The upstream's reply has no pictures.", kind="empty")
        return Drawing(
            pictures=pictures,
            size=reply.size,
            quality=reply.quality,
            background=reply.background,
            output_format=reply.output_format,
            usage=read_image_usage(bytes(reply.usage), len(pictures), reply.size, reply.quality),
        )

    def write_reply(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        """Return the reply to `question`."""
        reply: dict[str, Any] = {"created": heading.created_s, "data": [_written(one) for one in answer.pictures]}
        reply |= {
            name: value
            for name in ("background", "output_format", "quality", "size")
            if (value := getattr(answer, name)) is not None
        }
        usage = answer.usage.usage if answer.usage else Usage()
        if usage.input_total + usage.output_total:
            reply["usage"] = write_image_usage(usage)
        return _encode(reply)

    def write_stream(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        """Return an event for each finished picture; the last one has the usage of all."""
        usage = answer.usage.usage if answer.usage else Usage()
        last = len(answer.pictures) - 1
        return b"".join(
            write_frame(
                _encode(
                    {
                        "type": f"{_EVENTS[question.task]}.completed",
                        "b64_json": picture.base64,
                        "created_at": heading.created_s,
                        "size": answer.size or str(question.size or "auto"),
                        "quality": answer.quality or question.quality or "auto",
                        "background": answer.background or question.background or "auto",
                        "output_format": answer.output_format or question.output_format or "png",
                        "usage": write_image_usage(usage if index == last else Usage()),
                    }
                )
            )
            for index, picture in enumerate(answer.pictures)
        )

    def _members(self, question: Draw, losses: Losses) -> dict[str, Any]:
        asked: dict[str, Any] = {"model": question.model}
        if question.task != "variation":
            asked["prompt"] = question.prompt
        asked["n"] = question.n
        if question.size is not None:
            asked["size"] = str(question.size)
        for word, name in _WORDS.items():
            if (value := getattr(question, word)) is None:
                continue
            if word not in self.lacks:
                asked[name] = value
            elif word in _MINOR or value in _PLAIN:
                losses.drop(name)
            else:
                raise losses.refuse(name)
        if question.mask is not None and "mask" in self.lacks:
            raise losses.refuse("mask")
        if question.delivery == "url" and "url" in self.lacks:
            raise losses.refuse("response_format", f"cannot be url: {losses.target} gives its pictures as base64")
        if question.delivery is not None and self.takes_delivery:
            asked["response_format"] = question.delivery
        if question.stream and self.has_events:
            asked["stream"] = True
        return asked


def joined_events(stream: bytes) -> bytes:
    """Return the whole reply that says what a stream's events say; it has no pictures when the stream broke off."""
    reply: dict[str, Any] = {}
    pictures: list[Any] = []
    counts: list[Any] = []
    buffer = FrameBuffer(_MAX_FRAME_BYTES)
    for frame in (*split_frames(buffer.feed(stream)), buffer.take_rest()):
        data = data_of(frame)
        if not data or data.startswith(b"[DONE]"):
            continue
        event = _read_event(data)
        if event.get("error") is not None or event.get("type") == "error":
            return data
        if str(event.get("type")).endswith(".completed"):
            counts.append(event.pop("usage", None))
            pictures.append({"b64_json": event.pop("b64_json", None)})
            reply |= {"created": event.pop("created_at", 0), **event}
    reply.pop("type", None)
    return _encode({**reply, "data": pictures, "usage": _total(counts)})


GENERATIONS: Final = OpenAIImages(task="generation")
EDITS: Final = OpenAIImages(task="edit")
VARIATIONS: Final = OpenAIImages(task="variation")

_PLAIN: Final = ("opaque", "png")  # what pictures are anyway


class _Answered(Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Reply(Struct):
    data: list[_Answered] | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    usage: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Reply).decode
_decode_event = msgspec.json.Decoder(dict[str, Any]).decode


def _written(picture: Picture) -> dict[str, str]:
    members = {"b64_json": picture.base64, "url": picture.url, "revised_prompt": picture.revised_prompt}
    return {name: value for name, value in members.items() if value is not None}


def _read_event(data: bytes) -> dict[str, Any]:
    try:
        return _decode_event(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's pictures cannot be read.", kind="invalid") from error


def _total(counts: list[Any]) -> Any:
    """Return the sum of the usages of several pictures; None when one has none."""
    if not counts or not all(is_object(one) for one in counts):
        return None
    total: dict[str, Any] = {}
    for name in counts[0]:
        values = [one.get(name) for one in counts]
        total[name] = _total(values) if is_object(values[0]) else sum(one for one in values if type(one) is int)
    return total


def _form(asked: Mapping[str, Any], question: Draw) -> Form:
    """Return a form: several pictures under `image[]`, as OpenAI's SDKs name them."""
    name = "image[]" if len(question.pictures) > 1 else "image"
    files = [FormFile(name, f"image-{index}", _inside(one)) for index, one in enumerate(question.pictures)]
    if question.mask is not None:
        files.append(FormFile("mask", "mask", _inside(question.mask)))
    return write_form(asked, files)


def _inside(source: Source) -> Data:
    assert isinstance(source, Data), "files of a form are inside it"
    return source
