"""Sound in WAV: chunks, of which `fmt ` says how many bytes a second has, and `data` how many there are.

https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html; RF64 is EBU Tech 3306.
"""

from typing import Final

from tokengate.core.media.steps import Peek, Skip, Steps, Take, damaged, sound

_UNMEASURED: Final = 0x7FFFF000  # from here on a size means that the writer did not know it: it wrote to a pipe
_COUNTED_BYTES: Final = 64 * 1024
_PLAIN: Final = frozenset({1, 3, 6, 7, 0xFFFE})  # a fixed number of bytes for each sample


def wav(media_type: str) -> Steps:
    """Read a WAV file up to the end of its sound."""
    yield Skip(12)
    bytes_per_s = 0
    while True:
        head = yield Take(8)
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"fmt ":
            bytes_per_s = _bytes_per_s((yield Take(16)))
            size = max(0, size - 16)
        if head[:4] == b"data":
            break
        yield Skip(size + size % 2)
    if not bytes_per_s:
        raise damaged("has sound before the header that says what it is")
    if 0 < size < _UNMEASURED:
        yield Skip(size)
        return sound(media_type, size * 1000 // bytes_per_s)
    there = 0
    while piece := (yield Peek(_COUNTED_BYTES)):
        there += len(piece)
        yield Skip(len(piece))
    return sound(media_type, there * 1000 // bytes_per_s)


def _bytes_per_s(fmt: bytes) -> int:
    kind, channels = int.from_bytes(fmt[:2], "little"), int.from_bytes(fmt[2:4], "little")
    rate, declared = int.from_bytes(fmt[4:8], "little"), int.from_bytes(fmt[8:12], "little")
    frame_bytes = int.from_bytes(fmt[12:14], "little")
    bytes_per_s = rate * frame_bytes if kind in _PLAIN else declared
    if not channels or not rate or not bytes_per_s:
        raise damaged()
    return bytes_per_s
