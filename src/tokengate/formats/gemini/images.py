"""Pictures by Gemini's models that draw: generateContent, asked to answer in pictures.

https://ai.google.dev/gemini-api/docs/image-generation, 2026-11. A size is a ratio and a resolution there, so only sizes
of its ratios can be asked for; how large the pictures are, they say themselves.
"""

from fractions import Fraction
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Draw, Drawing, Picture, Size, Task
from tokengate.core.parts import Data, Source
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.gemini.path import action
from tokengate.formats.gemini.signatures import NAME
from tokengate.formats.gemini.usage import read_usage

_RATIOS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_BY_RATIO: Final = {Fraction(*map(int, ratio.split(":"))): ratio for ratio in _RATIOS}
# From how long a longer side on a picture needs the larger resolutions; below them the model's own, 1K, does.
_RESOLUTIONS: Final = ((3072, "4K"), (1600, "2K"))
_BLOCKED: Final = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
    | {"RECITATION", "SPII"}
)

_encode = msgspec.json.Encoder().encode


class GeminiImages(Struct, frozen=True, kw_only=True):
    """Implements the vendor's side of `core.images.ImageFormat`: Google's own clients ask for pictures in chats."""

    task: Task
    inlines: bool = True
    only_addresses: bool = False

    @property
    def name(self) -> str:
        return NAME

    def path(self, model: str) -> str:
        return action(model, "generateContent")

    def read(self, body: bytes) -> Draw:
        raise AssertionError("Gemini's clients ask for pictures in chats")

    def only_as_job(self, model: str) -> bool:
        return False

    def streams(self, question: Draw) -> bool:
        return False

    def forwards(self, question: Draw) -> bool:
        return False

    def write(self, question: Draw, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported."""
        if question.n > 1:
            raise losses.refuse("n", f"must be 1: {losses.target} makes one picture at a time")
        if question.mask is not None:
            raise losses.refuse("mask")
        if question.background == "transparent":
            raise losses.refuse("background")
        if question.output_format not in (None, "png"):
            raise losses.refuse("output_format", f"must be png at {losses.target}")
        if question.delivery == "url":
            raise losses.refuse("response_format", f"cannot be url: {losses.target} gives its pictures as base64")
        if question.negative_prompt is not None:
            raise losses.refuse("negative_prompt")
        for word, name in _DROPPED.items():
            if getattr(question, word) is not None:
                losses.drop(name)
        for name in question.extra:
            losses.drop(name)
        config: dict[str, Any] = {"responseModalities": ["IMAGE"]}
        if question.seed is not None:
            config["seed"] = question.seed
        if question.size is not None:
            config["imageConfig"] = _image_config(question.size, losses)
        parts: list[dict[str, Any]] = [_part(source) for source in question.pictures]
        parts.append({"text": question.prompt})
        return _encode({"contents": [{"role": "user", "parts": parts}], "generationConfig": config})

    def read_reply(self, body: bytes, question: Draw) -> Drawing:
        """Read a reply. Raises UpstreamFailed, as the caller's fault where the vendor would not draw that."""
        try:
            reply = _decode(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's pictures cannot be read.", kind="invalid") from error
        found = [
            part.inline_data
            for candidate in reply.candidates
            for part in (candidate.content.parts if candidate.content else ())
            if part.inline_data is not None and not part.thought and part.inline_data.mime_type.startswith("image/")
        ]
        if not found:
            raise _absence(reply)
        pictures = tuple(Picture(base64=_plain(one.data)) for one in found)
        reported = read_usage(bytes(reply.usage_metadata)) or ReportedUsage(Usage(), b"")
        usage = replace(reported, usage=replace(reported.usage, image=len(pictures)))
        kind = found[0].mime_type.removeprefix("image/")
        return Drawing(pictures=pictures, output_format=kind, usage=_in_pictures(usage))

    def write_reply(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        raise AssertionError("Gemini's clients ask for pictures in chats")

    def write_stream(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        raise AssertionError("Gemini's clients ask for pictures in chats")


# The vocabulary's words that it does not know and that change little, under OpenAI's names.
_DROPPED: Final = {
    "quality": "quality",
    "compression": "output_compression",
    "moderation": "moderation",
    "fidelity": "input_fidelity",
    "partial_images": "partial_images",
    "style": "style",
    "user": "user",
}


class _Blob(Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class _Part(Struct, rename="camel"):
    inline_data: _Blob | None = None
    thought: bool = False


class _Content(Struct):
    parts: list[_Part] = []


class _Candidate(Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(Struct, rename="camel"):
    block_reason: str | None = None


class _Reply(Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Reply).decode


def _image_config(size: Size, losses: Losses) -> dict[str, str]:
    ratio = _BY_RATIO.get(Fraction(size.width, size.height))
    if ratio is None:
        raise losses.refuse("size", f"must be of one of the ratios {', '.join(_RATIOS)} at {losses.target}")
    longer = max(size.width, size.height)
    resolution = next((name for least, name in _RESOLUTIONS if longer >= least), None)
    return {"aspectRatio": ratio, **({"imageSize": resolution} if resolution else {})}


def _part(source: Source) -> dict[str, Any]:
    assert isinstance(source, Data), "pictures are inside such a request"
    return {"inlineData": {"mimeType": source.media_type, "data": source.base64}}


def _plain(data: str) -> str:
    """Return base64 in its usual alphabet; Google's own may be that of addresses."""
    return data.replace("-", "+").replace("_", "/")


def _in_pictures(reported: ReportedUsage) -> ReportedUsage:
    """Return the usage with what was written counted as the picture's where no modality was named."""
    usage = reported.usage
    if usage.image_out or not usage.output:
        return reported
    return replace(reported, usage=replace(usage, output=0, image_out=usage.output))


def _absence(reply: _Reply) -> UpstreamFailed:
    reason = reply.prompt_feedback.block_reason if reply.prompt_feedback else None
    if reason is None and reply.candidates:
        reason = reply.candidates[0].finish_reason
        if reason not in _BLOCKED:
            return UpstreamFailed("The upstream's reply has no pictures.", kind="empty")
    if reason is None:
        return UpstreamFailed("The upstream's reply has no pictures.", kind="empty")
    return UpstreamFailed(
        f"The upstream did not make this picture ({reason}).",
        kind="request",
        status=400,
        type="invalid_request_error",
        code="content_policy_violation",
    )
