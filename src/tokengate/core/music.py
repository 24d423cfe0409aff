"""Music made from words and from other music, in words of no vendor: what is asked, and what came of it.

A clip is one piece of music. Vendors know clips and tasks by ids of their own, which callers never see.
"""

from collections.abc import Collection, Mapping
from typing import Literal, Self

import msgspec
from msgspec import Raw, Struct

from tokengate.core.jobs import Most, Task, VendorFile
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.usage import ReportedUsage, Usage

MusicAction = Literal[
    "create",
    "extend",
    "cover",
    "upload_extend",
    "upload_cover",
    "replace_section",
    "concat",
    "stems",
    "midi",
    "lyrics",
    "mp4",
    "wav",
    "timing",
    "beats",
    "tags",
]


class Origin(Struct, frozen=True):
    """A clip that is worked on, as the vendor that made it knows it."""

    clip: str
    task: str  # that made it
    action: MusicAction  # which the task was
    upstream: str = ""  # of ours, that has it
    part_of: str = ""  # the clip that it extends, or of which it is a section


class Compose(Task, frozen=True, kw_only=True):
    """One operation on music. None leaves a choice to the vendor; `extra` is what only its own `format` understands.

    Lengths of time and weights are decimal strings: weights from 0 to 1, times in seconds.
    """

    action: MusicAction
    prompt: str | None = None  # the lyrics in custom mode, otherwise what it should be about
    title: str | None = None
    tags: str | None = None
    negative_tags: str | None = None
    custom: bool = False
    instrumental: bool | None = None
    vocal_gender: Literal["m", "f"] | None = None
    style_weight: str | None = None
    weirdness: str | None = None
    audio_weight: str | None = None
    clip_id: str | None = None  # ours, of what is worked on
    origin: Origin | None = None  # what `clip_id` is; known once the gateway has looked it up
    continue_at_s: str | None = None
    from_s: str | None = None
    to_s: str | None = None
    upload_url: str | None = None
    stem: Literal["two", "all"] | None = None
    callback_url: str = ""  # where the caller wants to be told of the end
    extra: Extra = NO_EXTRA

    @property
    def most(self) -> Most:
        return Most(Usage(request=1), task=self.action)

    @property
    def upstream(self) -> str:
        """The upstream that has the clip."""
        return self.origin.upstream if self.origin else ""

    @property
    def essential(self) -> frozenset[str]:
        """None of `extra` changes what is made."""
        return frozenset()

    def light(self) -> Self:
        """Return itself: it carries no bytes."""
        return self


class Clip(Struct, frozen=True, omit_defaults=True):
    """One piece of music that a task made. `id` is the vendor's; `files` are names of the job's files, by what they
    are: audio, video, image, image_large, midi, wav."""

    id: str
    title: str = ""
    tags: str = ""
    prompt: str = ""
    kind: str = ""  # gen, stem, upload, ...
    model: str = ""  # the vendor's name of it
    version: str = ""  # such as v5
    duration_s: str | None = None  # decimal
    created: str = ""  # as the vendor wrote it
    files: dict[str, str] = {}


class Lyrics(Struct, frozen=True, omit_defaults=True):
    """Words for a song."""

    text: str
    title: str = ""
    tags: tuple[str, ...] = ()


class Made(Struct, frozen=True, omit_defaults=True):
    """What came of a task: `Progress.kept` of music. `task` is the vendor's id of the task; `details` is JSON of the
    vendor's that has no files: words on a timeline, beats, notes."""

    task: str
    clips: tuple[Clip, ...] = ()
    lyrics: tuple[Lyrics, ...] = ()
    tags: str = ""
    details: Raw = Raw()
    files: dict[str, str] = {}  # of a task that made no clip, such as a film of one


# How a file of each kind is called and what it is, when its address does not say.
_KINDS: dict[str, tuple[str, str]] = {
    "audio": (".mp3", "audio/mpeg"),
    "video": (".mp4", "video/mp4"),
    "image": (".jpeg", "image/jpeg"),
    "image_large": ("-large.jpeg", "image/jpeg"),
    "wav": (".wav", "audio/wav"),
    "midi": (".mid", "audio/midi"),
}
# Without these a clip is still a clip.
_EXTRAS = frozenset({"video", "image", "image_large", "midi"})

# One task is one request, whatever it made; a vendor's own credits are no money of ours.
DELIVERED = ReportedUsage(Usage(request=1), b"")

_decode_made = msgspec.json.Decoder(Made).decode
_encode = msgspec.json.encode


def write_made(made: Made) -> bytes:
    """Return what `read_made` reads."""
    return _encode(made)


def read_made(kept: bytes) -> Made | None:
    """Return what came of a task; None while nothing did."""
    return _decode_made(kept) if kept else None


def files_of(stem: str, urls: Mapping[str, str | None], *, optional: Collection[str] = _EXTRAS) -> list[VendorFile]:
    """Return the vendor's files at these addresses by what they are; names begin with `stem`, such as `clip-1.mp3`."""
    return [
        VendorFile(f"{stem}{_KINDS[kind][0]}", url=url, media_type=_KINDS[kind][1], optional=kind in optional)
        for kind, url in urls.items()
        if url
    ]


def names_of(stem: str, urls: Mapping[str, str | None]) -> dict[str, str]:
    """Return the names that `files_of` gives, by what they are."""
    return {kind: f"{stem}{_KINDS[kind][0]}" for kind, url in urls.items() if url}
