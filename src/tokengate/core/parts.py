"""What messages are made of, whatever wire format they came in: text, media, tool calls and results, thinking.

A part says what it means, not how a vendor spells it. What only its own format understands travels beside it:
`extra` holds members that have no word here, an `Opaque` part a whole block.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Raw, Struct

Extra = Mapping[str, Raw]  # members without a word in the vocabulary: JSON by name, as the source format wrote them

NO_EXTRA: Extra = {}


class CacheMark(Struct, frozen=True):
    """A prompt-cache marker: what lies up to here is worth keeping for `ttl`."""

    ttl: Literal["5m", "1h"] = "5m"


class Url(Struct, frozen=True, tag="url"):
    """Bytes that lie at an address, which may also be a vendor's own (`oss://`, `gs://`)."""

    url: str


class Data(Struct, frozen=True, tag="data"):
    """Bytes inside the request: `base64` without a `data:` head."""

    media_type: str
    base64: str


class FileId(Struct, frozen=True, tag="file_id"):
    """Bytes that were uploaded before, known to one vendor by this id."""

    id: str


Source = Url | Data | FileId


def without_bytes(source: Source) -> Source:
    """Return a source that says no more than what kind of bytes it had, if it had them inside."""
    return Data(source.media_type, "") if isinstance(source, Data) else source


class Citation(Struct, frozen=True):
    """Where a piece of text comes from. `start` and `end` are characters of the text it stands on; -1 when unknown.

    `raw` is the citation as `format` wrote it, for a return to that format.
    """

    url: str = ""
    title: str = ""
    quote: str = ""
    start: int = -1
    end: int = -1
    format: str = ""
    raw: Raw | None = None


class Text(Struct, frozen=True, tag="text"):
    """`phase` is OpenAI's word for what the assistant says on the way (commentary) or as its answer (final_answer).
    What is `apart` begins a message of its own: Responses may have several of one phase in a row."""

    text: str
    cache: CacheMark | None = None
    citations: tuple[Citation, ...] = ()
    extra: Extra = NO_EXTRA
    phase: str = ""
    apart: bool = False


class Image(Struct, frozen=True, tag="image"):
    """A picture. `detail` is OpenAI's low | high | auto | original; pixel bounds are Qwen's."""

    source: Source
    detail: str | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class Audio(Struct, frozen=True, tag="audio"):
    """Sound. `transcript` and `id` are set on what a model said."""

    source: Source
    transcript: str = ""
    id: str = ""
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class Video(Struct, frozen=True, tag="video"):
    """A film: one source, or the addresses of its frames. `fps` is the rate at which it is looked at."""

    frames: tuple[Source, ...]  # one source when `whole`
    whole: bool = True
    fps: float | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None
    max_frames: int | None = None
    start_s: float | None = None  # of the clip inside the film
    end_s: float | None = None
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class File(Struct, frozen=True, tag="file"):
    """A document, such as a PDF or plain text."""

    source: Source
    name: str = ""
    title: str = ""
    context: str = ""
    citations: bool = False  # the model shall quote it
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class ToolCall(Struct, frozen=True, tag="tool_call"):
    """The model asks for a function. `arguments` is JSON text, which a model may also have written wrongly.

    `signature` is Gemini's thought signature of this call, to be sent back with it.
    """

    id: str
    name: str
    arguments: str
    signature: str = ""
    custom: bool = False  # OpenAI's custom tools take any text as input
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class ToolResult(Struct, frozen=True, tag="tool_result"):
    """What a function gave back; part of a user's message. `content` holds text, images and files."""

    call_id: str
    content: tuple["Part", ...]
    name: str = ""  # of the function; empty when the format does not say
    is_error: bool = False
    custom: bool = False
    cache: CacheMark | None = None
    extra: Extra = NO_EXTRA


class Thinking(Struct, frozen=True, tag="thinking"):
    """What a model thought. `signature` proves it to the vendor whose `format` it is; `redacted` thinking has no
    text, and its signature is the sealed whole. Responses items have an `id`, and are `summary` when the vendor tells
    only the gist."""

    text: str
    signature: str = ""
    format: str = ""
    redacted: bool = False
    summary: bool = False
    id: str = ""
    extra: Extra = NO_EXTRA


class Refusal(Struct, frozen=True, tag="refusal"):
    """The model declines, in words."""

    text: str
    extra: Extra = NO_EXTRA


class Opaque(Struct, frozen=True, tag="opaque"):
    """A block that only its own format understands, such as a built-in tool's call or result. `kind` is its type."""

    format: str
    kind: str
    raw: Raw


Part = Text | Image | Audio | Video | File | ToolCall | ToolResult | Thinking | Refusal | Opaque
