"""Films and sound in the ISO base media file format: MP4, QuickTime, M4A.

Boxes are walked in the order in which they come, so the index may stand before the film or behind it. A film in
fragments says its length in its head, or its fragments add up to it.
https://www.iso.org/standard/83102.html (ISO/IEC 14496-12), sections 4.2, 8.2.2, 8.3.2, 8.4.2, 8.4.3 and 8.8
"""

from collections.abc import Generator
from typing import Final

from msgspec import Struct

from tokengate.core.media.steps import Media, Peek, Rest, Skip, Step, Steps, Take, cut_off, damaged

_INSIDE: Final = frozenset({b"moov", b"trak", b"mdia", b"mvex", b"moof", b"traf"})  # boxes that are entered
_MAX_HEADER_BYTES: Final = 1024  # of a box that is read
_MAX_ROWS_BYTES: Final = 64 * 1024  # of samples in a fragment, at once
_MAX_TRACKS: Final = 1000
_UNKNOWN: Final = frozenset({0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF})
# Boxes that are read, with the least that they have after their head: version, flags and fields.
_READ: Final = {b"mvhd": 20, b"mehd": 8, b"tkhd": 84, b"mdhd": 20, b"hdlr": 12, b"trex": 16, b"tfhd": 8}
_LONG: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})  # have 12 bytes more where times are of 64 bits


def mp4(media_type: str) -> Steps:
    """Read a film."""
    index = _Index()
    at = until = 0  # where we are, and where the boxes that were entered end
    while head := (yield Peek(16)):
        size, kind, header_bytes = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header_bytes = int.from_bytes(head[8:], "big"), 16
        yield Skip(header_bytes)
        if size == 0:  # it goes on to the end
            yield Rest()
            return index.media(media_type)
        if size < header_bytes:
            raise damaged()
        if kind in _INSIDE:
            at += header_bytes
            until = max(until, at - header_bytes + size)
            index.enter(kind)
            continue
        at += size
        left_bytes = size - header_bytes
        if kind == b"trun":
            left_bytes -= yield from _run(index, left_bytes)
        elif kind in _READ:
            body = yield Take(min(left_bytes, _MAX_HEADER_BYTES))
            left_bytes -= len(body)
            index.read(kind, body)
        yield Skip(left_bytes)
    if at < until:
        raise cut_off()
    return index.media(media_type)


def _run(index: "_Index", size_bytes: int) -> Generator[Step, bytes, int]:
    """Add up a run of samples, and return how many bytes were taken. Raises BadMedia."""
    if size_bytes < 8:
        raise damaged()
    head = yield Take(8)
    flags, samples = int.from_bytes(head[1:4], "big"), int.from_bytes(head[4:], "big")
    if not flags & 0x100:
        index.add(samples * index.sample_duration)
        return 8
    stride = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    skipped_bytes = (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    taken_bytes = 8 + skipped_bytes + samples * stride
    if taken_bytes > size_bytes:
        raise damaged()
    yield Skip(skipped_bytes)
    while samples:
        rows = yield Take(min(samples, _MAX_ROWS_BYTES // stride) * stride)
        samples -= len(rows) // stride
        index.add(sum(int.from_bytes(rows[row : row + 4], "big") for row in range(0, len(rows), stride)))
    return taken_bytes


class _Track(Struct):
    """What is known of a track. Times are in ticks of its own."""

    kind: bytes = b""
    ticks_per_s: int = 0
    duration: int = 0
    fragments: int = 0  # what they add up to
    width: int = 0
    height: int = 0

    @property
    def duration_ms(self) -> int:
        return (self.duration + self.fragments) * 1000 // self.ticks_per_s if self.ticks_per_s else 0


class _Index:
    """What the boxes have said so far."""

    def __init__(self) -> None:
        self.sample_duration = 0  # in the fragment that is being read
        self._ticks_per_s = 0
        self._duration = 0
        self._has_index = False
        self._track = _Track()  # that is being read
        self._tracks: list[_Track] = []
        self._by_number: dict[int, _Track] = {}
        self._sample_durations: dict[int, int] = {}  # by track

    def enter(self, kind: bytes) -> None:
        """Note that the boxes that follow are parts of this one."""
        self._has_index = self._has_index or kind == b"moov"
        if kind == b"trak":
            if len(self._tracks) == _MAX_TRACKS:
                raise damaged()
            self._track = _Track()
            self._tracks.append(self._track)

    def read(self, kind: bytes, body: bytes) -> None:
        """Read a box. Raises BadMedia when it is too short."""
        is_long = body[:1] == b"\x01"
        if len(body) < _READ[kind] + (12 if is_long and kind in _LONG else 0):
            raise damaged()
        track = self._track
        match kind:
            case b"mvhd":
                self._ticks_per_s, duration = _clock(body, is_long=is_long)
                self._duration = duration or self._duration
            case b"mehd":
                self._duration = _known(body[4:12] if is_long else body[4:8]) or self._duration
            case b"tkhd":
                size = body[88:96] if is_long else body[76:84]
                track.width, track.height = _number(size[:2]), _number(size[4:6])
                self._by_number[_number(body[20:24] if is_long else body[12:16])] = track
                if len(self._by_number) > _MAX_TRACKS:
                    raise damaged()
            case b"mdhd":
                track.ticks_per_s, track.duration = _clock(body, is_long=is_long)
            case b"hdlr":
                track.kind = track.kind or body[8:12]
            case b"trex":
                self._sample_durations[_number(body[4:8])] = _number(body[12:16])
                if len(self._sample_durations) > _MAX_TRACKS:
                    raise damaged()
            case _:
                self._begin_fragment(body)

    def add(self, duration: int) -> None:
        """Note a part of a fragment."""
        self._track.fragments += duration

    def media(self, media_type: str) -> Media:
        """Return what was said. Raises BadMedia for a film without an index or without a track."""
        if not self._has_index or not self._ticks_per_s:
            raise damaged("has no index, without which it cannot be played")
        film = next((track for track in self._tracks if track.kind == b"vide"), None)
        sounds = [track.duration_ms for track in self._tracks if track.kind == b"soun"]
        if film is None and not sounds:
            raise damaged("has neither pictures nor sound")
        duration_ms = self._duration * 1000 // self._ticks_per_s
        if not duration_ms or any(track.fragments for track in self._tracks):
            duration_ms = max(duration_ms, *(track.duration_ms for track in self._tracks))
        return Media(
            media_type=media_type,
            width=(film and film.width) or None,
            height=(film and film.height) or None,
            duration_ms=duration_ms or None,
            has_sound=bool(sounds),
            sound_ms=max(sounds, default=None),
        )

    def _begin_fragment(self, body: bytes) -> None:
        number, flags = _number(body[4:8]), _number(body[1:4])
        self._track = self._by_number.get(number, _Track())
        at = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
        own = _number(body[at : at + 4]) if flags & 0x8 else None
        self.sample_duration = self._sample_durations.get(number, 0) if own is None else own


def _clock(body: bytes, *, is_long: bool) -> tuple[int, int]:
    """Return ticks in a second and a duration in ticks; 0 when it is not known."""
    at = 20 if is_long else 12
    return _number(body[at : at + 4]), _known(body[at + 4 : at + (12 if is_long else 8)])


def _known(field: bytes) -> int:
    duration = _number(field)
    return 0 if duration in _UNKNOWN else duration


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
