"""How a format reads a file: a generator that asks for the next bytes, or to be rid of them.

A format does not see the end of the file unless it asks: one that is not given what it asked for is cut off.
"""

from collections.abc import Generator
from typing import Final, Literal

from msgspec import Struct

TAIL_BYTES: Final = 1024  # of a file, for formats whose end is marked there

Code = Literal["invalid_media_format", "invalid_media", "media_too_large"]


class Media(Struct, frozen=True, kw_only=True):
    """What a file says of itself; what it does not say is None.

    `duration_ms` is of the whole, and `sound_ms` of its sound where that is told apart.
    """

    media_type: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    has_sound: bool = False
    sound_ms: int | None = None


class BadMedia(Exception):
    """A file is not what it should be; `why` follows its name in a sentence, such as "is cut off"."""

    def __init__(self, why: str, code: Code) -> None:
        super().__init__(why)
        self.why = why
        self.code: Code = code


class Found(Struct, frozen=True):
    """What the file is; a later one knows better."""

    media_type: str


class Take(Struct, frozen=True):
    """Give me exactly so many bytes."""

    size: int


class Peek(Struct, frozen=True):
    """Show me so many bytes, or what there is before the end, and give them again."""

    size: int


class Skip(Struct, frozen=True):
    """Pass over so many bytes, all of which are there."""

    size: int


class Rest(Struct, frozen=True):
    """Pass over all that follows, and give the last `TAIL_BYTES` of the file."""


Step = Found | Take | Peek | Skip | Rest
Steps = Generator[Step, bytes, Media]


def sound(media_type: str, duration_ms: int | None) -> Media:
    """Return what a file of sound alone says."""
    return Media(media_type=media_type, duration_ms=duration_ms, has_sound=True, sound_ms=duration_ms)


def unknown() -> BadMedia:
    """Return the failure of a file that is of none of the formats."""
    return BadMedia("is no picture, sound or film of a known format", "invalid_media_format")


def cut_off() -> BadMedia:
    """Return the failure of a file whose end is missing."""
    return BadMedia("is cut off", "invalid_media")


def damaged(why: str = "is damaged") -> BadMedia:
    """Return the failure of a file that does not keep to its format."""
    return BadMedia(why, "invalid_media")
