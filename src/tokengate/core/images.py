"""Pictures made from words, and from other pictures, in words of no vendor: what is asked, and what is answered."""

import re
from collections.abc import Mapping
from typing import Final, Literal, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core import jobs
from tokengate.core.parts import NO_EXTRA, Extra, Source, without_bytes
from tokengate.core.service import Answer, Service
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading

Task = Literal["generation", "edit", "variation"]
Delivery = Literal["b64_json", "url"]

# GPT image models write about a token for each patch of 16 pixels at high quality: 4,160 for 1024x1024, 6,240 for
# 1536x1024; 1,584 at medium, 408 at low. A partial image is 100. https://platform.openai.com/docs/guides/image-generation
# and its price table, 2026-11. Gemini's are 1,120 to 2,000, with thoughts beside them. A picture that is read has no
# more than one that is written.
_PATCH: Final = 16
_PARTIAL_TOKENS: Final = 100
_BESIDE_TOKENS: Final = 1_024
_TOKENS_IN: Final = 6_240
_SHARES: Final = {"low": (1, 8), "medium": (1, 2), "standard": (1, 2), "xhigh": (2, 1), "max": (4, 1)}
_MOST_PIXELS: Final = 8192 * 8192


class Size(Struct, frozen=True):
    """Pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


_DEFAULT_SIZE: Final = Size(1536, 1024)  # the largest that a vendor chooses by itself


class Draw(jobs.Task, frozen=True, kw_only=True):
    """Pictures to be made, at once or as a job. None leaves a choice to the vendor; `extra` is what only its own
    `format` understands."""

    task: Task
    prompt: str = ""
    pictures: tuple[Source, ...] = ()  # to be changed, or varied
    mask: Source | None = None  # where it is transparent the first picture is changed
    n: int = 1
    size: Size | None = None
    quality: str | None = None
    background: str | None = None  # transparent, opaque
    output_format: str | None = None  # png, jpeg, webp
    compression: int | None = None  # percent
    moderation: str | None = None
    fidelity: str | None = None  # to the pictures: high, low
    style: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    delivery: Delivery | None = None
    stream: bool = False
    partial_images: int | None = None
    user: str | None = None
    in_messages: bool = False  # a job that was asked for in a chat's messages, and is answered in them
    extra: Extra = NO_EXTRA
    essential: frozenset[str] = frozenset()  # those of `extra` that change what the picture shows

    @property
    def tokens_bound(self) -> int:
        """A bound of the tokens of one picture, where a vendor counts such."""
        size = self.size or _DEFAULT_SIZE
        pixels = min(size.width * size.height, _MOST_PIXELS)
        patches = pixels // _PATCH**2 + (size.width + size.height) // _PATCH
        times, of = _SHARES.get(self.quality or "", (1, 1))
        return patches * times // of + _PARTIAL_TOKENS * (self.partial_images or 0) + _BESIDE_TOKENS

    @property
    def most(self) -> jobs.Most:
        given = len(self.pictures) + (self.mask is not None)
        usage = Usage(
            input=len(self.prompt.encode()) + len((self.negative_prompt or "").encode()) + _BESIDE_TOKENS,
            image_in=given * _TOKENS_IN,
            output=self.n * self.tokens_bound,
            image=self.n,
            request=1,
        )
        return jobs.Most(usage, size=str(self.size) if self.size else None, quality=self.quality)

    def light(self) -> Self:
        """Return it without the bytes of pictures."""
        mask = without_bytes(self.mask) if self.mask else None
        return replace(self, pictures=tuple(map(without_bytes, self.pictures)), mask=mask)


class Made(Struct, frozen=True, omit_defaults=True):
    """What a vendor says of one picture beside it; one that failed has a `code`, and there is no file of it."""

    revised_prompt: str = ""
    code: str = ""
    message: str = ""


class DrawingTold(Struct, frozen=True, omit_defaults=True):
    """What a vendor says of a job's pictures, in their order, as `Progress.told` keeps it."""

    pictures: tuple[Made, ...] = ()


class Picture(Struct, frozen=True):
    """One picture of an answer: inside it, or at an address."""

    base64: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class Drawing(Answer, frozen=True, kw_only=True):
    """The answer. What the vendor did not say of its pictures is None."""

    pictures: tuple[Picture, ...]
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None


class ImageFormat(Service[Draw, Drawing], Protocol):
    """How one wire format makes pictures, for one task."""

    @property
    def task(self) -> Task: ...

    @property
    def inlines(self) -> bool:
        """Whether its vendor fetches nothing, so that pictures must be inside a request."""
        ...

    @property
    def only_addresses(self) -> bool:
        """Whether its replies have pictures at addresses alone."""
        ...

    def only_as_job(self, model: str) -> bool:
        """Say whether its vendor makes a model's pictures in no other way than as a job."""
        ...

    def streams(self, question: Draw) -> bool:
        """Say whether its vendor answers this in OpenAI's events."""
        ...

    def write_stream(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        """Return finished pictures as the caller's whole stream; `answer.usage` is always there."""
        ...


ImageFormats = Mapping[Task, ImageFormat]

NO_IMAGES: ImageFormats = {}

_wide = re.compile(r"([1-9]\d{0,4})[x*]([1-9]\d{0,4})").fullmatch


def read_size(text: str) -> Size | None:
    """Return a size such as 1024x1024, or 1024*1024 as DashScope has it; None for what is none."""
    found = _wide(text)
    return Size(int(found[1]), int(found[2])) if found else None
