"""Sound in FLAC: the first block of metadata says how many samples there are.

https://www.rfc-editor.org/rfc/rfc9639, section 8.
"""

from tokengate.core.media.steps import Peek, Skip, Steps, Take, cut_off, damaged, sound


def flac(media_type: str) -> Steps:
    """Read the blocks of metadata; frames follow them."""
    yield Skip(4)
    head = yield Take(4)
    size = int.from_bytes(head[1:], "big")
    if head[0] & 0x7F or size < 18:
        raise damaged()
    packed = int.from_bytes((yield Take(18))[10:], "big")  # 20 bits of rate, 3 of channels, 5 of depth, 36 of samples
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    if not rate:
        raise damaged()
    yield Skip(size - 18)
    while not head[0] & 0x80:
        head = yield Take(4)
        yield Skip(int.from_bytes(head[1:], "big"))
    if len((yield Peek(4))) < 4:
        raise cut_off()
    return sound(media_type, samples * 1000 // rate or None)
