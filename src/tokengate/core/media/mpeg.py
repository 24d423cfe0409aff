"""MPEG sound, of which MP3 is one: frames one after the other, each with a head that says how long it is.

http://www.mp3-tech.org/programmer/frame_header.html and http://gabriel.mp3-tech.org/mp3infotag.html
"""

from collections.abc import Generator
from functools import cache
from typing import Final, NamedTuple

from tokengate.core.media.steps import Found, Peek, Skip, Step, Steps, cut_off, damaged, sound, unknown

_NEAR_BYTES: Final = 64 * 1024  # within which a frame is looked for, and frames are read at once
_HEAD_BYTES: Final = 4
_MAX_GAPS: Final = 100  # between frames; each is searched through for the next one
_FIRST_FRAME_BYTES: Final = 192  # an encoder's table of contents begins within it

# By version and layer, bit rates in kbit/s.
_KBITS: Final = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


class _Frame(NamedTuple):
    """What the head of a frame says."""

    size_bytes: int
    samples: int
    rate: int


def mpeg(media_type: str) -> Steps:
    """Read sound, frame by frame. Raises BadMedia when there are none nearby."""
    if not (yield from _to_a_frame()):
        raise unknown()
    yield Found(media_type)
    first = _frame((yield Peek(_HEAD_BYTES)))
    assert first is not None, "a frame was found"
    told_frames = _told_frames((yield Peek(min(first.size_bytes, _FIRST_FRAME_BYTES))))
    if told_frames is not None:  # the frame that tells has no sound
        yield Skip(first.size_bytes)
    frames = gaps = 0
    samples: dict[int, int] = {}  # by rate
    while gaps <= _MAX_GAPS:
        near = yield Peek(_NEAR_BYTES)
        at = 0
        while (frame := _frame(near[at : at + _HEAD_BYTES])) is not None:
            frames += 1
            samples[frame.rate] = samples.get(frame.rate, 0) + frame.samples
            at += frame.size_bytes
        if at:
            yield Skip(at)
        elif (yield from _to_a_frame()):
            gaps += 1
        else:
            break
    else:
        raise damaged()
    if told_frames is not None and frames + 1 < told_frames:  # some encoders count the frame that tells
        raise cut_off()
    return sound(media_type, sum(count * 1000 // rate for rate, count in samples.items()))


def tag_bytes(head: bytes) -> int:
    """Return the size of an ID3 tag: seven bits of each byte count, and a footer may follow."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _to_a_frame() -> Generator[Step, bytes, bool]:
    """Pass over what is none, such as padding, to a frame that another one follows, or a tag, or the file's end; say
    whether there is one nearby."""
    near = yield Peek(_NEAR_BYTES)
    at = -1
    while (at := near.find(b"\xff", at + 1)) >= 0:
        frame = _frame(near[at : at + _HEAD_BYTES])
        if frame is None:
            continue
        after = near[at + frame.size_bytes :][:_HEAD_BYTES]
        is_last = at + frame.size_bytes == len(near) or after[:3] == b"TAG"
        if is_last or _frame(after) is not None:
            yield Skip(at)
            return True
    return False


def _frame(head: bytes) -> _Frame | None:
    """Return what a frame's head says; None when none begins here."""
    return _frame_of(head[1], head[2]) if len(head) == _HEAD_BYTES and head[0] == 0xFF else None


@cache  # there are at most 65,536
def _frame_of(second: int, third: int) -> _Frame | None:
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    kbits, rate, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
    if second & 0xE0 != 0xE0 or version == 1 or layer == 4 or kbits in (0, 15) or rate == 3:
        return None
    is_new = version == 3
    hertz = _RATES[version][rate]
    bits = _KBITS[(1, layer) if is_new else (2, min(layer, 2))][kbits] * 1000
    if layer == 1:
        return _Frame((12 * bits // hertz + padding) * 4, 384, hertz)
    samples = 576 if layer == 3 and not is_new else 1152
    return _Frame(samples // 8 * bits // hertz + padding, samples, hertz)


def _told_frames(first: bytes) -> int | None:
    """Return how many frames an encoder says there are, in a first frame that has no sound; None when it has."""
    for name in (b"Xing", b"Info"):
        at = first.find(name)
        if at > 0:
            has_count = len(first) >= at + 12 and first[at + 7] & 1
            return int.from_bytes(first[at + 8 : at + 12], "big") if has_count else 0
    at = first.find(b"VBRI")
    return int.from_bytes(first[at + 14 : at + 18], "big") if at > 0 else None
