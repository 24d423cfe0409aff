"""Films made from words, pictures and other films, in words of no vendor."""

from collections.abc import Mapping
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.images import Size
from tokengate.core.jobs import Most, Task
from tokengate.core.parts import NO_EXTRA, Extra, Source, without_bytes
from tokengate.core.usage import Usage

Resolution = Literal["480P", "720P", "1080P"]

SIZES: Mapping[Resolution, Size] = {"480P": Size(832, 480), "720P": Size(1280, 720), "1080P": Size(1920, 1080)}

_PIXELS: tuple[tuple[int, Resolution], ...] = ((480 * 854, "480P"), (720 * 1280, "720P"))


class FilmOrigin(Struct, frozen=True):
    """Where a film is that was made before: the upstream of ours that has it, and its own name for it."""

    upstream: str
    vendor_id: str


class Film(Task, frozen=True, kw_only=True):
    """A film to be made. None leaves a choice to the vendor; `extra` is what only its own `format` understands, and
    `essential` those of it that change what the film shows.

    `most_seconds` is what the reader of a format knows the vendor makes at most when `seconds` is not said.
    """

    prompt: str = ""
    negative_prompt: str | None = None
    first_frame: Source | None = None
    last_frame: Source | None = None
    audio: Source | None = None  # to which it is made
    remix_of: str | None = None  # a job of ours whose film is changed
    origin: FilmOrigin | None = None  # of that film
    seconds: int | None = None
    size: Size | None = None
    resolution: Resolution | None = None
    has_sound: bool | None = None
    seed: int | None = None
    extends_prompt: bool | None = None
    watermark: bool | None = None
    most_seconds: int = 15
    extra: Extra = NO_EXTRA
    essential: frozenset[str] = frozenset()

    @property
    def most(self) -> Most:
        resolution = self.resolution or (resolution_of(self.size) if self.size else None)
        usage = Usage(second=self.seconds or self.most_seconds, request=1)
        return Most(usage, size=str(self.size) if self.size else None, resolution=resolution)

    def light(self) -> Self:
        """Return it without the bytes of pictures and sound."""
        sources = {name: getattr(self, name) for name in ("first_frame", "last_frame", "audio")}
        return replace(self, **{name: without_bytes(source) for name, source in sources.items() if source is not None})

    @property
    def upstream(self) -> str:
        """The upstream that has the film that is changed."""
        return self.origin.upstream if self.origin else ""


class FilmTold(Struct, frozen=True, omit_defaults=True):
    """What a vendor says of a film beside it, as `Progress.told` keeps it."""

    revised_prompt: str = ""
    seconds: int = 0  # how long it will be; 0 when it does not say
    size: str = ""  # such as 1280x720


class FilmKept(Struct, frozen=True):
    """What a later job needs of a film, as `Progress.kept` keeps it."""

    vendor_id: str


def resolution_of(size: Size) -> Resolution:
    """Return the class in which vendors price a size: by its pixels, whichever way it stands."""
    pixels = size.width * size.height
    for most, name in _PIXELS:
        if pixels <= most:
            return name
    return "1080P"
