"""Films and sound in WebM and Matroska.

Elements are walked in the order in which they come. Their ids tell them apart wherever they stand, so the tree is not
kept: what has parts is entered, all else passed over. Once the head has said how long the film is, so are clusters.
https://www.rfc-editor.org/rfc/rfc8794 (EBML) and https://www.rfc-editor.org/rfc/rfc9559 (Matroska)
"""

import math
import struct
from enum import IntEnum
from typing import Final

from tokengate.core.media.steps import Found, Media, Peek, Skip, Steps, cut_off, damaged

_CLUSTER: Final = 0x1F43B675
_DOC_TYPE: Final = 0x4282
# EBML, Segment, Info, Tracks, TrackEntry, Video, Cluster, BlockGroup: elements that are entered.
_INSIDE: Final = frozenset({0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, _CLUSTER, 0xA0})
_BLOCKS: Final = frozenset({0xA1, 0xA3})
_MAX_ID_BYTES: Final = 4
_MAX_NUMBER_BYTES: Final = 8
_BLOCK_HEAD_BYTES: Final = _MAX_NUMBER_BYTES + 2  # the track's number, and a time
_MAX_TICKS: Final = 1 << 52
_MAX_SCALE: Final = 10**9
_NANOS: Final = 1_000_000  # of a millisecond
_SOUND: Final = 2


class _Id(IntEnum):
    """Elements that are numbers."""

    SCALE = 0x2AD7B1
    DURATION = 0x4489
    TRACK_TYPE = 0x83
    WIDTH = 0xB0
    HEIGHT = 0xBA
    TIME = 0xE7
    BLOCK_DURATION = 0x9B


_NUMBERS: Final = frozenset(_Id)


def webm(media_type: str) -> Steps:
    """Read a film. One that was written live says no duration: its last block does."""
    said = _Said()
    at = until = 0  # where we are, and where the elements that were entered end
    while head := (yield Peek(_MAX_ID_BYTES + _MAX_NUMBER_BYTES)):
        id, id_bytes = _number(head, _MAX_ID_BYTES, keeps_mark=True)
        size, size_bytes = _number(head[id_bytes:], _MAX_NUMBER_BYTES, keeps_mark=False)
        yield Skip(id_bytes + size_bytes)
        at += id_bytes + size_bytes
        is_open = size == (1 << 7 * size_bytes) - 1  # its end is not known
        if id == _CLUSTER and not is_open and said.is_measured:
            said.has_frames = True
        elif id in _INSIDE:
            until = until if is_open else max(until, at + size)
            continue
        elif is_open:
            raise damaged()
        elif id in _NUMBERS and size <= _MAX_NUMBER_BYTES:
            said.read(id, (yield Peek(size)))
        elif id in _BLOCKS:
            said.block((yield Peek(min(size, _BLOCK_HEAD_BYTES))))
        elif id == _DOC_TYPE and size <= _MAX_NUMBER_BYTES:
            is_webm = (yield Peek(size)).rstrip(b"\0") == b"webm"
            media_type = "video/webm" if is_webm else "video/x-matroska"
            yield Found(media_type)
        yield Skip(size)
        at += size
    if at < until:
        raise cut_off()
    return said.media(media_type)


class _Said:
    """What the elements have said so far. Times are in ticks."""

    def __init__(self) -> None:
        self.has_frames = False
        self._scale = _NANOS  # of a tick, in nanoseconds
        self._duration: int | None = None
        self._sides: dict[int, int] = {}
        self._cluster = self._block = self._last = 0
        self._has_sound = False

    @property
    def is_measured(self) -> bool:
        return bool(self._duration)

    def read(self, id: int, field: bytes) -> None:
        """Read a number."""
        value = int.from_bytes(field, "big")
        match id:
            case _Id.SCALE:
                self._scale = min(value, _MAX_SCALE)
            case _Id.DURATION:
                self._duration = _ticks(field)
            case _Id.TRACK_TYPE:
                self._has_sound = self._has_sound or value == _SOUND
            case _Id.TIME:
                self._cluster = value
            case _Id.BLOCK_DURATION:
                self._last = max(self._last, self._block + value)
            case _:
                self._sides.setdefault(id, value)

    def block(self, head: bytes) -> None:
        """Note a block, which begins so many ticks after its cluster's time. Raises BadMedia."""
        _, number_bytes = _number(head, _MAX_NUMBER_BYTES, keeps_mark=False)
        after = head[number_bytes : number_bytes + 2]
        if len(after) < 2:
            raise cut_off()
        self.has_frames = True
        self._block = self._cluster + int.from_bytes(after, "big", signed=True)
        self._last = max(self._last, self._block)

    def media(self, media_type: str) -> Media:
        """Return what was said. Raises BadMedia for a film without frames."""
        if not self.has_frames:
            raise damaged("has neither pictures nor sound")
        duration_ms = min(self._duration or self._last, _MAX_TICKS) * self._scale // _NANOS
        return Media(
            media_type=media_type,
            width=self._sides.get(_Id.WIDTH) or None,
            height=self._sides.get(_Id.HEIGHT) or None,
            duration_ms=duration_ms or None,
            has_sound=self._has_sound,
            sound_ms=duration_ms if self._has_sound else None,
        )


def _number(data: bytes, most_bytes: int, *, keeps_mark: bool) -> tuple[int, int]:
    """Return a number of variable length, and its length: as many bytes as the first one has zeros before a one. Raises
    BadMedia."""
    if not data:
        raise cut_off()
    length = 9 - data[0].bit_length()
    if length > most_bytes:
        raise damaged()
    if length > len(data):
        raise cut_off()
    mark = 0 if keeps_mark else 1 << 8 - length
    return int.from_bytes(bytes([data[0] ^ mark]) + data[1:length], "big"), length


def _ticks(field: bytes) -> int | None:
    """Return a duration, which is a floating-point number; None for what is none."""
    if len(field) not in (4, 8):
        return None
    (value,) = struct.unpack(">f" if len(field) == 4 else ">d", field)
    return int(value) if math.isfinite(value) and 0 <= value < _MAX_TICKS else None
