"""Sound in Ogg: Opus, Vorbis, FLAC and Speex.

https://www.rfc-editor.org/rfc/rfc3533, and of the codecs' first packets https://www.rfc-editor.org/rfc/rfc7845
"""

from typing import Final, NamedTuple

from tokengate.core.media.steps import Peek, Skip, Steps, Take, damaged, sound, unknown

_HEAD_BYTES: Final = 27
_PACKET_BYTES: Final = 64  # of the first packet
_FIRST_PAGE: Final = 0x02  # of a stream
_NO_TIME: Final = (1 << 64) - 1
_OPUS_RATE: Final = 48_000  # whatever the sound was made with


class _Codec(NamedTuple):
    """How positions count: samples in a second, and how many are not heard."""

    rate: int
    skipped: int = 0


def ogg(media_type: str) -> Steps:
    """Read sound: of several streams beside each other the first, and of those behind each other all."""
    codec: _Codec | None = None
    stream = b""
    samples = before_ms = 0
    while codec is None or (yield Peek(1)):
        head = yield Take(_HEAD_BYTES)
        if head[:5] != b"OggS\0":
            raise damaged()
        body_bytes = sum((yield Take(head[26]))) if head[26] else 0
        if codec is None or (samples and head[5] & _FIRST_PAGE):
            before_ms += _heard_ms(codec, samples)
            codec, stream, samples = _codec((yield Peek(min(body_bytes, _PACKET_BYTES)))), head[14:18], 0
        yield Skip(body_bytes)
        position = int.from_bytes(head[6:14], "little")
        if head[14:18] == stream and position != _NO_TIME:
            samples = position
    return sound(media_type, before_ms + _heard_ms(codec, samples))


def _heard_ms(codec: _Codec | None, samples: int) -> int:
    return 0 if codec is None else max(0, samples - codec.skipped) * 1000 // codec.rate


def _codec(packet: bytes) -> _Codec:
    """Read the first packet. Raises BadMedia for a codec that is not known."""
    if packet.startswith(b"OpusHead"):
        return _Codec(_OPUS_RATE, int.from_bytes(packet[10:12], "little"))
    if packet.startswith(b"\x01vorbis"):
        rate = int.from_bytes(packet[12:16], "little")
    elif packet.startswith(b"\x7fFLAC"):
        rate = int.from_bytes(packet[27:30], "big") >> 4
    elif packet.startswith(b"Speex   "):
        rate = int.from_bytes(packet[36:40], "little")
    else:
        raise unknown()
    if not rate:
        raise damaged()
    return _Codec(rate)
