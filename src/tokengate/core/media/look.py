"""Looks at a file of pictures, sound or film: as its bytes pass, or where it lies, of which as little is read as tells.

Both say the same of the same file. What takes too many steps to look through is not measured.
"""

from collections.abc import Callable
from typing import IO, Final, assert_never

from tokengate.core.media.flac import flac
from tokengate.core.media.mp4 import mp4
from tokengate.core.media.mpeg import mpeg, tag_bytes
from tokengate.core.media.ogg import ogg
from tokengate.core.media.pictures import PICTURES, picture
from tokengate.core.media.steps import (
    TAIL_BYTES,
    BadMedia,
    Found,
    Media,
    Peek,
    Rest,
    Skip,
    Step,
    Steps,
    Take,
    cut_off,
    unknown,
)
from tokengate.core.media.wav import wav
from tokengate.core.media.webm import webm
from tokengate.core.media_type import HEAD_BYTES, seen_type

_MAX_STEPS: Final = 1_000_000  # about a second; a film of three hours that was written live has so many

_FORMATS: Final[dict[str, Callable[[str], Steps]]] = {
    **dict.fromkeys(PICTURES, picture),
    "audio/mpeg": mpeg,
    "audio/wav": wav,
    "audio/flac": flac,
    "audio/ogg": ogg,
    "audio/mp4": mp4,
    "video/mp4": mp4,
    "video/quicktime": mp4,
    "video/webm": webm,
    "video/x-matroska": webm,
}
_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
}
_TAGGED: Final = frozenset({"audio/mpeg", "audio/flac"})  # sound before which programs put ID3 tags


class Look:
    """Feed it every byte once, in pieces of any size, and then ask for the `end`.

    `media_type` is known once the first bytes have come. What is wrong is a BadMedia as soon as it shows.
    """

    def __init__(self) -> None:
        self.media_type: str | None = None
        self._waiting = bytearray()
        self._at: int = 0  # how much of what waits has been taken
        self._steps = _file()
        self._step: Step = next(self._steps)
        self._left = _MAX_STEPS
        self._media: Media | None = None
        self._tail = b""
        self._ended = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises BadMedia."""
        self._tail = (self._tail + piece[-TAIL_BYTES:])[-TAIL_BYTES:]
        if self._media is None:
            self._waiting += piece
            self._walk()
            del self._waiting[: self._at]
            self._at = 0

    def end(self) -> Media:
        """Return what the file says of itself. Raises BadMedia when it is not whole, or no file of these kinds."""
        self._ended = True
        self._walk()
        if self._media is None:
            raise cut_off()
        return self._media

    def _walk(self) -> None:
        while self._media is None and (given := self._given()) is not None:
            if isinstance(self._step, Found):
                self.media_type = self._step.media_type
            try:
                self._step = self._steps.send(given)
            except StopIteration as done:
                self._media = done.value
                return
            self._left -= 1
            if not self._left:
                self._media = _unmeasured(self.media_type)

    def _given(self) -> bytes | None:
        """Return what was asked for; None when it has not come yet."""
        there = len(self._waiting) - self._at
        match self._step:
            case Found():
                return b""
            case Take(size):
                if there < size:
                    return None
                self._at += size
                return bytes(self._waiting[self._at - size : self._at])
            case Peek(size):
                return bytes(self._waiting[self._at : self._at + size]) if there >= size or self._ended else None
            case Skip(size):
                self._at += min(size, there)
                if there < size:
                    self._step = Skip(size - there)
                    return None
                return b""
            case Rest():
                self._at += there
                return self._tail if self._ended else None
            case _:
                assert_never(self._step)


def look_at(content: IO[bytes], size_bytes: int) -> Media:
    """Return what a file says of itself. Raises BadMedia."""
    steps, at, given = _file(), 0, b""
    found: str | None = None
    try:
        step = next(steps)
        for _ in range(_MAX_STEPS):
            match step:
                case Found(found):
                    given = b""
                case Peek(size):
                    given = _read(content, at, min(size, size_bytes - at))
                case Rest():
                    at, given = size_bytes, _read(content, max(0, size_bytes - TAIL_BYTES), TAIL_BYTES)
                case Take(size) | Skip(size):
                    if at + size > size_bytes:
                        raise cut_off()
                    given = _read(content, at, size) if isinstance(step, Take) else b""
                    at += size
                case _:
                    assert_never(step)
            step = steps.send(given)
    except StopIteration as done:
        return done.value
    return _unmeasured(found)


def is_looked_at(kind: str) -> bool:
    """Say whether files of this media type are known by their bytes."""
    return _ALIASES.get(kind, kind) in _FORMATS


def require_declared(declared: str, seen: str) -> None:
    """Raise BadMedia when a file is said to be a picture, sound or film of another type than it is. What says nothing,
    such as application/octet-stream, is not believed."""
    kind = declared.partition(";")[0].strip().lower()
    if kind.startswith(("image/", "audio/", "video/")) and not kind.endswith("/*") and _ALIASES.get(kind, kind) != seen:
        raise BadMedia(f"is {seen}, not {kind[:60]} as it says", "invalid_media_format")


def _read(content: IO[bytes], at: int, size_bytes: int) -> bytes:
    content.seek(at)
    return content.read(size_bytes)


def _file() -> Steps:
    """Read any file. What does not begin as anything else may be frames of MPEG sound behind what is none."""
    head = yield Peek(HEAD_BYTES)
    is_tagged = False
    while head[:3] == b"ID3" and len(head) >= 10:
        is_tagged = True
        yield Found("audio/mpeg")
        yield Skip(tag_bytes(head))
        head = yield Peek(HEAD_BYTES)
    media_type = seen_type(head)
    if media_type is None or (is_tagged and media_type not in _TAGGED):
        media_type = "audio/mpeg"
    elif media_type in _FORMATS:
        yield Found(media_type)
    else:
        raise unknown()
    return (yield from _FORMATS[media_type](media_type))


def _unmeasured(media_type: str | None) -> Media:
    """Return what is known of a file that was not looked through: no picture, since these have few parts."""
    assert media_type is not None and media_type not in PICTURES, "what has many parts was found to be something"
    return Media(media_type=media_type, has_sound=True)
