"""Pictures: PNG, JPEG, WebP and GIF. Their size is bounded before anybody decodes them."""

from collections.abc import Generator
from typing import Final

from tokengate.core.media.steps import BadMedia, Media, Peek, Rest, Skip, Step, Steps, Take, cut_off, damaged
from tokengate.core.picture import HEAD_BYTES, size_of

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
MAX_PIXELS: Final = 64_000_000  # eight thousand by eight thousand: no vendor takes more, and a bomb has more

_MAX_CHUNKS: Final = 100_000  # of a PNG
_PNG_SIGNATURE_BYTES: Final = 8


def picture(media_type: str) -> Steps:
    """Read a picture."""
    head = yield Peek(HEAD_BYTES)
    size = size_of(head)
    if size is None:
        raise damaged()
    width, height = size
    if width * height > MAX_PIXELS:
        raise BadMedia(f"has {width}x{height} pixels, more than {MAX_PIXELS}", "media_too_large")
    match media_type:
        case "image/png":
            yield from _chunks()
        case "image/webp":
            yield Skip(8 + int.from_bytes(head[4:8], "little"))
        case "image/jpeg":
            if b"\xff\xd9" not in (yield Rest()):
                raise cut_off()
        case _:
            yield from _blocks()
    return Media(media_type=media_type, width=width, height=height)


def _chunks() -> Generator[Step, bytes, None]:
    """Pass over the chunks of a PNG, which follow each other up to its end, with some pixels among them."""
    yield Skip(_PNG_SIGNATURE_BYTES)
    has_pixels = False
    for _ in range(_MAX_CHUNKS):
        head = yield Take(8)
        yield Skip(int.from_bytes(head[:4], "big") + 4)
        if head[4:] == b"IEND":
            if not has_pixels:
                raise damaged()
            return
        has_pixels = has_pixels or head[4:] == b"IDAT"
    raise damaged()


def _blocks() -> Generator[Step, bytes, None]:
    """Pass over the blocks of a GIF up to its end, with a picture among them.

    https://www.w3.org/Graphics/GIF/spec-gif89a.txt, sections 17 to 27.
    """
    screen = yield Take(13)
    yield Skip(_palette_bytes(screen[10]))
    has_pixels = False
    while (kind := (yield Take(1))) != b";":
        if kind == b"!":
            yield Skip(1)
        elif kind == b",":
            frame = yield Take(9)
            yield Skip(_palette_bytes(frame[8]) + 1)
            has_pixels = True
        else:
            raise damaged()
        size = (yield Take(1))[0]
        while size:
            size = (yield Take(size + 1))[-1]
    if not has_pixels:
        raise damaged()


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
